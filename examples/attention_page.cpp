// SPDX-License-Identifier: MIT
// attention_page MODEL SENTENCE [-o FILE]: translates the sentence, and writes who looks at whom
// meanwhile: a page for a browser, or a picture of one head, or numbers. Exit status 1: it cannot
// be done; 2: usage.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <eigenformer/eigenformer.hpp>
#include <exception>
#include <string>

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

std::string draw(const Options& options) {
  const auto translator =
      Translator::load(options.model, {.split = Split::none});  // the text is one sentence
  const std::string texts[] = {options.text};
  Translation translation = translator.translate_full(
      texts, {.attention = [](AttentionPlace, Index) { return true; }})[0];
  std::vector<TranslatedSentence>& sentences = translation.sentences;
  std::erase_if(sentences, [](const auto& sentence) { return sentence.alternatives.empty(); });
  if (sentences.empty()) throw Error(ErrorCode::invalid_argument, "SENTENCE has no words");
  switch (options.output) {
    case Output::svg: return attention_svg(sentences[0], options.choice);
    case Output::json: {
      const TokenId start = *translator.defaults().start_token;
      return json_of(sentences, std::string(translator.tokenizer().piece_text(start)));
    }
    default: return attention_page(sentences, options.choice);
  }
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("MODEL", options.model, "a MarianMT folder")->required();
  app.add_option("SENTENCE", options.text, "what to translate")->required();
  app.add_option("-o,--output", options.path, "file to write; default: standard output");
  auto* const svg = app.add_flag_callback(
      "--svg", [&] { options.output = Output::svg; }, "one head as a picture, instead of the page");
  app.add_flag_callback(
         "--json", [&] { options.output = Output::json; },
         "all heads as numbers, in the form that BertViz takes")
      ->excludes(svg);
  const auto choose = [&](const std::string& word) {
    for (const auto kind : {AttentionKind::cross, AttentionKind::encoder, AttentionKind::decoder}) {
      if (word == name(kind)) options.choice.kind = kind;
    }
  };
  app.add_option_function<std::string>("--kind", choose, "who looks at whom; default: cross")
      ->type_name("cross|encoder|decoder")
      ->check(CLI::IsMember({"cross", "encoder", "decoder"}));
  app.add_option("--layer", options.choice.layer, "from 0; default: the last");
  app.add_option("--head", options.choice.head, "from 0; default: the mean of all");
}

int run(int count, char** arguments) {
  Options options;
  CLI::App app("Translates a sentence, and writes who looks at whom meanwhile.", "attention_page");
  add_options(app, options);
  app.footer(
      "--kind, --layer and --head choose the picture, and what the page shows first.\n"
      "Exit status: 0; 1 it cannot be done; 2 usage.");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const std::string drawn = draw(options);
  program::Writer writer(program::File::output(options.path));
  writer.write(drawn);
  writer.finish();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "attention_page: %s\n", error.what());
    return 1;
  }
}
