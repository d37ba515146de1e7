// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/segments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace eigenformer::test {
namespace {

/// A token for each byte, and 0 at the end.
class Bytes final : public Tokenizer {
 public:
  std::vector<TokenId> encode(std::string_view text) const override {
    std::vector<TokenId> ids(text.begin(), text.end());
    ids.push_back(0);
    return ids;
  }
  std::string decode(std::span<const TokenId> ids) const override {
    return {ids.begin(), ids.end() - 1};
  }
  std::string_view piece_text(TokenId) const override { return ""; }
  bool begins_word(TokenId) const override { return false; }
  bool is_special(TokenId id) const override { return id == 0; }
};

const Bytes tokenizer;

using Texts = std::vector<std::string>;

Texts sources(Segmenter& segmenter) {
  Texts out;
  for (const Segment& segment : segmenter.segments()) out.push_back(segment.source);
  return out;
}

Texts sources(std::string_view text, Split split, Index longest = 1000) {
  Segmenter segmenter(tokenizer, split, longest);
  segmenter.add(text);
  return sources(segmenter);
}

std::string joined(Segmenter& segmenter) {
  std::string out;
  for (const Segment& segment : segmenter.segments()) {
    out += segment.source + segment.separator.value_or("");
  }
  return out;
}

TEST(Segmenter, CutsAsItIsTold) {
  const std::string text = "One. Two\nthree. Four";
  EXPECT_EQ(sources(text, Split::sentences), (Texts{"One.", "Two", "three.", "Four"}));
  EXPECT_EQ(sources(text, Split::lines), (Texts{"One. Two", "three. Four"}));
  EXPECT_EQ(sources(text, Split::none), Texts{text});
}

TEST(Segmenter, KnowsWhichTextAndPlaceASegmentHas) {
  Segmenter segmenter(tokenizer, Split::sentences, 1000);
  segmenter.add("One. Two.");
  segmenter.add("");
  segmenter.add("Three.");
  ASSERT_EQ(sources(segmenter), (Texts{"One.", "Two.", "Three."}));
  const std::vector<Segment>& all = segmenter.segments();
  EXPECT_EQ(all[1].text, 0u);
  EXPECT_EQ(all[1].number, 1u);
  EXPECT_EQ(all[2].text, 2u);
  EXPECT_EQ(all[2].number, 0u);
  EXPECT_EQ(tokenizer.decode(all[2].tokens), "Three.");
}

TEST(Segmenter, SaysWhereNothingIsBetweenSentences) {
  Segmenter segmenter(tokenizer, Split::sentences, 1000);
  segmenter.add("今天下雨。我们在家！ 好");
  ASSERT_EQ(segmenter.segments().size(), 3u);
  EXPECT_FALSE(segmenter.segments()[0].separator);
  EXPECT_EQ(segmenter.segments()[1].separator, " ");
  EXPECT_EQ(segmenter.segments()[2].separator, "");
}

TEST(Segmenter, GivesEachSegmentTheTextsLanguage) {
  Segmenter segmenter(tokenizer, Split::sentences, 1000);
  segmenter.add(">>fr<< One. Two.");
  EXPECT_EQ(joined(segmenter), " One. Two.");
  EXPECT_EQ(tokenizer.decode(segmenter.segments().back().tokens), ">>fr<<Two.");
}

TEST(Segmenter, LeavesWhiteSpaceAlone) {
  for (const Split split : {Split::sentences, Split::lines, Split::none}) {
    Segmenter segmenter(tokenizer, split, 1000);
    segmenter.add(" \t\n ");
    EXPECT_EQ(joined(segmenter), " \t\n ");
    for (const Segment& segment : segmenter.segments()) EXPECT_TRUE(segment.tokens.empty());
  }
}

TEST(Segmenter, CountsWhatIsNotUtf8) {
  Segmenter segmenter(tokenizer, Split::none, 1000);
  segmenter.add("a\xFFz\xC3");
  segmenter.add("good");
  EXPECT_EQ(segmenter.replaced(), (std::vector<std::size_t>{2, 0}));
  EXPECT_EQ(sources(segmenter)[0], "a\uFFFDz\uFFFD");
}

TEST(Segmenter, CutsWhatIsTooLongAtClausesWordsAndCharacters) {
  EXPECT_EQ(sources("ab cd, ef gh ij", Split::none, 12), (Texts{"ab cd,", "ef gh ij"}));
  EXPECT_EQ(sources("abcd efgh ijkl", Split::none, 12), (Texts{"abcd efgh", "ijkl"}));
  EXPECT_EQ(sources("ééé", Split::none, 5), (Texts{"é", "éé"}));
  for (const std::string unit : {"word ", "a, b; c ", "中文", "x"}) {
    std::string text;
    while (text.size() < 3000) text += unit;
    Segmenter segmenter(tokenizer, Split::none, 20);
    segmenter.add(text);
    EXPECT_EQ(joined(segmenter), text);
    for (const Segment& segment : segmenter.segments()) {
      EXPECT_LE(segment.tokens.size(), 20u);
      EXPECT_TRUE(io::is_utf8(segment.source));
    }
    for (std::size_t i = 0; i < segmenter.segments().size(); ++i) {
      EXPECT_EQ(segmenter.segments()[i].number, i);
    }
  }
}

}  // namespace
}  // namespace eigenformer::test
