// SPDX-License-Identifier: MIT
#include "eigenformer/tokenizers/piece_trie.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_literals;
using eigenformer::PieceTrie;

PieceTrie trie_of(const std::map<std::string, int>& texts) {
  std::vector<PieceTrie::Entry> entries;
  for (const auto& [text, value] : texts) entries.push_back({text, value});
  PieceTrie::sort(entries);
  return PieceTrie(entries);
}

TEST(PieceTrieTest, FindsTextsAndTheirPrefixes) {
  const PieceTrie trie = trie_of({{"a", 0}, {"ab", 1}, {"abcd", 2}, {"b\0"s, 3}, {"\xFF", 4}});
  EXPECT_EQ(trie.find("ab"), 1);
  EXPECT_EQ(trie.find("abc"), PieceTrie::none);
  EXPECT_EQ(trie.find("b\0"s), 3);
  EXPECT_EQ(trie.find("b"), PieceTrie::none);
  EXPECT_EQ(trie.find(""), PieceTrie::none);
  EXPECT_EQ(trie.find("\xFF"), 4);
  EXPECT_EQ(trie.longest_prefix("abcabcd"), 2u);
  EXPECT_EQ(trie.longest_prefix("abcdabcd"), 4u);
  EXPECT_EQ(trie.longest_prefix("xa"), 0u);
  EXPECT_EQ(trie.longest_prefix(""), 0u);
  EXPECT_TRUE(trie.has_first('b'));
  EXPECT_FALSE(trie.has_first('c'));
}

TEST(PieceTrieTest, IsEmptyWithoutTexts) {
  for (const PieceTrie& trie : {PieceTrie(), trie_of({})}) {
    EXPECT_TRUE(trie.empty());
    EXPECT_EQ(trie.find("a"), PieceTrie::none);
    EXPECT_EQ(trie.longest_prefix("a"), 0u);
  }
  EXPECT_FALSE(trie_of({{"a", 0}}).empty());
}

// Every node with any number of children, up to all 256.
TEST(PieceTrieTest, AgreesWithAMapOnRandomTexts) {
  std::mt19937 random(1);
  for (const unsigned letters : {2u, 5u, 256u}) {
    std::map<std::string, int> texts;
    const auto draw = [&] {
      std::string text;
      for (auto left = random() % 7 + 1; left > 0; --left) {
        text += static_cast<char>(random() % letters);
      }
      return text;
    };
    for (int i = 0; i < 3000; ++i) texts.emplace(draw(), i);
    const PieceTrie trie = trie_of(texts);
    for (int i = 0; i < 20'000; ++i) {
      const std::string text = draw();
      const auto known = texts.find(text);
      ASSERT_EQ(trie.find(text), known == texts.end() ? PieceTrie::none : known->second);
      std::size_t longest = 0;
      for (std::size_t size = 1; size <= text.size(); ++size) {
        if (texts.count(text.substr(0, size)) != 0) longest = size;
      }
      ASSERT_EQ(trie.longest_prefix(text), longest);
    }
  }
}

}  // namespace
