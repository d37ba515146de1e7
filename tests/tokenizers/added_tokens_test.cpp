// SPDX-License-Identifier: MIT
#include "eigenformer/tokenizers/added_tokens.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

using eigenformer::AddedToken;
using eigenformer::AddedTokens;

/// The parts of a text, tokens in brackets.
std::string split(const AddedTokens& tokens, std::string_view text) {
  std::string out;
  tokens.split(
      text, [&](std::string_view part) { out += std::string(part) + "|"; },
      [&](const AddedToken& token) { out += "[" + std::to_string(token.id) + "]|"; });
  return out;
}

TEST(AddedTokensTest, CutTheLeftmostAndLongest) {
  const AddedTokens tokens({{"</s>", 0, true}, {"<a>", 7, false}, {"<a><b>", 8, false}});
  EXPECT_EQ(split(tokens, ""), "");
  EXPECT_EQ(split(tokens, "text"), "text|");
  EXPECT_EQ(split(tokens, "x</s>y"), "x|[0]|y|");
  EXPECT_EQ(split(tokens, "</s></s>"), "[0]|[0]|");
  EXPECT_EQ(split(tokens, "<a><b><a><"), "[8]|[7]|<|");
  EXPECT_EQ(split(tokens, "<</s"), "<</s|");
  EXPECT_EQ(split(AddedTokens(), "<a>"), "<a>|");
}

TEST(AddedTokensTest, AreFoundByTextAndId) {
  const AddedTokens tokens({{"</s>", 5, true}, {"<a>", 7, false}});
  EXPECT_EQ(tokens.find("<a>")->id, 7);
  EXPECT_TRUE(tokens.find(5)->special);
  EXPECT_EQ(tokens.find("<b>"), nullptr);
  EXPECT_EQ(tokens.find(6), nullptr);
  EXPECT_EQ(AddedTokens().find(0), nullptr);
}

TEST(AddedTokensTest, LetTheLastOfTwinsCount) {
  const AddedTokens tokens({{"<a>", 1, true}, {"<b>", 1, false}, {"<a>", 3, false}});
  EXPECT_EQ(tokens.find("<a>")->id, 3);
  EXPECT_EQ(tokens.find(1)->text, "<b>");
  EXPECT_EQ(split(tokens, "<a>"), "[3]|");
}

}  // namespace
