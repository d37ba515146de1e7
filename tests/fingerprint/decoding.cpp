// SPDX-License-Identifier: MIT
// decoding FOLDER: the bits of a whole model at work, from its folder to hypotheses.
#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/generation/generate.hpp"
#include "harness.hpp"

namespace fingerprint {
namespace {

/// Ragged sources of made-up ids.
struct Sources {
  explicit Sources(Index vocab) {
    RandomStream stream(7, 0, 0);
    for (const Index length : {1, 17, 5}) {
      batch.add(length);
      for (Index i = 0; i < length; ++i) {
        tokens.push_back(static_cast<TokenId>(stream.bits() % static_cast<std::uint32_t>(vocab)));
      }
    }
  }

  Batch batch;
  std::vector<TokenId> tokens;
};

void add_decoding(Hash& hash, Context& context, const OpenedModel& opened,
                  const GenerationOptions& options) {
  const Sources sources(opened.model->source_vocab());
  const auto session = opened.model->start(sources.tokens, sources.batch, context);
  Batch one_each;
  for (Index s = 0; s < sources.batch.sequences(); ++s) one_each.add(1);
  const std::vector<TokenId> starts(static_cast<std::size_t>(one_each.sequences()),
                                    *opened.defaults.start_token);
  for (const Generated& generated :
       generate(*session, {starts, one_each}, options.or_from(opened.defaults))) {
    for (const Hypothesis& hypothesis : generated.hypotheses) {
      for (const TokenId token : hypothesis.tokens) hash.add(static_cast<std::uint32_t>(token));
      hash.add_all(hypothesis.log_probabilities);
      hash.add(hypothesis.score);
    }
  }
}

int run(const std::string& folder) {
  Report report("decoding");
  for (const Storage storage : {Storage::f32, Storage::bf16, Storage::int8}) {
    ModelOptions how;
    how.storage = storage;
    const OpenedModel opened = open_model(folder, how);
    const auto decoding = [&](const std::string& name, const GenerationOptions& options) {
      report.operation(name + "_" + eigenformer::name(storage), [&](Hash& hash, Context& context) {
        add_decoding(hash, context, opened, options);
      });
    };
    GenerationOptions options;
    options.max_new_tokens = 6;
    options.beam_size = 1;
    decoding("greedy", options);
    options.sample = true;
    options.seed = 1;
    options.top_p = 0.9f;
    options.temperature = 1.5f;
    decoding("sampling", options);
    options.sample = false;
    options.beam_size = 4;
    options.hypotheses = 4;
    decoding("beams", options);
  }
  return report.failures() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fingerprint

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "decoding FOLDER\n";
    return 2;
  }
  try {
    return fingerprint::run(arguments[1]);
  } catch (const eigenformer::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
