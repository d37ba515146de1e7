// SPDX-License-Identifier: MIT
// Any bytes as JSON, and that as each of the files that say what a model and its tokenizer are:
// refused, or numbers within their limits.
#include <vector>

#include "eigenformer/architectures/generation_config.hpp"
#include "eigenformer/architectures/marian.hpp"
#include "eigenformer/architectures/vaswani.hpp"
#include "eigenformer/generation/plan.hpp"
#include "eigenformer/generation/token_rules.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/tokenizers/marian_tokenizer_files.hpp"
#include "fuzz.hpp"

namespace {

using namespace eigenformer;
using namespace eigenformer::fuzz;
using enum ErrorCode;

/// The value as JSON text again. Depth is limited by the reader.
void write(const io::Json& json, std::string& out) {
  switch (json.kind()) {
    case io::JsonKind::string: out += io::json_quoted(json.string()); return;
    case io::JsonKind::array:
      out += '[';
      for (const io::Json& element : json.elements()) {
        if (out.back() != '[') out += ',';
        write(element, out);
      }
      out += ']';
      return;
    case io::JsonKind::object:
      out += '{';
      for (const io::Json& member : json.members()) {
        if (out.back() != '{') out += ',';
        out += io::json_quoted(member.key()) + ':';
        write(member, out);
        require(json.at(member.key()).kind() == member.kind(), "a member is found by its name");
      }
      out += '}';
      return;
    default: out += json.description(); return;
  }
}

/// Whether every value can say where it is and what it is, for a message.
void check_places(const io::Json& json, int& left) {
  if (--left < 0) return;
  require(is_message(json.where() + json.description()), "a place is fit for a message");
  expect_only({format}, [&] { return json.integer(0, 9); });
  expect_only({format}, [&] { return json.number(0.0, 9.0); });
  if (json.kind() == io::JsonKind::array) {
    for (const io::Json& element : json.elements()) check_places(element, left);
  } else if (json.kind() == io::JsonKind::object) {
    for (const io::Json& member : json.members()) check_places(member, left);
  }
}

void check_model(const TransformerConfig& config) {
  const io::LoadLimits limits;
  require(config.d_model >= 1 && config.d_model <= limits.hidden, "d_model is in its range");
  require(config.heads >= 1 && config.d_model % config.heads == 0, "heads divide d_model");
  require(config.encoder_layers <= limits.layers && config.decoder_layers <= limits.layers,
          "layers are in their range");
  require(config.vocab >= 1 && config.vocab <= limits.vocabulary, "the vocabulary is in its range");
}

void check_models(const io::Json& json) {
  if (const auto config = expect_file_errors([&] { return read_marian_config(json); })) {
    check_model(*config);
    marian_names(*config, {"", {}, std::shared_ptr<const void>()});
  }
  if (const auto config = expect_file_errors([&] { return read_vaswani_config(json); })) {
    check_model(config->transformer);
    require(config->bos < config->transformer.target_vocab, "bos is in the vocabulary");
  }
}

void check_decoding(const io::Json& json) {
  constexpr Index vocab = 1000;
  const auto options = expect_file_errors([&] { return read_generation_config(json, vocab); });
  if (!options) return;
  const GenerationOptions all = options->or_from(*options);
  expect_only({invalid_argument, unsupported}, [&] { return GenerationPlan(all, vocab); });
  expect_only({invalid_argument}, [&] { return TokenRules(all, vocab).never; });
}

void check_tokenizer(const io::Json& json) {
  const io::LoadLimits limits;
  const auto added = expect_file_errors([&] {
    detail::MarianTokens tokens;
    tokens.read_config(json);
    if (tokens.wants_legacy_files()) tokens.read_map(json);
    const io::Json vocabulary = io::parse_json(R"({"<unk>": 0, "</s>": 1})", "v");
    return AddedTokens(tokens.finish(Vocabulary(vocabulary, limits)));
  });
  expect_file_errors([&] { return detail::check_spm_options(json), true; });
  if (!added) return;
  std::size_t bytes = 0;
  const std::string_view text = "a</s><unk> <pad>b";
  added->split(
      text, [&](std::string_view between) { bytes += between.size(); },
      [&](const AddedToken& token) { bytes += token.text.size(); });
  require(bytes == text.size(), "tokens and what is between them are the text");
}

void check_vocabulary(const io::Json& json) {
  const auto vocabulary = expect_only({format}, [&] { return Vocabulary(json, {}); });
  if (!vocabulary) return;
  for (const io::Json& member : json.members()) {
    const auto id = vocabulary->find(member.key());
    require(id && *id == member.integer(), "a text has its id");
    require(vocabulary->find(*id).has_value(), "an id has a text");
  }
  expect_only({format}, [&] {
    detail::MarianTokens tokens;
    tokens.read_added(json, {});
    return tokens.finish(*vocabulary).size();
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  const auto json = expect_only({format}, [&] { return io::parse_json(text, "f"); });
  if (!json) return 0;
  std::string written, again;
  write(*json, written);
  write(io::parse_json(written, "f"), again);
  require(written == again, "a document that is written is read as the same");
  int places = 64;
  check_places(*json, places);
  if (json->kind() != io::JsonKind::object) return 0;
  check_models(*json);
  check_decoding(*json);
  check_tokenizer(*json);
  check_vocabulary(*json);
  return 0;
}
