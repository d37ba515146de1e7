// SPDX-License-Identifier: MIT
/// Bytes that should be UTF-8 but need not be: repaired, or handed out by whole characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::pipelines {

/// UTF-8, and how often U+FFFD had to stand for bytes that were not.
struct RepairedText {
  std::string text;
  std::size_t replaced = 0;
};

namespace detail {

/// Bytes at the beginning of a text, none of which begins a character, that one U+FFFD replaces:
/// the longest that could have begun a character, or else one byte ("substitution of maximal
/// subparts", Unicode 15, section 3.9). The text is not empty.
constexpr std::size_t maximal_subpart(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0xE0 || lead > 0xF4 || text.size() < 2) return 1;
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most) return 1;
  const bool third = lead >= 0xF0 && text.size() > 2 && byte(2) >= 0x80 && byte(2) <= 0xBF;
  return third ? 3 : 2;
}

/// Bytes at the beginning that are whole characters.
constexpr std::size_t valid_prefix(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t length = io::utf8_length(text.substr(end));
    if (length == 0) break;
    end += length;
  }
  return end;
}

/// Whether more bytes could make the text's beginning a character. The text is not empty, and no
/// character begins it.
constexpr bool is_cut_short(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  return lead >= 0xC2 && lead <= 0xF4 && maximal_subpart(text) == text.size();
}

/// Append the text to repaired.
inline void append_repaired(RepairedText& repaired, std::string_view text) {
  while (!text.empty()) {
    const std::size_t valid = valid_prefix(text);
    repaired.text += text.substr(0, valid);
    text.remove_prefix(valid);
    if (text.empty()) return;
    repaired.text += io::replacement_character;
    ++repaired.replaced;
    text.remove_prefix(maximal_subpart(text));
  }
}

}  // namespace detail

/// The text with U+FFFD for every maximal part that is not UTF-8, as browsers and Python decode.
inline RepairedText repair_utf8(std::string_view text) {
  RepairedText repaired;
  repaired.text.reserve(text.size());
  detail::append_repaired(repaired, text);
  return repaired;
}

/// The same of a string that its owner gives away: a valid one is not copied.
inline RepairedText repair_utf8(std::string&& text) {
  if (io::is_utf8(text)) return {std::move(text), 0};
  return repair_utf8(std::string_view(text));
}

inline RepairedText repair_utf8(const char* text) { return repair_utf8(std::string_view(text)); }

/// Text that arrives in pieces of bytes, as tokens do, and leaves in whole characters. All that
/// leaves is together what repair_utf8 makes of all that arrived, wherever it was cut.
class Utf8Stream {
 public:
  /// Add bytes. Returns what they complete, bad parts replaced; an unfinished character, up to 3
  /// bytes, waits for the rest.
  std::string add(std::string_view bytes) {
    waiting_ += bytes;
    std::size_t whole = waiting_.size();
    for (std::size_t tail = 1; tail <= 3 && tail <= waiting_.size(); ++tail) {
      const std::string_view end = std::string_view(waiting_).substr(waiting_.size() - tail);
      if (io::utf8_length(end) == 0 && detail::is_cut_short(end)) whole = waiting_.size() - tail;
    }
    return release(whole);
  }

  /// End the text: returns U+FFFD for a character that stayed unfinished, or nothing. The stream
  /// is ready for another text; replaced() goes on counting.
  std::string finish() { return release(waiting_.size()); }

  /// How many U+FFFD stand for bytes that were not UTF-8, so far.
  std::size_t replaced() const { return replaced_; }

 private:
  std::string release(std::size_t bytes) {
    RepairedText repaired = repair_utf8(std::string_view(waiting_).substr(0, bytes));
    waiting_.erase(0, bytes);
    replaced_ += repaired.replaced;
    return std::move(repaired.text);
  }

  std::string waiting_;
  std::size_t replaced_ = 0;
};

}  // namespace eigenformer::inline v0::pipelines
