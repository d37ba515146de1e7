// SPDX-License-Identifier: MIT
/// Text for JSON and for error messages. Bytes from a file never reach a message raw: a name may
/// hold control characters, half a character, or sixteen megabytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0::io {

/// U+FFFD, which stands for what is not UTF-8.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// Whether the byte is one of a character in UTF-8, and not its first.
constexpr bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// Bytes of the UTF-8 sequence that text begins with, 1 to 4, or 0 where it begins with none (RFC
/// 3629: no overlong form, no surrogate, nothing above U+10FFFF).
constexpr std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  // The second byte's range excludes what the lead byte alone cannot.
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

/// Whether the whole text is UTF-8.
constexpr bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

namespace detail {

inline void append_escaped(std::string& out, char character) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (character) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto code = static_cast<unsigned char>(character);
  if (code >= 0x20 && code != 0x7F) {
    out += character;
    return;
  }
  out += "\\u00";
  out += hex[code >> 4];
  out += hex[code & 15];
}

}  // namespace detail

/// The text as a JSON string, quotes included. A byte that is not UTF-8 becomes U+FFFD, so that the
/// result is JSON for any input; who must not lose bytes asks is_utf8 first.
inline std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  out.reserve(text.size() + 2);
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += replacement_character;
    } else if (length == 1) {
      detail::append_escaped(out, text.front());
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out += '"';
}

/// Appends the text, with `to` for every `from`, which is not empty.
inline void append_replacing(std::string& out, std::string_view text, std::string_view from,
                             std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
    out += text.substr(0, at);
    out += to;
    text.remove_prefix(at + from.size());
  }
  out += text;
}

/// The text for an error message: as json_quoted writes it, and of a long text only about the first
/// `bytes`, whole characters, with dots after it.
inline std::string excerpt(std::string_view text, std::size_t bytes = 96) {
  if (text.size() <= bytes) return json_quoted(text);
  std::size_t end = bytes;
  // Back to the start of a character, but no further than a character is long.
  while (end > 0 && bytes - end < 3 && continues_character(text[end])) {
    --end;
  }
  return json_quoted(text.substr(0, end)) + "...";
}

}  // namespace eigenformer::inline v0::io
