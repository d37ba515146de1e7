// SPDX-License-Identifier: MIT
// Tokens a second of decoding, encoder included: of a model's folder, or of random weights in the
// shapes of OPUS-MT and of models/fr-en-small. One line of JSON a measurement.
// With --requests it reads what to decode from its input, so that it can take turns with others.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>

#include "eigenformer/architectures/marian.hpp"
#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/architectures/vaswani.hpp"
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/generation/generate.hpp"
#include "eigenformer/models/transformer_session.hpp"
#include "support/report.hpp"

namespace {

using namespace eigenformer;

struct Options {
  std::string folder, sources;
  std::vector<std::string> shapes{"opus-mt", "small"};
  std::vector<Index> batches{1, 32}, beams{1, 4};
  Index tokens = 32, threads = 1, workers = 1, repeat = 3;
  Storage weights = Storage::f32;
  bool map = false, requests = false;
};

Options read_options(int count, char** arguments) {
  Options options;
  CLI::App app("Tokens a second of decoding, a beam's other rows not counted");
  app.add_option("folder", options.folder, "a model's folder; without it random weights");
  app.add_option("--shape", options.shapes, "of random weights: opus-mt, small")->delimiter(',');
  app.add_option("--batch", options.batches, "sentences at once")->delimiter(',');
  app.add_option("--beam", options.beams)->delimiter(',');
  app.add_option("--tokens", options.tokens, "new tokens of each sentence, exactly");
  app.add_option("--threads", options.threads, "of each worker");
  app.add_option("--workers", options.workers, "that decode a part of the sentences each, at once");
  app.add_option("--repeat", options.repeat, "runs; the best counts");
  app.add_option("--sources", options.sources, "a file with ids, a sentence a line");
  std::vector<std::pair<std::string, Storage>> weights;
  for (const Storage storage : all_storages) weights.emplace_back(name(storage), storage);
  app.add_option("--weights", options.weights, "f32, f16, bf16 or int8")
      ->transform(CLI::CheckedTransformer(weights));
  app.add_flag("--map", options.map, "leave the folder's weights in their file");
  app.add_flag("--requests", options.requests,
               "decode once for each line \"SOURCES_FILE BEAM TOKENS\" of standard input");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

/// The shapes of published OPUS-MT models, and of models/fr-en-small.
OpenedModel random_model(const std::string& shape, Storage storage) {
  TransformerConfig config = vaswani_base(53017);
  config.activation = Activation::silu;
  config.storage = storage;
  if (shape == "small") {
    config.d_model = 256;
    config.heads = 4;
    config.d_ff = 1024;
    config.encoder_layers = 4;
    config.decoder_layers = 2;
    config.vocab = 6001;
    config.embedding_scale = 16;
    config.activation = Activation::relu;
  } else if (shape != "opus-mt") {
    throw Error(ErrorCode::invalid_argument, "--shape: expected opus-mt or small, got " + shape);
  }
  config.output_bias = true;
  config.positions = 512;
  config.sinusoids = SinusoidLayout::half_split;
  Marian<float> model(config);
  model.initialize(1);
  OpenedModel opened{"marian", std::make_unique<TransformerModel<PostNorm>>(std::move(model)), {}};
  opened.defaults.start_token = static_cast<TokenId>(config.vocab - 1);
  opened.defaults.stop_tokens = {0};
  opened.defaults.bad_words.emplace().push_back({static_cast<TokenId>(config.vocab - 1)});
  return opened;
}

using Sentences = std::vector<std::vector<TokenId>>;

Sentences read_sentences(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::io, path + ": cannot open");
  Sentences sentences;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    sentences.emplace_back(std::istream_iterator<TokenId>(words), std::istream_iterator<TokenId>());
  }
  return sentences;
}

/// 20 to 30 random ids, and the end token.
Sentences random_sentences(Index count, Index vocab) {
  RandomStream random(1, 0, 0);
  Sentences sentences(static_cast<std::size_t>(count));
  for (auto& sentence : sentences) {
    sentence.resize(20 + random.bits() % 11);
    for (TokenId& id : sentence) {
      id = static_cast<TokenId>(4 + random.bits() % static_cast<std::uint32_t>(vocab - 5));
    }
    sentence.push_back(0);
  }
  return sentences;
}

/// All ids, so that two runs or programs can be compared.
std::uint64_t checksum(const std::vector<Generated>& answers) {
  std::uint64_t sum = 1469598103934665603u;
  for (const Generated& answer : answers) {
    for (const TokenId id : answer.hypotheses[0].tokens) {
      sum = (sum ^ static_cast<std::uint64_t>(id)) * 1099511628211u;
    }
  }
  return sum;
}

/// What a worker keeps from one time to the next.
struct Worker {
  Worker(Index threads, Isa isa) : pool(threads), context(*kernels::find_table(isa), pool) {}

  ThreadPool pool;
  Context context;
};

/// A model, and who decodes with it.
struct Subject {
  Subject(std::string model_name, OpenedModel model, const Options& options)
      : name(std::move(model_name)), opened(std::move(model)), at_once(options.workers) {
    for (Index w = 0; w < options.workers; ++w) {
      workers.push_back(std::make_unique<Worker>(options.threads, isa));
    }
  }

  std::string name;
  OpenedModel opened;
  Isa isa = kernels::best_table(bench::isa_from_environment()).isa;
  ThreadPool at_once;
  std::vector<std::unique_ptr<Worker>> workers;
};

/// Time that passed, time of the processor, which others on it do not lengthen, and what came out.
struct Run {
  double seconds, processor;
  std::uint64_t ids;
};

std::vector<Generated> decode(const OpenedModel& opened, std::span<const std::vector<TokenId>> part,
                              const GenerationOptions& wanted, Context& context) {
  std::vector<TokenId> source, start;
  Batch batch, prompt;
  for (const auto& sentence : part) {
    source.insert(source.end(), sentence.begin(), sentence.end());
    batch.add(static_cast<Index>(sentence.size()));
    start.push_back(opened.defaults.start_token.value());
    prompt.add(1);
  }
  const auto session = opened.model->start(source, batch, context);
  return generate(*session, {start, prompt}, wanted);
}

/// Every worker decodes its part.
std::vector<Generated> decode_all(Subject& subject, const Sentences& sentences,
                                  const GenerationOptions& wanted) {
  const auto workers = static_cast<Index>(subject.workers.size());
  std::vector<std::vector<Generated>> answers(subject.workers.size());
  subject.at_once.run(workers, [&](Index w, Index) {
    const auto edge = [&](Index worker) {
      return static_cast<std::size_t>(worker) * sentences.size() / subject.workers.size();
    };
    const auto part = std::span(sentences).subspan(edge(w), edge(w + 1) - edge(w));
    const auto i = static_cast<std::size_t>(w);
    if (!part.empty()) {
      answers[i] = decode(subject.opened, part, wanted, subject.workers[i]->context);
    }
  });
  std::vector<Generated> all;
  for (auto& part : answers) std::move(part.begin(), part.end(), std::back_inserter(all));
  return all;
}

void measure(Subject& subject, const Sentences& sentences, Index beam, const Options& options) {
  GenerationOptions wanted;
  wanted.beam_size = beam;
  wanted.hypotheses = 1;
  wanted.min_new_tokens = wanted.max_new_tokens = options.tokens;
  wanted = wanted.or_from(subject.opened.defaults);
  Run best{1e300, 0, 0};
  for (Index i = 0; i < options.repeat; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t clock = std::clock();
    const auto answers = decode_all(subject, sentences, wanted);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    const double processor = static_cast<double>(std::clock() - clock) / CLOCKS_PER_SEC;
    if (time.count() < best.seconds) best = {time.count(), processor, checksum(answers)};
  }
  std::printf(
      "{\"model\": \"%s\", \"isa\": \"%s\", \"weights\": \"%s\", \"batch\": %zu, \"beam\": %td, "
      "\"tokens_per_second\": %.1f, \"seconds\": %.6f, \"processor_seconds\": %.6f, "
      "\"ids_checksum\": \"%016llx\"}\n",
      subject.name.c_str(), name(subject.isa), name(options.weights), sentences.size(), beam,
      static_cast<double>(sentences.size()) * static_cast<double>(options.tokens) / best.seconds,
      best.seconds, best.processor, static_cast<unsigned long long>(best.ids));
  std::fflush(stdout);
}

/// One measurement, of one decoding, for each line of the input.
void serve(Subject& subject, Options options) {
  options.repeat = 1;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    Index beam = 0;
    if (!(words >> options.sources >> beam >> options.tokens)) {
      throw Error(ErrorCode::invalid_argument,
                  "--requests: expected SOURCES_FILE BEAM TOKENS, got " + line);
    }
    measure(subject, read_sentences(options.sources), beam, options);
  }
}

void run(Subject&& subject, const Options& options) {
  if (options.requests) return serve(subject, options);
  for (const Index batch : options.batches) {
    for (const Index beam : options.beams) {
      const Sentences sentences =
          options.sources.empty() ? random_sentences(batch, subject.opened.model->source_vocab())
                                  : read_sentences(options.sources);
      measure(subject, sentences, beam, options);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = read_options(count, arguments);
  try {
    if (!options.folder.empty()) {
      ModelOptions model_options;
      model_options.storage = options.weights;
      if (options.map) model_options.load.access = io::FileAccess::map;
      run({options.folder, open_model(options.folder, model_options), options}, options);
      return 0;
    }
    for (const std::string& shape : options.shapes) {
      run({shape, random_model(shape, options.weights), options}, options);
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
