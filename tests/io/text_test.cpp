// SPDX-License-Identifier: MIT
#include "eigenformer/io/text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

using namespace std::string_view_literals;
using eigenformer::io::excerpt;
using eigenformer::io::is_utf8;
using eigenformer::io::json_quoted;
using eigenformer::io::utf8_length;

TEST(Utf8, AcceptsTheFirstAndLastOfEachLength) {
  EXPECT_EQ(utf8_length("\0"sv), 1u);
  EXPECT_EQ(utf8_length("\x7F"), 1u);
  EXPECT_EQ(utf8_length("\xC2\x80"), 2u);          // U+0080
  EXPECT_EQ(utf8_length("\xDF\xBF"), 2u);          // U+07FF
  EXPECT_EQ(utf8_length("\xE0\xA0\x80"), 3u);      // U+0800
  EXPECT_EQ(utf8_length("\xED\x9F\xBF"), 3u);      // U+D7FF
  EXPECT_EQ(utf8_length("\xEE\x80\x80"), 3u);      // U+E000
  EXPECT_EQ(utf8_length("\xEF\xBF\xBF"), 3u);      // U+FFFF
  EXPECT_EQ(utf8_length("\xF0\x90\x80\x80"), 4u);  // U+10000
  EXPECT_EQ(utf8_length("\xF4\x8F\xBF\xBF"), 4u);  // U+10FFFF
}

TEST(Utf8, RefusesTheirNeighbours) {
  for (const std::string_view text :
       {"", "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x7F", "\xC2\xC0", "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82", "\xE2\x82\x7F", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF0\x90\x80", "\xF0\x90\x80\xC0", "\xFF"}) {
    EXPECT_EQ(utf8_length(text), 0u) << json_quoted(text);
  }
}

// Encode each code point by the rule of the standard, and read it back.
TEST(Utf8, KnowsEveryCodePoint) {
  for (unsigned point = 0; point <= 0x10FFFF; ++point) {
    std::string text;
    const auto append = [&](unsigned byte) { text += static_cast<char>(byte); };
    if (point < 0x80) {
      append(point);
    } else if (point < 0x800) {
      append(0xC0 | point >> 6);
      append(0x80 | (point & 63));
    } else if (point < 0x10000) {
      append(0xE0 | point >> 12);
      append(0x80 | (point >> 6 & 63));
      append(0x80 | (point & 63));
    } else {
      append(0xF0 | point >> 18);
      append(0x80 | (point >> 12 & 63));
      append(0x80 | (point >> 6 & 63));
      append(0x80 | (point & 63));
    }
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    ASSERT_EQ(utf8_length(text), surrogate ? 0u : text.size()) << point;
  }
}

TEST(Utf8, JudgesWholeTexts) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("h\xC3\xA9llo\0\xF0\x9F\x98\x80"sv));
  EXPECT_FALSE(is_utf8("h\xC3\xA9llo\xC3"));
}

TEST(JsonQuoted, EscapesWhatJsonMust) {
  EXPECT_EQ(json_quoted(""), R"("")");
  EXPECT_EQ(json_quoted("a/b c"), R"("a/b c")");
  EXPECT_EQ(json_quoted("say \"x\\y\""), R"("say \"x\\y\"")");
  EXPECT_EQ(json_quoted("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(json_quoted("\0\x01\x1F\x7F"sv), R"("\u0000\u0001\u001f\u007f")");
  EXPECT_EQ(json_quoted("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"");
}

TEST(JsonQuoted, IsUtf8WhateverItGets) {
  EXPECT_EQ(json_quoted("a\xFF\x62"), "\"a\xEF\xBF\xBD\x62\"");
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      ASSERT_TRUE(is_utf8(json_quoted(text))) << first << ' ' << second;
    }
  }
}

TEST(Excerpt, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(excerpt("abc", 3), "\"abc\"");
  EXPECT_EQ(excerpt("abcd", 3), "\"abc\"...");
  EXPECT_EQ(excerpt("ab\xC3\xA9z", 3), "\"ab\"...");
  EXPECT_EQ(excerpt("ab\xC3\xA9z", 4), "\"ab\xC3\xA9\"...");
  EXPECT_EQ(excerpt("\xF0\x9F\x98\x80z", 3), "\"\"...");
  EXPECT_LT(excerpt(std::string(1 << 20, '\x80')).size(), 400u);
}

}  // namespace
