// SPDX-License-Identifier: MIT
/// Text for HTML and SVG: whatever it is, it stays text, and the file stays valid.
#pragma once

#include <string>
#include <string_view>

#include "eigenformer/io/text.hpp"
#include "eigenformer/pipelines/text_class.hpp"

namespace eigenformer::inline v0::pipelines {

/// Whether HTML and XML may hold the character: tab and the end of a line, but no other control
/// characters, nor those that Unicode keeps for programs.
constexpr bool may_be_in_markup(char32_t code) {
  const bool space = code == U'\t' || code == U'\n';
  const bool control = !space && (code < 0x20 || (code >= 0x7F && code < 0xA0));
  const bool none = (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
  return !control && !none;
}

/// The text with U+FFFD for what is not UTF-8 or may not be in markup.
inline std::string displayable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = io::utf8_length(text);
    if (length == 0 || !may_be_in_markup(character_at(text, 0).code)) {
      out += io::replacement_character;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

/// Between two tags, or in an attribute's double quotes.
inline std::string markup_text(std::string_view text) {
  std::string out;
  for (const char character : displayable(text)) {
    switch (character) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += character;
    }
  }
  return out;
}

/// A JSON string that a script element can hold: nothing in it ends the element.
inline std::string script_text(std::string_view text) {
  std::string out;
  io::append_replacing(out, io::json_quoted(displayable(text)), "<", "\\u003c");
  return out;
}

}  // namespace eigenformer::inline v0::pipelines
