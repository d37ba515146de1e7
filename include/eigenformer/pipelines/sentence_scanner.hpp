// SPDX-License-Identifier: MIT
/// Where sentences end: marks, the quotes and brackets that close after them, and what follows.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "eigenformer/pipelines/sentence_cutter.hpp"
#include "eigenformer/pipelines/sentence_rules.hpp"
#include "eigenformer/pipelines/text_class.hpp"

namespace eigenformer::inline v0::pipelines::detail {

constexpr bool is_straight_quote(char32_t code) { return code == '"'; }

/// Quotes that open after a Chinese or Japanese mark. After a Latin one they can be closing ones:
/// „Ja.“ »Ja.«
constexpr bool opens_in_chinese(char32_t code) { return code == 0x2018 || code == 0x201C; }

/// Marks that need no space after them: not those of Latin and Greek text.
constexpr bool ends_without_space(char32_t mark) {
  return mark >= 0x80 && mark != 0x37E && !(mark >= 0x2000 && mark <= 0x206F);
}

/// The marks that may end a sentence, with the brackets and quotes that close after them.
struct Ending {
  Word word;          ///< before the first mark
  Word previous;      ///< before the word
  char32_t last = 0;  ///< the last mark
  std::size_t marks = 0;
  TextClass closed_by = TextClass::other;  ///< closing, quote, or neither
  bool in_brackets = false;                ///< nothing but marks between brackets: "(!)"

  /// Whether it may be an abbreviation's full stop, and no more.
  bool may_abbreviate() const { return marks == 1 && text_class(last) == TextClass::full_stop; }
};

/// Reads a text once. At a mark it looks forward no further than to the next mark, so that the time
/// is linear.
class SentenceScanner {
 public:
  explicit SentenceScanner(std::string_view text) : cutter_(text) {}

  /// Call once.
  std::vector<Sentence> scan() {
    while (!cutter_.at_end()) {
      const Character c = cutter_.next();
      if (c.kind == TextClass::separator) {
        cut();
        inside_quotes_ = false;
      } else if (is_mark(c) && !is_inside_word(c)) {
        scan_mark();
      } else {
        take(c);
      }
    }
    return cutter_.finish();
  }

 private:
  /// A semicolon after a Greek letter is a question mark.
  bool is_mark(const Character& c) const {
    if (c.kind == TextClass::full_stop || c.kind == TextClass::stop) return true;
    return c.code == ';' &&
           ((last_ >= 0x370 && last_ < 0x400) || (last_ >= 0x1F00 && last_ < 0x2000));
  }

  /// "3.5", "e.g", "example.org"
  bool is_inside_word(const Character& mark) const {
    if (mark.kind != TextClass::full_stop || word_.text.empty()) return false;
    const TextClass after = cutter_.at(cutter_.position() + mark.length).kind;
    return mark.code == '.' ? is_alphanumeric(after) : after == TextClass::digit;
  }

  void cut() {
    cutter_.cut_before_white_space();
    word_ = previous_ = {};
    last_ = ' ';
  }

  /// Make a character part of the sentence, and of the word where it is one of a word.
  void take(const Character& c) {
    const bool extends = c.kind == TextClass::ignorable || c.kind == TextClass::full_stop;
    if (is_alphanumeric(c.kind) || (extends && !word_.text.empty())) {
      if (word_.text.empty()) {
        word_ = {cutter_.text().substr(cutter_.position(), 0), last_, cutter_.at_beginning()};
      }
      word_.text = {word_.text.data(), word_.text.size() + c.length};
    } else {
      if (c.kind != TextClass::space) {
        previous_ = {};
      } else if (!word_.text.empty()) {
        previous_ = word_;
      }
      word_ = {};
    }
    if (is_straight_quote(c.code)) inside_quotes_ = !inside_quotes_;
    last_ = c.code;
    cutter_.advance(c);
  }

  void take_until(std::size_t end) {
    while (cutter_.position() < end) take(cutter_.next());
  }

  void scan_mark() {
    const Ending ending = take_ending();
    const Character after = cutter_.next();
    const std::size_t begin = cutter_.skip_spaces(cutter_.position());
    const bool touches = begin == cutter_.position();
    if (touches && !may_touch(ending, after)) return;
    const Following next = following(begin);
    if (ends(ending, next) && !(ending.may_abbreviate() && holds_together(begin))) cut();
  }

  /// Take marks, and what closes after them, as often as they alternate: ?!).”
  Ending take_ending() {
    Ending ending{word_, previous_};
    const bool opened = text_class(last_) == TextClass::opening;
    word_ = {};
    for (Character c = cutter_.next(); is_mark(c); c = cutter_.next()) {
      ending.last = c.code;
      ++ending.marks;
      take(c);
      while (take_closing(ending)) {
      }
    }
    ending.in_brackets = opened && ending.closed_by == TextClass::closing;
    return ending;
  }

  bool take_closing(Ending& ending) {
    const std::size_t begin = cutter_.skip_spaces(cutter_.position());
    const Character c = cutter_.at(begin);
    const bool touches = begin == cutter_.position();
    if (touches && c.kind == TextClass::ignorable) {
      take(c);
      return true;
    }
    if (touches ? !closes(ending, c) : !closes_after_space(c, begin)) return take_reference();
    ending.closed_by = c.kind;
    take_until(begin + c.length);
    return true;
  }

  static bool closes(const Ending& ending, const Character& c) {
    if (c.kind == TextClass::closing) return true;
    return c.kind == TextClass::quote &&
           !(ends_without_space(ending.last) && opens_in_chinese(c.code));
  }

  /// As French sets quotes: « Oui. » The quote has no word after it, which it would open.
  bool closes_after_space(const Character& c, std::size_t position) const {
    if (c.kind == TextClass::closing) return true;
    const bool closing = c.code == 0xBB || c.code == 0x203A || c.code == 0x201D ||
                         c.code == 0x2019 || (is_straight_quote(c.code) && inside_quotes_);
    if (!closing) return false;
    const TextClass after = cutter_.at(position + c.length).kind;
    return after == TextClass::space || after == TextClass::separator ||
           after == TextClass::full_stop || after == TextClass::stop ||
           after == TextClass::continuation || after == TextClass::closing;
  }

  /// Of an encyclopedia: "word.[12] Next"
  bool take_reference() {
    std::size_t position = cutter_.position();
    if (cutter_.at(position++).code != '[') return false;
    std::size_t digits = 0;
    for (; digits < 4 && cutter_.at(position).kind == TextClass::digit; ++digits) {
      position += cutter_.at(position).length;
    }
    if (digits == 0 || cutter_.at(position).code != ']') return false;
    take_until(position + 1);
    return true;
  }

  /// Whether the sentence may end with no white space after it.
  static bool may_touch(const Ending& ending, const Character& after) {
    // Japanese goes on after a quotation with と or って.
    const bool quotes = ending.closed_by == TextClass::closing || ending.last != 0x3002;
    if (quotes && (after.code == 0x3068 || after.code == 0x3063)) return false;
    if (ending.last == 0xFF0E) return after.kind == TextClass::letter;
    if (ends_without_space(ending.last)) return true;
    return (ending.last == '!' || ending.last == '?') && after.kind == TextClass::letter &&
           after.code >= 0x2E80;  // Latin marks in Chinese and Japanese
  }

  /// Whether all spaces up to `begin` are no-break spaces, and there are some.
  bool holds_together(std::size_t begin) const {
    if (begin == cutter_.position()) return false;
    for (std::size_t i = cutter_.position(); i < begin; i += cutter_.at(i).length) {
      if (!is_no_break_space(cutter_.at(i).code)) return false;
    }
    return true;
  }

  Following following(std::size_t position) const {
    Following next;
    for (Character c = cutter_.at(position); c.kind != TextClass::separator;
         c = cutter_.at(position)) {
      if (is_alphanumeric(c.kind)) {
        read_word(next, position);
        return next;
      }
      if (c.kind == TextClass::full_stop || c.kind == TextClass::stop) {
        const std::size_t end = skip_dots(position);
        if (end == position || !is_alphanumeric(cutter_.at(end).kind)) return {c.kind, {}, {}, {}};
        position = end;  // "...and", ".NET"
        continue;
      }
      if (c.kind == TextClass::continuation && !is_dash(c.code)) return {c.kind, {}, {}, {}};
      next.inverted = next.inverted || c.code == 0xA1 || c.code == 0xBF;
      position += c.length;
    }
    return next;
  }

  std::size_t skip_dots(std::size_t position) const {
    for (Character c = cutter_.at(position); c.code == '.' || c.code == 0x2026;
         c = cutter_.at(position)) {
      position += c.length;
    }
    return position;
  }

  /// A word like "iPhone" counts as one in upper case.
  void read_word(Following& next, std::size_t begin) const {
    Character c = cutter_.at(begin);
    next.kind = c.kind;
    std::size_t end = begin + c.length;
    if (c.kind == TextClass::lower && cutter_.at(end).kind == TextClass::upper) {
      next.kind = TextClass::upper;
    }
    for (c = cutter_.at(end); end - begin < longest_word; c = cutter_.at(end)) {
      if (!is_alphanumeric(c.kind) && c.kind != TextClass::ignorable) break;
      end += c.length;
    }
    next.word = cutter_.text().substr(begin, end - begin);
    next.after = c.code;
  }

  static bool ends(const Ending& ending, const Following& next) {
    if (!is_alphanumeric(next.kind)) return false;
    if (next.inverted) return true;
    if (next.kind == TextClass::lower || ending.in_brackets) return false;
    if (!ending.may_abbreviate()) return true;
    if (ending.closed_by == TextClass::quote) {
      return full_stop_of(ending.word, ending.previous, next) != FullStop::never;
    }
    return full_stop_ends(ending.word, ending.previous, next);
  }

  SentenceCutter cutter_;
  Word word_;                   // that the next character may extend
  Word previous_;               // the word before, with nothing but spaces between
  char32_t last_ = ' ';         // the character before
  bool inside_quotes_ = false;  // straight quotes, counted since the line's beginning
};

}  // namespace eigenformer::inline v0::pipelines::detail
