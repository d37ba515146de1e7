// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/utf8_repair.hpp"

#include <gtest/gtest.h>

#include <string>

#include "eigenformer/core/random.hpp"

namespace eigenformer::test {
namespace {

using pipelines::repair_utf8;

// What Python's bytes.decode("utf-8", "replace") gives.
TEST(Utf8Repair, ReplacesEachMaximalPart) {
  const struct {
    std::string_view bytes, text;
    std::size_t replaced;
  } cases[] = {{"", "", 0},
               {"aé中😀", "aé中😀", 0},
               {"\xFF", "\uFFFD", 1},
               {"a\x80z", "a\uFFFDz", 1},
               {"\xC0\xAF", "\uFFFD\uFFFD", 2},
               {"\xE4\xB8", "\uFFFD", 1},
               {"\xE4\xB8z", "\uFFFDz", 1},
               {"\xF0\x9F\x98", "\uFFFD", 1},
               {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD", 3},
               {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", 4},
               {"\xE0\x80\x80", "\uFFFD\uFFFD\uFFFD", 3}};
  for (const auto& one : cases) {
    const pipelines::RepairedText repaired = repair_utf8(one.bytes);
    EXPECT_EQ(repaired.text, one.text);
    EXPECT_EQ(repaired.replaced, one.replaced);
  }
}

std::string random_bytes(std::uint64_t seed) {
  constexpr std::string_view likely = "az\x80\xBF\xC2\xC3\xE0\xE4\xED\xF0\xF4\xF5\x90\xA0\x9F\xFF";
  RandomStream stream(seed, 0, 0);
  std::string bytes;
  for (int i = 0; i < 40; ++i) bytes += likely[stream.bits() % likely.size()];
  return bytes;
}

TEST(Utf8Repair, IsUtf8AfterwardsAndStaysTheSame) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const pipelines::RepairedText repaired = repair_utf8(random_bytes(seed));
    ASSERT_TRUE(io::is_utf8(repaired.text)) << seed;
    ASSERT_EQ(repair_utf8(std::string_view(repaired.text)).replaced, 0u) << seed;
  }
}

TEST(Utf8Stream, GivesWholeCharactersAndTheSameTextInAnyPieces) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::string bytes = random_bytes(seed);
    if (seed % 2 == 0) bytes = "é中😀" + bytes + "中é😀";
    const pipelines::RepairedText whole = repair_utf8(std::string_view(bytes));
    RandomStream stream(seed, 1, 0);
    pipelines::Utf8Stream pieces;
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t length = 1 + stream.bits() % 5;
      const std::string piece = pieces.add(std::string_view(bytes).substr(at, length));
      ASSERT_TRUE(io::is_utf8(piece)) << seed;
      text += piece;
      at += length;
    }
    text += pieces.finish();
    ASSERT_EQ(text, whole.text) << seed;
    ASSERT_EQ(pieces.replaced(), whole.replaced) << seed;
  }
}

}  // namespace
}  // namespace eigenformer::test
