// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/word_alignment.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

const Piece cat[] = {
    {"▁ch", true, false}, {"at", false, false}, {"▁dort", true, false}, {"</s>", false, true}};

TEST(WordAlignment, JoinsPiecesToWords) {
  const auto words = words_of(cat);
  ASSERT_EQ(words.size(), 3u);
  EXPECT_EQ(words[0].text, "chat");
  EXPECT_EQ(words[0].first, 0);
  EXPECT_EQ(words[0].count, 2);
  EXPECT_FALSE(words[1].special);
  EXPECT_EQ(words[2].text, "</s>");
  EXPECT_EQ(words[2].first, 3);
  EXPECT_TRUE(words[2].special);
  EXPECT_TRUE(words_of({}).empty());
}

TEST(WordAlignment, ASpecialTokenIsAWordByItself) {
  const Piece pieces[] = {{"</s>", false, true}, {"a", false, false}, {"b", false, false}};
  const auto words = words_of(pieces);
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[1].text, "ab");
}

Matrix<double> weights() {
  Matrix<double> out(3, 4);
  const double rows[3][4] = {{0.1, 0.2, 0.3, 0.4}, {0.25, 0.25, 0.5, 0}, {0, 0, 0, 1}};
  for (Index r = 0; r < 3; ++r) {
    for (Index c = 0; c < 4; ++c) out(r, c) = rows[r][c];
  }
  return out;
}

TEST(WordAlignment, AddsWhatWordsGetAndAveragesWhatTheyGive) {
  const Piece target[] = {{"▁c", true, false}, {"at", false, false}, {"</s>", false, true}};
  const Matrix<double> of_words = weights_of_words(weights(), words_of(target), words_of(cat));
  ASSERT_EQ(of_words.rows(), 2);
  ASSERT_EQ(of_words.cols(), 3);
  EXPECT_DOUBLE_EQ(of_words(0, 0), (0.1 + 0.2 + 0.25 + 0.25) / 2);
  EXPECT_DOUBLE_EQ(of_words(0, 1), (0.3 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(of_words(0, 2), 0.2);
  EXPECT_DOUBLE_EQ(of_words(1, 2), 1);
}

TEST(WordAlignment, TakesTheBestWordThatIsNotSpecial) {
  const Piece target[] = {{"▁a", true, false}, {"▁b", true, false}, {"▁c", true, false}};
  const auto pairs = align_words(weights(), words_of(cat), words_of(target));
  // 0.3 and 0.3, 0.5 and 0.5: the first of equals; </s> has most of the others' weight.
  EXPECT_EQ(pairs, (std::vector<AlignedWords>{{0, 0}, {0, 1}, {0, 2}}));
}

TEST(WordAlignment, OfNothingIsNothing) {
  const Piece end[] = {{"</s>", false, true}};
  EXPECT_TRUE(align_words(Matrix<double>(1, 1), words_of(end), words_of(end)).empty());
}

}  // namespace
}  // namespace eigenformer::test
