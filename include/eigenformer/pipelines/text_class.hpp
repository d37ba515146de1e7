// SPDX-License-Identifier: MIT
/// Classes of characters for finding sentences: those of UAX #29, without a locale.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "eigenformer/io/text.hpp"
#include "eigenformer/pipelines/text_class_table.hpp"

namespace eigenformer::inline v0::pipelines {

/// In the order of tools/make_unicode_tables.py.
enum class TextClass : std::uint8_t {
  other,
  separator,  ///< ends a line or a paragraph
  space,      ///< other white space, no-break spaces too
  ignorable,  ///< combining marks, joiners, marks of direction
  lower,
  upper,   ///< title case too
  letter,  ///< of a script without case
  digit,
  full_stop,     ///< ends a sentence or an abbreviation
  stop,          ///< ends a sentence: ! ? … 。 ؟ ।
  continuation,  ///< comma, colon, semicolon, dashes
  opening,       ///< bracket
  closing,       ///< bracket
  quote,         ///< in any direction, straight ones and apostrophes too
};

/// A character of a text. Of bytes that are not UTF-8 each is U+FFFD.
struct Character {
  char32_t code = 0;
  TextClass kind = TextClass::other;
  std::size_t length = 0;  ///< bytes, 1 to 4
};

namespace detail {

/// The class of a code point, up to U+10FFFF, from the table.
constexpr TextClass find_text_class(char32_t code) {
  constexpr std::uint32_t upper_if_even = 14;  // and 15 is upper_if_odd
  const auto after = std::upper_bound(std::begin(text_class_table), std::end(text_class_table),
                                      std::uint32_t{code} << 4 | 15);
  const std::uint32_t kind = *std::prev(after) & 15;
  if (kind < upper_if_even) return static_cast<TextClass>(kind);
  return code % 2 == kind - upper_if_even ? TextClass::upper : TextClass::lower;
}

inline constexpr auto ascii_text_classes = [] {
  std::array<TextClass, 128> classes{};
  for (char32_t code = 0; code < 128; ++code) classes[code] = find_text_class(code);
  return classes;
}();

/// The code point of a character of `length` bytes.
constexpr char32_t decode_utf8(std::string_view character, std::size_t length) {
  const auto lead = static_cast<unsigned char>(character.front());
  char32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    code = code << 6 | (static_cast<unsigned char>(character[i]) & 0x3Fu);
  }
  return code;
}

}  // namespace detail

/// The class of a code point, up to U+10FFFF.
constexpr TextClass text_class(char32_t code) {
  return code < 128 ? detail::ascii_text_classes[code] : detail::find_text_class(code);
}

/// The character that begins at a position before the text's end.
constexpr Character character_at(std::string_view text, std::size_t position) {
  const std::string_view rest = text.substr(position);
  const std::size_t length = io::utf8_length(rest);
  if (length == 0) return {0xFFFD, TextClass::other, 1};
  const char32_t code = detail::decode_utf8(rest, length);
  return {code, text_class(code), length};
}

/// Whether a word may hold the character (marks only after a letter).
constexpr bool is_alphanumeric(TextClass kind) {
  return kind == TextClass::lower || kind == TextClass::upper || kind == TextClass::letter ||
         kind == TextClass::digit;
}

constexpr bool is_no_break_space(char32_t code) {
  return code == 0xA0 || code == 0x2007 || code == 0x202F;
}

constexpr bool is_dash(char32_t code) { return code == '-' || (code >= 0x2012 && code <= 0x2015); }

}  // namespace eigenformer::inline v0::pipelines
