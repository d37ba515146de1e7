// SPDX-License-Identifier: MIT
/// Whether a full stop ends a sentence, judged by the words before and after it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "eigenformer/pipelines/abbreviations.hpp"
#include "eigenformer/pipelines/text_class.hpp"

namespace eigenformer::inline v0::pipelines::detail {

/// A word before a full stop: letters, digits, and full stops between them.
struct Word {
  std::string_view text;
  char32_t before = ' ';  ///< the character before it; a space at the text's beginning
  bool begins_sentence = false;
};

/// What follows a mark and white space: the first letter, digit or punctuation after any quotes,
/// opening brackets, dashes and symbols. `other` at the end of a line.
struct Following {
  TextClass kind = TextClass::other;
  bool inverted = false;  ///< an inverted mark of Spanish is before it
  std::string_view word;  ///< its letters, at most `longest_word` bytes
  char32_t after = 0;     ///< the character after the word
};

/// Longer words are in no list; and the search for a word's end is bounded.
inline constexpr std::size_t longest_word = 32;

constexpr bool is_apostrophe(char32_t code) { return code == '\'' || code == 0x2019; }

constexpr bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == word.npos;
}

constexpr bool is_roman_number(std::string_view word) {
  return !word.empty() && word.size() <= 5 && word.find_first_not_of("IVXLC") == word.npos;
}

constexpr bool starts_sentences(const Following& next) {
  if (next.after == '.') return false;  // an initial, as in "J. A. Smith"
  if (is_apostrophe(next.after)) return holds(elided_starters, next.word);
  return holds(sentence_starters, next.word);
}

/// "U.S", "e.g", "Ph.D": parts of at most three letters, one of them alone.
constexpr bool is_dotted(std::string_view word) {
  if (word.size() > longest_word || word.find('.') == word.npos) return false;
  bool single = false;
  std::size_t letters = 0;
  for (std::size_t i = 0; i <= word.size();) {
    const Character c = i < word.size() ? character_at(word, i) : Character{'.', {}, 1};
    i += c.length;
    if (c.code != '.') {
      if (c.kind == TextClass::digit || ++letters > 3) return false;
    } else {
      single = single || letters == 1;
      letters = 0;
    }
  }
  return single;
}

/// "1. First", "2.1. Scope", "IV. The end", "a. One": the number of an item.
constexpr bool is_item_number(const Word& word) {
  if (!word.begins_sentence) return false;
  const bool number = word.text.size() <= 8 &&
                      word.text.find_first_not_of("0123456789.") == word.text.npos &&
                      std::min(word.text.find('.'), word.text.size()) <= 3;
  return number || is_roman_number(word.text);
}

/// A number of one or two digits is an ordinal in German where the words around it say so.
constexpr FullStop full_stop_of_number(const Word& word, const Word& previous,
                                       const Following& next) {
  if (word.text.size() > 2) return FullStop::always;
  if (holds(after_ordinals, next.word)) return FullStop::never;
  return holds(before_ordinals, previous.text) ? FullStop::starter : FullStop::letter;
}

/// A letter alone: an initial, or a short abbreviation ("p. 5", "z. B."), or a unit ("5 m").
constexpr FullStop full_stop_of_letter(const Word& word, const Word& previous, TextClass kind) {
  if (kind != TextClass::lower && kind != TextClass::upper) return FullStop::always;
  if (word.before == '/' || word.before == 0xB0) return FullStop::always;
  if (is_number(previous.text)) return FullStop::letter;
  const bool part = is_apostrophe(word.before) || is_dash(word.before);
  return kind == TextClass::lower && part ? FullStop::always : FullStop::starter;
}

/// Before what the full stop after `word`, and white space, ends a sentence.
constexpr FullStop full_stop_of(const Word& word, const Word& previous, const Following& next) {
  if (word.text.empty() || word.text.size() > longest_word) return FullStop::always;
  if (is_item_number(word)) return FullStop::never;
  if (is_number(word.text)) return full_stop_of_number(word, previous, next);
  const Character first = character_at(word.text, 0);
  if (first.length == word.text.size()) return full_stop_of_letter(word, previous, first.kind);
  const FullStop listed = find_abbreviation(word.text);
  if (listed == FullStop::always) {
    return is_dotted(word.text) ? FullStop::starter : FullStop::always;
  }
  const bool unit = first.kind == TextClass::lower && is_number(previous.text);
  return unit ? FullStop::letter : listed;
}

/// Whether a full stop after `word`, and white space, ends the sentence before `next`, which is a
/// digit or a letter that is not in lower case.
constexpr bool full_stop_ends(const Word& word, const Word& previous, const Following& next) {
  switch (full_stop_of(word, previous, next)) {
    case FullStop::never: return false;
    case FullStop::letter: return next.kind != TextClass::digit;
    case FullStop::always: return true;
    case FullStop::starter: break;
  }
  const bool one_letter = character_at(word.text, 0).length == word.text.size();
  return starts_sentences(next) && !(one_letter && holds(name_particles, next.word));
}

}  // namespace eigenformer::inline v0::pipelines::detail
