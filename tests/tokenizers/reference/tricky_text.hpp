// SPDX-License-Identifier: MIT
/// Random strings of what breaks tokenizers: the same ones for the same seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace tokenizers_test {

/// One string after the other.
class TrickyText {
 public:
  explicit TrickyText(std::uint32_t seed) : random_(seed) {}

  /// 0 to 40 parts: words, single characters of all planes, raw bytes.
  std::string next() {
    std::string out;
    for (std::uint32_t parts = below(41); parts > 0; --parts) {
      const std::uint32_t kind = below(20);
      if (kind < 13) {
        out += part();
      } else if (kind < 19) {
        append(character(), out);
      } else {
        out += static_cast<char>(below(256));
      }
    }
    return out;
  }

 private:
  std::uint32_t below(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }

  std::string_view part() {
    using namespace std::string_view_literals;
    static constexpr std::string_view parts[] = {" "sv,
                                                 "  "sv,
                                                 "\t"sv,
                                                 "\n"sv,
                                                 "\0"sv,
                                                 "\u00A0"sv,
                                                 "\u3000"sv,
                                                 "\u200B"sv,
                                                 "\u2028"sv,
                                                 "\u2581"sv,
                                                 "\u2581\u2581"sv,
                                                 " \u2581"sv,
                                                 "e\u0301"sv,
                                                 "a\u0300\u0323"sv,
                                                 "\u0301"sv,
                                                 "\u1E9B\u0323"sv,
                                                 "\uFB01"sv,
                                                 "\u00BD"sv,
                                                 "\u2122"sv,
                                                 "\u32C0"sv,
                                                 "\uFDFA"sv,
                                                 "\uFF76\uFF9E"sv,
                                                 "\uFF8A\uFF9F"sv,
                                                 "\uFF76"sv,
                                                 "\uFF41"sv,
                                                 "\uFFE5"sv,
                                                 "\u1100\u1161\u11A8"sv,
                                                 "\uAC00"sv,
                                                 "\u65E5\u672C"sv,
                                                 "\u4E2D"sv,
                                                 "\u0645\u0631\u062D\u0628\u0627"sv,
                                                 "\u0BCA"sv,
                                                 "\U0001F469\u200D\U0001F469\u200D\U0001F467"sv,
                                                 "\U0001F600"sv,
                                                 "\U0001F3FD"sv,
                                                 "\uFE0F"sv,
                                                 "\U0001D400"sv,
                                                 "\U0002F800"sv,
                                                 "\U000E0001"sv,
                                                 "\U0010FFFF"sv,
                                                 "\uFFFD"sv,
                                                 "\uFEFF"sv,
                                                 "\xED\xA0\x80"sv,
                                                 "\xED\xB0\x80"sv,
                                                 "\xC0\x80"sv,
                                                 "\xE2\x96"sv,
                                                 "\xF0\x9F\x98"sv,
                                                 "\xFF"sv,
                                                 "\xF4\x90\x80\x80"sv,
                                                 "\x80"sv,
                                                 "the"sv,
                                                 " the"sv,
                                                 "ing"sv,
                                                 "Hello"sv,
                                                 " world"sv,
                                                 "tion"sv,
                                                 "'s"sv,
                                                 "..."sv,
                                                 "2024"sv,
                                                 "\u00E9t\u00E9"sv,
                                                 " l'"sv,
                                                 "\u00C9"sv,
                                                 "\u0153"sv,
                                                 "<unk>"sv,
                                                 "<s>"sv,
                                                 "</s>"sv,
                                                 "<0x41>"sv,
                                                 "\x01"sv,
                                                 "\x7F"sv,
                                                 "\u0085"sv,
                                                 "A"sv,
                                                 "b"sv,
                                                 "z"sv,
                                                 "!?"sv};
    return parts[below(static_cast<std::uint32_t>(std::size(parts)))];
  }

  std::uint32_t character() {
    switch (below(6)) {
      case 0: return below(0x80);
      case 1: return below(0x800);
      case 2: return 0x300 + below(0x70);
      case 3: return 0x3000 + below(0xD000);  // CJK to Hangul, surrogates and forms
      case 4: return below(0x10000);
      default: return below(0x110000);
    }
  }

  /// As UTF-8 would have it, also for surrogates, which UTF-8 refuses.
  static void append(std::uint32_t code, std::string& out) {
    if (code < 0x80) {
      out += static_cast<char>(code);
      return;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr unsigned leads[] = {0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(leads[more] | code >> (6 * more));
    for (int i = more; i-- > 0;) out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
  }

  std::mt19937 random_;
};

}  // namespace tokenizers_test
