// SPDX-License-Identifier: MIT
/// Translations as lines of text: plain, or in Moses' and Marian's form of n-best lists.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/pipelines/translation.hpp"
#include "translate_options.hpp"

namespace program {

/// What a format writes.
struct TranslatedLine {
  std::uint64_t number;  ///< from 0
  std::string_view source;
  const eigenformer::Translation& translation;
};

/// Characters that end a line for one reader or another, besides "\n" and those after it in ASCII.
struct WideLineBreak {
  std::string_view utf8, json;
};
inline constexpr WideLineBreak wide_line_breaks[] = {
    {"\u0085", "\\u0085"}, {"\u2028", "\\u2028"}, {"\u2029", "\\u2029"}};

/// Appends the text, each of its line breaks as a space.
inline void append_on_one_line(std::string& out, std::string_view text) {
  std::string line(text);
  for (const WideLineBreak& line_break : wide_line_breaks) {
    std::string replaced;
    eigenformer::io::append_replacing(replaced, line, line_break.utf8, " ");
    line = std::move(replaced);
  }
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= '\n' && c <= '\r'; }, ' ');
  out += line;
}

/// Appends the shortest text that reads as the same number.
template <class Number>
void append_number(std::string& out, Number number) {
  char text[32];
  const auto [end, error] = std::to_chars(std::begin(text), std::end(text), number);
  out.append(text, end);
}

/// Numbers of a sentence's words, special ones left out: [w] is what word w counts as.
inline std::vector<eigenformer::Index> numbers_of(std::span<const eigenformer::Word> words) {
  std::vector<eigenformer::Index> numbers;
  eigenformer::Index next = 0;
  for (const eigenformer::Word& word : words) numbers.push_back(word.special ? next : next++);
  return numbers;
}

inline eigenformer::Index count_words(std::span<const eigenformer::Word> words) {
  return std::count_if(words.begin(), words.end(),
                       [](const eigenformer::Word& word) { return !word.special; });
}

/// Appends " ||| s-t s-t": the words of all sentences that belong together.
inline void append_alignment(std::string& out, const eigenformer::Translation& translation) {
  out += " |||";
  eigenformer::Index source_words = 0, target_words = 0;
  for (const eigenformer::TranslatedSentence& sentence : translation.sentences) {
    const auto source = numbers_of(sentence.source_words), target = numbers_of(sentence.words);
    for (const auto [s, t] : sentence.alignment) {
      out += ' ';
      append_number(out, source_words + source[static_cast<std::size_t>(s)]);
      out += '-';
      append_number(out, target_words + target[static_cast<std::size_t>(t)]);
    }
    source_words += count_words(sentence.source_words);
    target_words += count_words(sentence.words);
  }
}

inline void append_word_scores(std::string& out, const eigenformer::Translation& translation,
                               std::size_t n) {
  out += " ||| WordScores=";
  for (const eigenformer::TranslatedSentence& sentence : translation.sentences) {
    const eigenformer::Alternative* const alternative = sentence.alternative(n);
    if (alternative == nullptr) continue;
    for (const float log_probability : alternative->log_probabilities) {
      out += ' ';
      append_number(out, log_probability);
    }
  }
}

/// Appends the n-th translation, with what was asked for of it.
inline void append_translation(std::string& out, const eigenformer::Translation& translation,
                               std::size_t n, const Format& format) {
  append_on_one_line(out, translation.text(n));
  if (format.alignment) n == 0 ? append_alignment(out, translation) : void(out += " |||");
  if (format.word_scores) append_word_scores(out, translation, n);
}

/// Appends a line: the best translation.
inline void append_text(std::string& out, const TranslatedLine& line, const Format& format) {
  append_translation(out, line.translation, 0, format);
  out += '\n';
}

/// Appends a line for each translation; for an empty line one, too.
inline void append_n_best(std::string& out, const TranslatedLine& line, const Format& format) {
  const std::size_t count = std::max<std::size_t>(line.translation.alternatives(), 1);
  for (std::size_t n = 0; n < count; ++n) {
    append_number(out, line.number);
    out += " ||| ";
    append_translation(out, line.translation, n, format);
    for (const char* const name : {" ||| F0= ", " ||| "}) {
      out += name;
      append_number(out, line.translation.score(n));
    }
    out += '\n';
  }
}

}  // namespace program
