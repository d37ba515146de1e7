// SPDX-License-Identifier: MIT
// compare_weights: what a model's weights in int8, bf16 or f16 change of its next-token
// distributions, against the same weights in f32. compare_weights --help says what it takes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/pipelines/translator.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/isa.hpp"
#include "support/json_text.hpp"
#include "support/storage_word.hpp"
#include "support/translate_options.hpp"
#include "support/weight_comparison.hpp"

namespace program {
namespace {

using namespace eigenformer;
using comparison::Figures, comparison::Pair, comparison::Weights;

constexpr const char* notes = R"(Examples:
  compare_weights models/fr-en-small
  paste FILE.fr FILE.en | compare_weights models/fr-en-small --pairs - --weights int8 --json

The pairs are lines SOURCE<TAB>TARGET; further fields do not count, nor does a first line whose
first field is "source", the names of the columns. The model reads a source, is given its target
token by token, and says at each position, the end among them, how likely every token is. Of all
positions, in double from the logits:
  KL           Kullback-Leibler divergence KL(f32 || other) in nats: mean, 99th percentile, maximum
  top-1        how often both find the same token likeliest
  log p        log-probability of the target's own token: how far it moves on average, up or
               down, and its mean; perplexity is exp(-mean)
  MB           of all weights in memory, scales included, in 10^6 bytes

Exit status: 0; 1 data that cannot be read, compared or written; 2 usage; 3 no good model.)";

struct Arguments {
  std::string model;
  std::optional<std::string> pairs;  ///< nothing: those of the model's folder
  std::vector<Storage> weights{Storage::int8, Storage::bf16, Storage::f16};
  Index threads = detail::default_threads();
  Isa isa = chosen_isa();
  bool json = false;
  std::optional<std::string> answer;  ///< what --help or --version prints instead
};

Arguments arguments_of(int count, char** words) {
  Arguments out;
  CLI::App app("What fewer bits for weights cost in quality, against f32 of the same model",
               "compare_weights");
  app.footer(notes);
  app.add_option("MODEL", out.model, "its folder, as a hub has it")->type_name("")->required();
  const auto choose = [&](const std::vector<std::string>& given) {
    out.weights.clear();
    for (const std::string& word : given)
      out.weights.push_back(chosen("--weights", storage_words(), word));
  };
  app.add_option_function<std::vector<std::string>>("--weights", choose,
                                                    "default: int8,bf16,f16; f32 is there, too")
      ->type_name("LIST")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--pairs", out.pairs, "default: MODEL/expected.tsv; -: standard input")
      ->type_name("FILE");
  app.add_flag("--json", out.json, "an object and no table");
  app.add_option("-j,--threads", out.threads, "default: the processors that it may use")
      ->transform(whole(Index{1}, Index{1024}))
      ->type_name("N");
  out.answer = parse(app, count, words);
  return out;
}

Weights load(const std::string& folder, Storage storage) {
  try {
    Translator translator = Translator::load(folder, {.weights = storage});
    const std::size_t bytes = comparison::weight_bytes(translator.model());
    return {storage, std::move(translator), bytes};
  } catch (const std::exception& error) {
    throw Failure(ExitStatus::model, error.what());
  }
}

void expect_length(const Pair& pair, const std::vector<TokenId>& tokens, Index longest,
                   const char* what) {
  if (static_cast<Index>(tokens.size()) <= longest) return;
  throw Failure(ExitStatus::data, pair.place + what + " has " + std::to_string(tokens.size()) +
                                      " tokens, the model takes " + std::to_string(longest));
}

std::vector<Pair> read_pairs(const std::string& path, const Translator& translator) {
  const File file = File::input(path == "-" ? std::nullopt : std::optional(path));
  LineReader lines(file, io::LoadLimits{}.text_bytes);
  std::vector<Pair> out;
  while (const auto line = lines.next()) {
    const std::size_t tab = line->find('\t');
    Pair pair{file.name() + ": line " + std::to_string(lines.lines()) + ": ", {}, {}};
    if (tab == std::string::npos) {
      throw Failure(ExitStatus::data, pair.place + "expected SOURCE<TAB>TARGET");
    }
    const std::string source = line->substr(0, tab);
    if (lines.lines() == 1 && source == "source") continue;
    const std::string target = line->substr(tab + 1, line->find('\t', tab + 1) - tab - 1);
    pair.source = translator.tokenizer().encode_source(source);
    pair.target = translator.tokenizer().encode_target(target);
    expect_length(pair, pair.source, translator.model().longest(), "the source");
    expect_length(pair, pair.target, translator.model().longest(), "the target");
    out.push_back(std::move(pair));
  }
  if (out.empty()) throw Failure(ExitStatus::data, file.name() + ": no pairs");
  return out;
}

std::string table(std::span<const Weights> models) {
  std::string out =
      "| weights | MB | positions | KL mean | KL 99 % | KL max | top-1 | change of log p | log p "
      "| perplexity |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Weights& one : models) {
    const Figures figures(one);
    char compared[128] = "| | | | | ";
    if (&one != &models.front()) {
      std::snprintf(compared, sizeof compared, "| %.3g | %.3g | %.3g | %.2f %% | %.3g ",
                    figures.mean, figures.percentile_99, figures.most, figures.top_1,
                    figures.moved);
    }
    char line[256];
    std::snprintf(line, sizeof line, "| %s | %.1f | %zu %s| %.5g | %.5g |\n", name(one.storage),
                  static_cast<double>(one.bytes) / 1e6, one.positions, compared,
                  figures.log_probability, std::exp(-figures.log_probability));
    out += line;
  }
  return out;
}

std::string json_object(const Arguments& arguments, const std::string& pairs,
                        std::span<const Weights> models) {
  JsonText json;
  json.raw("{").key("model").string(arguments.model).key("pairs").string(pairs);
  json.key("positions").number(models.front().positions);
  const auto append = [&](const Weights& one) {
    const Figures figures(one);
    json.raw("{").key("weights").string(name(one.storage)).key("bytes").number(one.bytes);
    json.key("log_probability").number(figures.log_probability);
    json.key("perplexity").number(std::exp(-figures.log_probability));
    if (&one != &models.front()) {
      json.key("kl_mean").number(figures.mean).key("kl_99").number(figures.percentile_99);
      json.key("kl_max").number(figures.most).key("top_1_percent").number(figures.top_1);
      json.key("log_probability_change").number(figures.moved);
    }
    json.raw("}");
  };
  json.key("reference");
  append(models.front());
  json.key("compared").list(models.subspan(1), append);
  return json.raw("}\n").text();
}

std::string answer(const Arguments& arguments) {
  constexpr std::size_t at_once = 32;
  std::vector<Weights> models;
  models.push_back(load(arguments.model, Storage::f32));
  const std::string path = arguments.pairs.value_or(arguments.model + "/expected.tsv");
  const std::vector<Pair> pairs = read_pairs(path, models.front().translator);
  for (const Storage storage : arguments.weights) models.push_back(load(arguments.model, storage));
  ThreadPool pool(arguments.threads);
  Context context = make_context(pool, arguments.isa);
  for (std::size_t first = 0; first < pairs.size(); first += at_once) {
    const std::size_t count = std::min(at_once, pairs.size() - first);
    comparison::Run(std::span(pairs).subspan(first, count), models, context).compare();
  }
  return arguments.json ? json_object(arguments, path, models) : table(models);
}

void run(int count, char** words) {
  const Arguments arguments = arguments_of(count, words);
  print(arguments.answer ? *arguments.answer : answer(arguments));
}

}  // namespace
}  // namespace program

int main(int count, char** arguments) {
  const auto run = [&] { program::run(count, arguments); };
  return program::run_to_status("compare_weights", run, program::usage_or_data);
}
