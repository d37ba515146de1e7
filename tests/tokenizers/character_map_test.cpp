// SPDX-License-Identifier: MIT
#include "eigenformer/tokenizers/character_map.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "tokenizers/support.hpp"

namespace {

using namespace tokenizers_test;
using eigenformer::CharacterMap;
using eigenformer::ProtobufField;
using eigenformer::ProtobufReader;

/// The compiled rules of a model file.
std::string rules_of(const std::string& name) {
  const std::string content = content_of("tokenizers/" + name);
  ProtobufReader reader(content, name);
  for (ProtobufField field; reader.next(field);) {
    if (field.number != 3) continue;
    ProtobufReader normalizer(reader, field);
    for (ProtobufField part; normalizer.next(part);) {
      if (part.number == 2) return std::string(normalizer.bytes(part));
    }
  }
  return "";
}

TEST(CharacterMapTest, WithoutRulesFindsNothing) {
  for (const CharacterMap& map : {CharacterMap(), CharacterMap("", "place")}) {
    EXPECT_EQ(map.find("a").length, 0u);
    EXPECT_EQ(map.find("").length, 0u);
    EXPECT_FALSE(map.has_first('a'));
  }
}

// The rules of valid.spm: "A" to "a", "AB" to "b".
TEST(CharacterMapTest, TakesTheLongestRule) {
  const std::string rules = rules_of("valid.spm");
  const CharacterMap map(rules, "place");
  EXPECT_EQ(map.find("A").length, 1u);
  EXPECT_EQ(map.find("A").replacement, "a");
  EXPECT_EQ(map.find("AC").replacement, "a");
  EXPECT_EQ(map.find("ABA").length, 2u);
  EXPECT_EQ(map.find("ABA").replacement, "b");
  EXPECT_EQ(map.find("B").length, 0u);
  EXPECT_EQ(map.find("a").length, 0u);
  EXPECT_EQ(map.find(std::string(1, '\0')).length, 0u);
}

// NFKC, from a model that a trainer wrote, against the rules as Unicode has them.
TEST(CharacterMapTest, ReadsATrainersRules) {
  const std::string rules = rules_of("sentencepiece/test_model.model");
  ASSERT_GT(rules.size(), 100'000u);
  const CharacterMap map(rules, "place");
  EXPECT_EQ(map.find("\uFB01x").replacement, "fi");
  EXPECT_EQ(map.find("e\u0301x").replacement, "\u00E9");
  EXPECT_EQ(map.find("e\u0301x").length, 3u);
  EXPECT_EQ(map.find("\uFF76\uFF9E").replacement, "\u30AC");
  EXPECT_EQ(map.find("\uFF76\uFF76").replacement, "\u30AB");
  EXPECT_EQ(map.find("\u3000x").replacement, " ");
  EXPECT_EQ(map.find("ex").length, 0u);
  EXPECT_EQ(map.find("\u4E2D").length, 0u);
}

// Wherever the blob lies: a file's fields are not aligned.
TEST(CharacterMapTest, ReadsRulesAtAnyAddress) {
  const std::string rules = rules_of("valid.spm");
  for (std::size_t shift = 0; shift < 8; ++shift) {
    const std::string moved = std::string(shift, 'x') + rules;
    const CharacterMap map(std::string_view(moved).substr(shift), "place");
    EXPECT_EQ(map.find("AB").replacement, "b");
  }
}

// Whatever it is made of, a map that loads ends every walk inside its blob.
TEST(CharacterMapTest, IsSafeWithEveryUnitChanged) {
  const std::string rules = rules_of("valid.spm");
  int loaded = 0;
  for (std::size_t at = 4; at + 4 <= rules.size(); ++at) {
    for (const char byte : {'\0', '\x01', '\x42', '\x80', '\xFF'}) {
      std::string broken = rules;
      broken[at] = byte;
      std::optional<CharacterMap> map;
      try {
        map.emplace(broken, "place");
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::format);
        continue;
      }
      ++loaded;
      for (int first = 0; first < 256; ++first) {
        map->find(std::string(64, static_cast<char>(first)));
        map->find(std::string(1, static_cast<char>(first)) + "ABABAB");
      }
    }
  }
  EXPECT_GT(loaded, 100);
}

}  // namespace
