// SPDX-License-Identifier: MIT
/// Model files that are broken: a typed error or a tokenizer that works, never anything else.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/peak_memory.hpp"
#include "tokenizers/support.hpp"

namespace {

using namespace tokenizers_test;
using eigenformer::io::LoadLimits;

class MalformedSentencePieceTest : public testing::TestWithParam<io_test::Malformed> {};

TEST_P(MalformedSentencePieceTest, IsRefused) {
  const std::string path = data("malformed/spm/" + GetParam().file);
  expect_error(GetParam().code, GetParam().part, [&] { SentencePiece::load(path); });
  expect_error(GetParam().code, path + ": ", [&] { SentencePiece::load(path); });
  const std::string content = io_test::content_of(path);
  expect_error(GetParam().code, "tiny: ", [&] { parse(content); });
}

INSTANTIATE_TEST_SUITE_P(Files, MalformedSentencePieceTest,
                         testing::ValuesIn(io_test::malformed_files("spm")), io_test::test_name);

TEST(MalformedSentencePieceTable, IsComplete) { io_test::expect_complete_table("spm"); }

/// Loads a model that may be broken, and uses it if it loads. Whether it did.
bool loads_and_works(std::string_view content) {
  try {
    const SentencePiece tokenizer = parse(content);
    for (const std::string_view text :
         {"", "ab <x> AB\tA ABA", "\xC3\xA9\xFF\xE2\x96", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
      const Ids ids = tokenizer.encode_ids(text);
      tokenizer.decode(ids);
      const Texts parts = pieces(tokenizer, text);
      EXPECT_EQ(parts.size(), ids.size());
      const std::vector<std::string_view> views(parts.begin(), parts.end());
      tokenizer.decode(views);
    }
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::format || error.code() == ErrorCode::unsupported ||
                error.code() == ErrorCode::invalid_argument)
        << error.what();
    return false;
  }
}

TEST(BrokenSentencePieceTest, EveryTruncationIsRefusedOrWorks) {
  const std::string valid = content_of("tokenizers/valid.spm");
  ASSERT_TRUE(loads_and_works(valid));
  int worked = 0;
  for (std::size_t size = 0; size < valid.size(); ++size) {
    // A copy of that size, so that a sanitizer sees what is read behind it.
    worked += loads_and_works(std::string(valid.data(), size));
  }
  // Cut between two fields it is a shorter model; cut anywhere else it is none.
  EXPECT_GE(worked, 4);
  EXPECT_LE(worked, 10);
}

TEST(BrokenSentencePieceTest, EveryFlippedBitIsRefusedOrWorks) {
  const std::string valid = content_of("tokenizers/valid.spm");
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < valid.size() * 8; ++bit) {
    std::string broken = valid;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << bit % 8));
    refused += !loads_and_works(broken);
  }
  EXPECT_GT(refused, 500u);
}

TEST(BrokenSentencePieceTest, EveryByteSetToItsExtremesIsRefusedOrWorks) {
  const std::string valid = content_of("tokenizers/valid.spm");
  for (std::size_t i = 0; i < valid.size(); ++i) {
    for (const char byte : {'\0', '\x01', '\x7F', '\x80', '\xFF'}) {
      std::string broken = valid;
      broken[i] = byte;
      loads_and_works(broken);
    }
  }
}

TEST(SentencePieceLimitTest, HoldsEachOne) {
  const std::string content = unknown_piece() + piece("abc") + identity();
  LoadLimits limits;
  limits.vocabulary = 2;
  limits.piece_bytes = 5;
  limits.memory_bytes = content.size();
  limits.text_bytes = 8;
  const SentencePiece tokenizer = parse(content, limits);
  EXPECT_EQ(tokenizer.encode_ids("abcabc"), (Ids{1, 1}));
  expect_error(ErrorCode::invalid_argument,
               "a text of 9 bytes, the limit is 8 (LoadLimits::text_bytes)",
               [&] { tokenizer.encode_ids("abcabcabc"); });
  LoadLimits one = limits;
  one.vocabulary = 1;
  expect_error(ErrorCode::format, "tiny: 2 pieces, the limit is 1 (LoadLimits::vocabulary)",
               [&] { parse(content, one); });
  one = limits;
  one.piece_bytes = 4;
  expect_error(ErrorCode::format, "piece 0: a text of 5 bytes, the limit is 4",
               [&] { parse(content, one); });
  one = limits;
  one.memory_bytes = content.size() - 1;
  expect_error(ErrorCode::out_of_memory, "tiny: needs ", [&] { parse(content, one); });
}

// A rule may turn one byte into a megabyte, and a text is a million bytes.
TEST(SentencePieceLimitTest, BoundsTheNormalForm) {
  std::string rules = content_of("tokenizers/valid.spm");
  const std::size_t at = rules.find(std::string("a\0b\0", 4));
  ASSERT_NE(at, std::string::npos);
  // "A" becomes a text of 100,000 letters: the model is put together again around longer rules.
  std::string trie = rules.substr(at - 1024, 1024);
  std::string map = std::string("\0\4\0\0", 4) + trie + std::string(100'000, 'a') + '\0';
  // The value of the other rule is in range still, in the middle of the letters.
  const SentencePiece tokenizer = parse(unknown_piece() + piece("a") + field(3, field(2, map)));
  EXPECT_EQ(tokenizer.encode_ids("A").size(), 100'001u);
  expect_error(ErrorCode::invalid_argument, "4 times LoadLimits::text_bytes",
               [&] { tokenizer.encode_ids(std::string(1 << 20, 'A')); });
}

// Pieces of one byte each are the least bytes for the most entries; long ones the most nodes.
TEST(SentencePieceMemoryTest, StaysASmallMultipleOfTheFile) {
  if (!eigenformer::test::memory_is_counted()) GTEST_SKIP() << "memory is not counted";
  std::vector<std::string> files = {unknown_piece(), unknown_piece(), unknown_piece(),
                                    content_of("tokenizers/opus-mt-tc-big-fr-en/source.spm")};
  for (unsigned i = 0; i < 120'000; ++i) {
    const std::string text = {static_cast<char>(i % 250 + 1), static_cast<char>(i / 250 % 250 + 1),
                              static_cast<char>(i / 62'500 + 1)};
    files[0] += field(1, field(1, text));
  }
  std::string letters;
  for (unsigned i = 0; i < 300; ++i) {
    letters.assign(3000, static_cast<char>(i % 250 + 1));
    letters += std::to_string(i);
    files[1] += field(1, field(1, letters));
  }
  for (unsigned i = 1; i < 1200; ++i) files[2] += field(1, field(1, std::string(i, 'a')));
  for (const std::string& file : files) {
    const std::size_t peak = eigenformer::test::peak_memory([&] { parse(file); });
    EXPECT_LT(peak, file.size() * 16) << file.size();
    EXPECT_GT(peak, file.size());
  }
}

}  // namespace
