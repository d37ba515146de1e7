// SPDX-License-Identifier: MIT
/// Translations and their attention as JSON, an object a line.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/io/text.hpp"
#include "eigenformer/pipelines/translation.hpp"
#include "eigenformer/pipelines/utf8_repair.hpp"
#include "files.hpp"
#include "translate_text.hpp"

namespace program {

/// JSON that grows. Nothing in it ends a line, for any reader.
class JsonText {
 public:
  JsonText& raw(std::string_view text) {
    out_ += text;
    return *this;
  }
  /// A member's name, after a comma where it is not the first.
  JsonText& key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    return string(name).raw(":");
  }
  JsonText& string(std::string_view text) {
    std::string quoted = eigenformer::io::json_quoted(text);
    for (const WideLineBreak& line_break : wide_line_breaks) {
      std::string escaped;
      eigenformer::io::append_replacing(escaped, quoted, line_break.utf8, line_break.json);
      quoted = std::move(escaped);
    }
    return raw(quoted);
  }
  template <class Number>
  JsonText& number(Number number) {
    if (!std::isfinite(static_cast<double>(number))) return raw("null");
    append_number(out_, number);
    return *this;
  }
  /// write(item) for each, which writes one value.
  template <class Items, class Write>
  JsonText& list(const Items& items, Write write) {
    out_ += '[';
    for (const auto& item : items) {
      if (&item != &*std::begin(items)) out_ += ',';
      write(item);
    }
    out_ += ']';
    return *this;
  }
  JsonText& strings(std::span<const std::string> texts) {
    return list(texts, [this](const std::string& text) { string(text); });
  }
  template <class Number>
  JsonText& numbers(std::span<const Number> numbers) {
    return list(numbers, [this](Number one) { number(one); });
  }

  std::string& text() { return out_; }

 private:
  std::string out_;
};

namespace detail {

inline void write_alternative(JsonText& json, const eigenformer::Alternative& alternative,
                              const Format& format) {
  json.key("text").string(alternative.text);
  json.key("score").number(alternative.score);
  json.key("finish").string(eigenformer::name(alternative.finish));
  json.key("pieces").strings(alternative.pieces);
  if (format.word_scores) {
    json.key("log_probabilities").numbers(std::span(alternative.log_probabilities));
  }
}

inline void write_words(JsonText& json, std::span<const eigenformer::Word> words) {
  std::vector<std::string> texts;
  for (const eigenformer::Word& word : words) {
    if (!word.special) texts.push_back(word.text);
  }
  json.strings(texts);
}

/// The pairs are places in source_words and words.
inline void write_alignment(JsonText& json, const eigenformer::TranslatedSentence& sentence) {
  write_words(json.key("source_words"), sentence.source_words);
  write_words(json.key("words"), sentence.words);
  const auto source = numbers_of(sentence.source_words), target = numbers_of(sentence.words);
  json.key("alignment").list(sentence.alignment, [&](const eigenformer::AlignedWords& pair) {
    const eigenformer::Index numbers[] = {source[static_cast<std::size_t>(pair.source)],
                                          target[static_cast<std::size_t>(pair.target)]};
    json.numbers(std::span<const eigenformer::Index>(numbers));
  });
}

inline void write_sentence(JsonText& json, const eigenformer::TranslatedSentence& sentence,
                           const Format& format) {
  json.raw("{").key("source").string(sentence.source);
  json.key("source_pieces").strings(sentence.source_pieces);
  write_alternative(json, *sentence.alternative(0), format);
  if (format.n_best) {
    json.key("alternatives").list(sentence.alternatives, [&](const auto& alternative) {
      json.raw("{");
      write_alternative(json, alternative, format);
      json.raw("}");
    });
  }
  if (format.alignment) write_alignment(json, sentence);
  json.raw("}");
}

/// The sentences that have a translation: white space has none.
inline std::vector<const eigenformer::TranslatedSentence*> translated(
    const eigenformer::Translation& translation) {
  std::vector<const eigenformer::TranslatedSentence*> out;
  for (const eigenformer::TranslatedSentence& sentence : translation.sentences) {
    if (!sentence.alternatives.empty()) out.push_back(&sentence);
  }
  return out;
}

}  // namespace detail

/// Appends a line: an object.
inline void append_json(std::string& out, const TranslatedLine& line, const Format& format) {
  JsonText json;
  json.raw("{").key("id").number(line.number);
  json.key("source").string(eigenformer::pipelines::repair_utf8(line.source).text);
  json.key("text").string(line.translation.text());
  json.key("score").number(line.translation.score());
  json.key("replaced").number(line.translation.replaced);
  json.key("sentences").list(detail::translated(line.translation), [&](const auto* sentence) {
    detail::write_sentence(json, *sentence, format);
  });
  out += json.raw("}\n").text();
}

}  // namespace program
