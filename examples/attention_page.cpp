// SPDX-License-Identifier: MIT
// attention_page MODEL SENTENCE [-o FILE]: translates the sentence, and writes who looks at whom
// meanwhile: a page for a browser, or a picture of one head, or numbers. Exit status 1: it cannot
// be done; 2: usage.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <eigenformer/eigenformer.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/command_line.hpp"
#include "support/isa.hpp"
#include "support/translate_attention.hpp"

namespace {

using namespace eigenformer;

enum class Output { page, svg, json };

struct Options {
  std::string model, text;
  std::optional<std::string> path;
  Output output = Output::page;
  AttentionChoice choice;
};

std::string json_of(const std::vector<TranslatedSentence>& sentences, const std::string& start) {
  program::JsonText json;
  json.list(sentences, [&](const TranslatedSentence& sentence) {
    json.raw("{").key("source").string(sentence.source);
    json.key("text").string(sentence.alternatives[0].text);
    program::write_attention(json, sentence, start);
    json.raw("}");
  });
  return json.raw("\n").text();
}

/// Throws Error(invalid_argument) unless the chosen layer and head are there.
void expect_choice(const AttentionChoice& choice, const TranslatedSentence& sentence) {
  const Index last = last_layer(sentence, choice.kind);
  Index heads = 0;
  for (const AttentionMap& map : sentence.attention) heads = std::max(heads, map.head + 1);
  expect_range(choice.layer.value_or(last), 0, last, "--layer");
  expect_range(choice.head.value_or(0), 0, heads - 1, "--head");
}

/// Throws Error unless there is something that has looked.
void expect_translated(const TranslatedSentence& sentence) {
  expect_numbers(sentence);
  if (!sentence.alternatives[0].pieces.empty()) return;
  throw Error(ErrorCode::unsupported, "the translation has no words");
}

std::string draw(const Options& options) {
  const auto translator = Translator::load(
      options.model,
      {.split = Split::none, .isa = program::chosen_isa()});  // the text is one sentence
  Translation translation = translator.translate_full(
      options.text, {.attention = [](AttentionPlace, Index) { return true; }});
  std::vector<TranslatedSentence>& sentences = translation.sentences;
  std::erase_if(sentences, [](const auto& sentence) { return sentence.alternatives.empty(); });
  if (sentences.empty()) throw Error(ErrorCode::invalid_argument, "SENTENCE has no words");
  for (const TranslatedSentence& sentence : sentences) expect_translated(sentence);
  expect_choice(options.choice, sentences[0]);
  switch (options.output) {
    case Output::svg:
      if (sentences.size() == 1) return attention_svg(sentences[0], options.choice);
      throw Error(ErrorCode::invalid_argument,
                  "SENTENCE is too long for one picture: it was translated in " +
                      std::to_string(sentences.size()) + " parts, which the page has");
    case Output::json: {
      const TokenId start = *translator.defaults().start_token;
      return json_of(sentences, std::string(translator.tokenizer().piece_text(start)));
    }
    default: return attention_page(sentences, options.choice);
  }
}

void add_options(CLI::App& app, Options& options) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("MODEL", options.model, "a MarianMT folder")->required()->check(program::folder());
  app.add_option("SENTENCE", options.text, "what to translate")->required();
  app.add_option("-o,--output", options.path, "file to write; default: standard output")
      ->type_name("FILE");
  const auto choose = [&](Output output) {
    return [&options, output] { options.output = output; };
  };
  auto* const svg = app.add_flag_callback("--svg", choose(Output::svg),
                                          "one head as a picture, instead of the page");
  auto* const json = app.add_flag_callback("--json", choose(Output::json),
                                           "all heads as numbers, in the form that BertViz takes")
                         ->excludes(svg);
  program::Words<AttentionKind> kinds;
  for (const auto kind : {AttentionKind::cross, AttentionKind::encoder, AttentionKind::decoder}) {
    kinds.emplace_back(name(kind), kind);
  }
  program::add_choice(app, "--kind", options.choice.kind, kinds,
                      "who looks at whom; default: cross")
      ->excludes(json);
  program::add_index(app, "--layer", options.choice.layer, "from 0; default: the last")
      ->excludes(json);
  program::add_index(app, "--head", options.choice.head, "from 0; default: the mean of all")
      ->excludes(json);
}

void run(int count, char** arguments) {
  Options options;
  CLI::App app("Translates a sentence, and writes who looks at whom meanwhile.", "attention_page");
  app.footer(
      "--kind, --layer and --head choose the picture, and what the page shows first.\n"
      "Exit status: 0; 1 it cannot be done; 2 usage.");
  add_options(app, options);
  if (const auto answer = program::parse(app, count, arguments)) return program::print(*answer);
  const std::string drawn = draw(options);
  if (options.path == "-") options.path.reset();
  program::Writer writer(program::File::output(options.path));
  writer.write(drawn);
  writer.finish();
}

}  // namespace

int main(int count, char** arguments) {
  return program::run_to_status(
      "attention_page", [&] { run(count, arguments); }, program::usage_or_data);
}
