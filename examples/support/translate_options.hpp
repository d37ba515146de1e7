// SPDX-License-Identifier: MIT
/// The command line of `translate`.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "eigenformer/core/processors.hpp"
#include "eigenformer/generation/plan.hpp"
#include "eigenformer/pipelines/translation.hpp"
#include "failure.hpp"
#include "isa.hpp"
#include "storage_word.hpp"

namespace program {

enum class Flush { line, batch };
enum class When { automatic, always, never };
/// What --profile shows of the layers of a stack.
enum class ProfileLayers { together, each };

/// What is written of a line besides its translation.
struct Format {
  bool jsonl = false;
  bool n_best = false;
  bool word_scores = false;
  bool alignment = false;
};

/// What the command line says. Decoding that it does not mention is left to the model's folder.
struct Options {
  std::optional<std::string> input, output;  ///< nothing: standard input, output
  std::string model = "models/fr-en-small";
  eigenformer::TranslatorOptions translator;
  eigenformer::GenerationOptions generation;
  eigenformer::Index n_best = 0;  ///< how many, if format.n_best; 0: as many as beams
  Format format;
  std::optional<std::string> attention;  ///< where to write it
  bool resume = false;                   ///< the output has a beginning already
  When progress = When::automatic;
  std::optional<Flush> flush;            ///< nothing: line by line on a terminal
  std::optional<ProfileLayers> profile;  ///< nothing: none
};

struct CommandLine {
  Options options;
  std::optional<std::string> answer;  ///< what --help or --version prints instead
};

namespace detail {

inline constexpr const char* purpose =
    "Translates lines: n lines in, n lines out, in order; an empty line stays empty.";

inline constexpr const char* notes = R"(Examples:
  translate -i french.txt -o english.txt
  echo 'Je suis étudiant.' | translate --beam-size 1
  translate --n-best --word-scores < french.txt         five fields, split by |||
  translate --jsonl --alignment < french.txt | jq .text

Output:
  A line of text for each line, in UTF-8; bytes that were not are counted on stderr. Line breaks
  inside a translation are written as spaces.
  --alignment     text ||| 0-0 1-2 ...: source-target, a pair for each word of the translation.
                  Words are what blanks end; they are counted from 0 through all sentences of the
                  line. Special pieces (unknown ones, the end) are no words, and end one.
  --word-scores   text ||| WordScores= -0.1 ...: the log-probability of each piece
  --n-best        LINE ||| text [||| alignment] [||| WordScores= ...] ||| F0= SCORE ||| SCORE:
                  several lines for each, counted from 0; the alignment is that of the best
  --jsonl         an object for each: id (the line, from 0), source, text, score, replaced,
                  sentences
  --resume        with the same input, model and options: lines that are in the output stay, a last
                  one is made again and compared; then the output is what one run gives. A run that
                  is killed loses what it was translating, at most 8192 lines or 256 KiB a thread
  --progress      lines, tokens/s and, of a file, the time left, at most 5 times a second
  --profile       after the last line, on stderr, where the time of the model went: passes within
                  passes, their calls, threads' time, its share; bytes that they had to move and
                  operations that they had to do; and the share of their time that these take at
                  least, at the rates in the head, which the kernels then reach on this machine
  --attention     an array with an object for each sentence, in the form of BertViz's
                  encoder-decoder views: weights as [layer][head][query][key]

Any of --temperature, --top-k, --top-p and --seed asks for sampling, with one beam. Names may be
written with _ for -, too. EIGENFORMER_ISA in the environment is the default of --isa.

Exit status: 0; 1 data that cannot be read, translated or written; 2 usage; 3 no good model.)";

inline eigenformer::Index default_threads() {
  return std::min<eigenformer::Index>(eigenformer::usable_processors(), 1024);
}

inline void add_files(CLI::App& app, Options& options) {
  app.add_option("-i,--input", options.input, "file to translate; default: standard input")
      ->type_name("FILE");
  app.add_option("-o,--output", options.output, "file to write; default: standard output")
      ->type_name("FILE");
  app.add_flag("--resume", options.resume,
               "go on where a run that was interrupted stopped writing the output");
  app.add_option("-m,--model", options.model, "folder of the model, as a hub has it")
      ->type_name("DIR")
      ->capture_default_str();
}

inline void add_search(CLI::App& app, Options& options) {
  auto& generation = options.generation;
  const std::string group = "Search (default: what the model's folder says)";
  const auto add = [&](const char* name, auto& variable, const char* type, const char* text) {
    return app.add_option(name, variable, text)->type_name(type)->group(group);
  };
  using eigenformer::Index;
  add("-b,--beam-size", generation.beam_size, "N", "hypotheses kept at a time; 1: greedy")
      ->transform(whole(Index{1}, Index{1024}));
  add("--max-length,--max-decoding-length", generation.max_new_tokens, "N",
      "most tokens of a sentence's translation")
      ->transform(whole(Index{1}, eigenformer::GenerationPlan::most));
  add("--length-penalty", generation.length_penalty, "X",
      "score = sum of log-probabilities / tokens^X")
      ->check(real());
  add("--temperature,--sampling-temperature", generation.temperature, "X",
      "divides the logits; 0: the likeliest token")
      ->check(real());
  add("--top-k,--sampling-topk", generation.top_k, "N", "draw from the N likeliest; 0: from all")
      ->transform(whole(Index{0}, Index{std::numeric_limits<eigenformer::TokenId>::max()}));
  add("--top-p,--sampling-topp", generation.top_p, "X", "draw from the likeliest of this mass")
      ->check(real());
  add("--seed", generation.seed, "N", "of the draws: equal seeds, equal lines")
      ->transform(whole(std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()));
}

inline void add_formats(CLI::App& app, Options& options) {
  const std::string group = "Output";
  app.add_option("--n-best", options.n_best, "N translations of each line; default: the beam size")
      ->expected(0, 1)
      ->transform(whole(eigenformer::Index{1}, eigenformer::Index{1024}))
      ->type_name("[N]")
      ->group(group);
  Format& format = options.format;
  app.add_flag("--word-scores", format.word_scores, "log-probability of each piece")->group(group);
  app.add_flag("--alignment", format.alignment, "which words belong together")->group(group);
  app.add_flag("--jsonl", format.jsonl, "a JSON object a line")->group(group);
  app.add_option("--attention", options.attention, "file for the weights of every head")
      ->type_name("FILE.json")
      ->group(group);
  const Words<When> when{
      {"auto", When::automatic}, {"always", When::always}, {"never", When::never}};
  add_choice(app, "--progress", options.progress, when,
             "on stderr; auto: if that is the only terminal")
      ->group(group);
  const Words<ProfileLayers> layers{{"", ProfileLayers::together}, {"layers", ProfileLayers::each}};
  add_choice(app, "--profile", options.profile, layers,
             "where time goes, on stderr; layers: each by itself")
      ->expected(0, 1)
      ->type_name("[layers]")
      ->group(group);
  const Words<Flush> flush{{"line", Flush::line}, {"batch", Flush::batch}};
  add_choice(app, "--flush", options.flush, flush,
             "each line at once (default on a terminal), or many")
      ->group(group);
}

inline void add_speed(CLI::App& app, Options& options) {
  using namespace eigenformer;
  const std::string group = "How it is done";
  TranslatorOptions& translator = options.translator;
  const Words<Split> splits{
      {"sentences", Split::sentences}, {"lines", Split::lines}, {"none", Split::none}};
  add_choice(app, "--split", translator.split, splits,
             "what of a line is translated by itself; default: sentences")
      ->group(group);
  add_weights(app, translator.weights, "how weights are stored; default: as in the file")
      ->group(group);
  app.add_option("--batch-size", translator.batch_tokens, "tokens at a time and thread")
      ->transform(whole(Index{1}, Index{1} << 40))
      ->type_name("TOKENS")
      ->capture_default_str()
      ->group(group);
  translator.threads = default_threads();
  app.add_option("-j,--threads,--intra-threads", translator.threads,
                 "default: the processors that it may use")
      ->transform(whole(Index{1}, Index{1024}))
      ->type_name("N")
      ->group(group);
  Words<Isa> isas;
  for (const Isa isa : all_isas) isas.emplace_back(name(isa), isa);
  add_choice(app, "--isa", translator.isa, isas, "kernels none faster than these")->group(group);
}

/// Settles what follows from several options together.
inline void settle_together(Options& options) {
  auto& generation = options.generation;
  if (generation.temperature || generation.top_k || generation.top_p || generation.seed) {
    if (generation.beam_size.value_or(1) != 1) {
      throw Failure(ExitStatus::usage,
                    "--temperature, --top-k, --top-p and --seed sample, with --beam-size 1");
    }
    generation.beam_size = 1;
    generation.sample = generation.temperature != 0.0f;
    if (!*generation.sample) generation.temperature.reset();
  }
  for (auto* path : {&options.input, &options.output}) {
    if (*path == "-") path->reset();
  }
  if (options.resume && (!options.output || options.attention)) {
    throw Failure(ExitStatus::usage, "--resume needs --output, and goes without --attention");
  }
}

}  // namespace detail

/// Throws Failure of usage.
inline CommandLine parse_command_line(int count, char** arguments) {
  CommandLine out;
  CLI::App app(detail::purpose, "translate");
  app.footer(detail::notes);
  app.get_formatter()->column_width(36);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  out.options.translator.isa = chosen_isa();
  detail::add_files(app, out.options);
  detail::add_search(app, out.options);
  detail::add_formats(app, out.options);
  detail::add_speed(app, out.options);
  out.answer = parse(app, count, arguments);
  out.options.format.n_best = app.count("--n-best") > 0;
  if (!out.answer) detail::settle_together(out.options);
  return out;
}

}  // namespace program
