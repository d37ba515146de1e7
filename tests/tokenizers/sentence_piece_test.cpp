// SPDX-License-Identifier: MIT
#include "eigenformer/tokenizers/sentence_piece.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tokenizers/support.hpp"

namespace {

using namespace std::string_literals;
using namespace tokenizers_test;

// Four pieces whose sums can be done by hand.
SentencePiece tiny() {
  return parse(unknown_piece() + piece("a", -1) + piece("b", -2) + piece("ab", -2.5f) + identity());
}

TEST(SentencePieceTest, TakesTheGreatestSum) {
  EXPECT_EQ(tiny().encode_ids("ab"), Ids{3});
  EXPECT_EQ(tiny().encode_ids("aba"), (Ids{3, 1}));
  EXPECT_EQ(tiny().encode_ids(""), Ids{});
}

TEST(SentencePieceTest, KnowsItsPieces) {
  const SentencePiece tokenizer = tiny();
  EXPECT_EQ(tokenizer.size(), 4);
  EXPECT_EQ(tokenizer.piece(3), "ab");
  EXPECT_EQ(tokenizer.kind(0), PieceKind::unknown);
  EXPECT_EQ(tokenizer.kind(1), PieceKind::normal);
  EXPECT_EQ(tokenizer.find("b"), 2);
  EXPECT_EQ(tokenizer.find("<unk>"), 0);
  EXPECT_EQ(tokenizer.find("ba"), 0);
  EXPECT_EQ(tokenizer.find(""), 0);
  EXPECT_EQ(tokenizer.unknown(), 0);
  EXPECT_EQ(tokenizer.end(), eigenformer::no_piece);
}

TEST(SentencePieceTest, RefusesIdsThatItDoesNotHave) {
  const SentencePiece tokenizer = tiny();
  for (const TokenId id : {-1, 4, 1 << 30}) {
    const std::string part = "tiny: piece " + std::to_string(id) + ", expected 0 to 3";
    expect_error(ErrorCode::out_of_range, part, [&] { tokenizer.piece(id); });
    expect_error(ErrorCode::out_of_range, part, [&] { tokenizer.kind(id); });
    expect_error(ErrorCode::out_of_range, part, [&] { tokenizer.decode(Ids{1, id}); });
  }
}

TEST(SentencePieceTest, JoinsUnknownCharactersInARow) {
  const auto parts = tiny().encode(
      "a\u65E5\u672C\xFF"
      "bxa");
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[1].text, "\u65E5\u672C\uFFFD");
  EXPECT_EQ(parts[1].id, 0);
  EXPECT_EQ(parts[2].text, "b");
  EXPECT_EQ(parts[3].text, "x");
}

TEST(SentencePieceTest, DecodesIdsAndTexts) {
  EXPECT_EQ(tiny().decode(Ids{3, 0, 1}), "ab \u2047 a");
  const std::vector<std::string_view> parts = {"ab", "\u65E5", "a", "<unk>"};
  EXPECT_EQ(tiny().decode(parts), "ab\u65E5a \u2047 ");
}

// Published models have such pieces; the original of 0.2.3 refuses them.
TEST(SentencePieceTest, TakesPiecesWithNulBytes) {
  const SentencePiece tokenizer =
      parse(unknown_piece() + piece("a\0b"s, -1) + piece("\0"s, -1) + piece("a") + identity());
  EXPECT_EQ(tokenizer.encode_ids("a\0ba\0"s), (Ids{1, 3, 2}));
  EXPECT_EQ(tokenizer.decode(Ids{1, 2}), "a\0b\0"s);
  EXPECT_EQ(tokenizer.find("a\0b"s), 1);
}

TEST(SentencePieceTest, SkipsWhatTheFormatMayAddLater) {
  const std::string later = field(200, "x") + field(201, std::uint64_t{7}) + field(202, 1.5f) +
                            varint(203 << 3 | 1) + "8 bytes.";
  const SentencePiece tokenizer =
      parse(later + field(1, field(1, "<unk>") + field(3, std::uint64_t{2}) + later) +
            piece("a", -1) + trainer(later) + identity() + later);
  EXPECT_EQ(tokenizer.encode_ids("aa"), (Ids{1, 1}));
}

// Fields may come in any order and again: the last number counts, messages are merged.
TEST(SentencePieceTest, ReadsFieldsAsProtocolBuffersDo) {
  const SentencePiece tokenizer = parse(
      trainer(field(3, std::uint64_t{2})) + identity() + field(3, field(3, std::uint64_t{1})) +
      field(1, field(3, std::uint64_t{3}) + field(1, "x") + field(1, "<unk>") +
                   field(3, std::uint64_t{2})) +
      piece("a") + piece("\u2581") + trainer(field(3, std::uint64_t{1})));
  EXPECT_EQ(tokenizer.kind(0), PieceKind::unknown);
  EXPECT_EQ(pieces(tokenizer, "a"), (Texts{" ", "a"}));
}

// 32 bits of a varint count, as protocol buffers have it.
TEST(SentencePieceTest, ReadsTheLowBitsOfEnumerations) {
  const std::uint64_t high = std::uint64_t{1} << 32;
  const SentencePiece tokenizer = parse(field(1, field(1, "<unk>") + field(3, high | 2)) +
                                        piece("a") + trainer(field(3, high | 1)));
  EXPECT_EQ(tokenizer.kind(0), PieceKind::unknown);
}

TEST(SentencePieceTest, OutlivesWhatItWasMadeFrom) {
  std::optional<SentencePiece> first = model("sentencepiece/test_model.model");
  const SentencePiece copy = *first;
  const std::string_view text = copy.piece(10);
  const std::string before(text);
  first.reset();
  EXPECT_EQ(text, before);
  EXPECT_EQ(pieces(copy, "Hello world"), (Texts{"\u2581He", "ll", "o", "\u2581world"}));
}

TEST(SentencePieceTest, ReportsFilesThatAreNotThere) {
  expect_error(ErrorCode::io, "/no/such.spm: cannot open",
               [] { SentencePiece::load("/no/such.spm"); });
}

// Texts are added up in floats, which must not run out of digits.
TEST(SentencePieceTest, PrefersTheSamePiecesAtTheEndOfALongText) {
  const SentencePiece tokenizer = model("sentencepiece/test_model.model");
  const Ids alone = tokenizer.encode_ids("spiffing crockery");
  std::string text = "spiffing crockery";
  Ids expected = alone;
  while (text.size() < 500'000) {
    text += " spiffing crockery";
    expected.insert(expected.end(), alone.begin(), alone.end());
  }
  EXPECT_EQ(tokenizer.encode_ids(text), expected);
}

TEST(SentencePieceThreadsTest, AreIndependent) {
  const SentencePiece tokenizer = model("phi-3/phi-3.spm");
  const Texts inputs = lines("testsets/fr-en/tatoeba-dev.fr");
  std::vector<Ids> expected;
  for (const std::string& text : inputs) expected.push_back(tokenizer.encode_ids(text));
  std::vector<std::thread> threads;
  std::vector<std::vector<Ids>> got(3);
  for (std::vector<Ids>& out : got) {
    threads.emplace_back([&] {
      for (const std::string& text : inputs) out.push_back(tokenizer.encode_ids(text));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<Ids>& out : got) EXPECT_EQ(out, expected);
}

}  // namespace
