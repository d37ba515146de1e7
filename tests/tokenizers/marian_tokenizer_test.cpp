// SPDX-License-Identifier: MIT
#include "eigenformer/tokenizers/marian_tokenizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/support.hpp"

namespace {

using namespace tokenizers_test;
using eigenformer::MarianTokenizer;
using eigenformer::SpecialTokens;
using eigenformer::io::Json;

const MarianTokenizer& opus() {
  static const auto tokenizer = MarianTokenizer::load(data("tokenizers/opus-mt-tc-big-fr-en"));
  return tokenizer;
}

TEST(MarianTokenizerGoldTest, EverySourceIsEqual) {
  const auto golds = json_lines("tokenizers/opus-mt-tc-big-fr-en/marian_tokenizer.jsonl");
  EXPECT_EQ(golds.size(), 354u);
  for (const Json& gold : golds) {
    const std::string_view text = gold.at("text").string();
    EXPECT_EQ(opus().encode(text), ids(gold.at("ids"))) << text;
  }
}

TEST(MarianTokenizerGoldTest, EveryTargetIsEqualBothWays) {
  const auto golds = json_lines("tokenizers/opus-mt-tc-big-fr-en/marian_target.jsonl");
  EXPECT_EQ(golds.size(), 60u);
  for (const Json& gold : golds) {
    const std::string_view text = gold.at("text").string();
    Ids expected = ids(gold.at("ids"));
    EXPECT_EQ(opus().encode_target(text), expected) << text;
    EXPECT_EQ(opus().decode(expected), gold.at("decoded").string()) << text;
    expected.insert(expected.begin(), opus().padding());
    EXPECT_EQ(opus().decode(expected), gold.at("decoded_with_start").string()) << text;
  }
}

/// A folder of tools/record_marian_tokenizer.py, and what transformers made of it.
class MarianVariantTest : public testing::TestWithParam<std::string> {
 protected:
  std::string folder() const { return "tokenizers/marian/" + GetParam(); }
  MarianTokenizer tokenizer() const { return MarianTokenizer::load(data(folder())); }
};

TEST_P(MarianVariantTest, EveryTextIsEqual) {
  const MarianTokenizer marian = tokenizer();
  const Json gold = eigenformer::io::read_json(data(folder() + "/golden.json"));
  EXPECT_EQ(marian.end(), gold.at("eos").integer());
  EXPECT_EQ(marian.padding(), gold.at("pad").integer());
  EXPECT_EQ(marian.unknown(), gold.at("unk").integer());
  EXPECT_EQ(marian.languages(), texts(gold.at("languages")));
  for (const Json& text : gold.at("texts").elements()) {
    EXPECT_EQ(marian.encode_source(text.at("text").string()), ids(text.at("source")))
        << text.at("text").description();
    EXPECT_EQ(marian.encode_target(text.at("text").string()), ids(text.at("target")))
        << text.at("text").description();
  }
  EXPECT_GT(gold.at("texts").elements().size(), 20u);
}

TEST_P(MarianVariantTest, EveryDecodingIsEqual) {
  const MarianTokenizer marian = tokenizer();
  const Json gold = eigenformer::io::read_json(data(folder() + "/golden.json"));
  for (const Json& decoding : gold.at("decodings").elements()) {
    const Ids given = ids(decoding.at("ids"));
    EXPECT_EQ(marian.decode_target(given, SpecialTokens::skip), decoding.at("skip").string());
    EXPECT_EQ(marian.decode_target(given, SpecialTokens::keep), decoding.at("keep").string());
    const Texts expected = texts(decoding.at("tokens"));
    for (std::size_t i = 0; i < given.size(); ++i) {
      EXPECT_EQ(marian.piece_text(given[i]), expected[i]);
    }
  }
  EXPECT_GT(gold.at("decodings").elements().size(), 20u);
}

INSTANTIATE_TEST_SUITE_P(Folders, MarianVariantTest,
                         testing::Values("plain", "separate", "decoder", "legacy", "clean",
                                         "unsplit"),
                         [](const auto& variant) { return variant.param; });

TEST(MarianTokenizerGoldTest, TheShippedModelsSentencesAreEqual) {
  const MarianTokenizer tokenizer = MarianTokenizer::load(data("../../models/fr-en-small"));
  const auto golds = json_lines("tokenizers/marian/fr-en-small.jsonl");
  const Texts table = lines("../../models/fr-en-small/expected.tsv");
  ASSERT_EQ(golds.size(), table.size() - 1);
  for (const Json& gold : golds) {
    EXPECT_EQ(tokenizer.encode(gold.at("text").string()), ids(gold.at("ids")));
  }
  for (std::size_t i = 1; i < table.size(); ++i) {
    for (const std::string& text : split(table[i], "\t")) {
      EXPECT_EQ(tokenizer.encode(text), tokenizer.encode_target(text));
    }
    const std::string english = split(table[i], "\t")[1];
    EXPECT_EQ(tokenizer.decode(tokenizer.encode_target(english)), english);
  }
}

TEST(MarianTokenizerTest, KnowsWhatBeginsAWord) {
  const Ids hello = opus().encode_target("Hello worlds");
  std::vector<bool> begins;
  std::string joined;
  for (const TokenId id : hello) {
    begins.push_back(opus().begins_word(id));
    joined += opus().piece_text(id);
    EXPECT_EQ(opus().source_piece_text(id), opus().piece_text(id));
  }
  EXPECT_TRUE(joined.starts_with("\u2581Hello"));
  EXPECT_TRUE(joined.ends_with("</s>"));
  EXPECT_TRUE(begins.front());
  EXPECT_FALSE(begins.back());
  EXPECT_EQ(std::count(begins.begin(), begins.end(), true), 2);
  EXPECT_TRUE(opus().is_special(opus().end()));
  EXPECT_TRUE(opus().is_special(opus().padding()));
  EXPECT_FALSE(opus().is_special(hello.front()));
}

TEST(MarianTokenizerTest, RefusesIdsThatStandForNothing) {
  for (const TokenId id : {-1, 53'017, 1 << 30}) {
    expect_error(ErrorCode::out_of_range, "source.spm: piece " + std::to_string(id),
                 [&] { opus().decode(Ids{id}); });
    expect_error(ErrorCode::out_of_range, "expected 0 to ", [&] { opus().piece_text(id); });
    expect_error(ErrorCode::out_of_range, "expected 0 to ", [&] { opus().begins_word(id); });
    EXPECT_FALSE(opus().is_special(id));
  }
}

TEST(MarianTokenizerTest, TakesAnyBytes) {
  for (const std::string_view text : {"\xFF\xFE", ">>", ">><<", "<<>>", "\xE2\x96 a"}) {
    const Ids some = opus().encode(text);
    EXPECT_EQ(some.back(), opus().end());
    opus().decode(some);
  }
  EXPECT_EQ(opus().encode(""), Ids{opus().end()});
}

/// A folder that can be broken, file by file.
class MarianFolderTest : public io_test::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    for (const auto& entry :
         std::filesystem::directory_iterator(data("tokenizers/marian/separate"))) {
      std::filesystem::copy(entry.path(), path(entry.path().filename().string()));
    }
  }

  void expect_refused(ErrorCode code, std::string_view part) const {
    expect_error(code, part, [&] { MarianTokenizer::load(path("")); });
  }

  /// A tokenizer_config.json with these members besides the usual ones.
  void configure(const std::string& members) const {
    write("tokenizer_config.json", R"({"separate_vocabs": true, )" + members + "}");
  }
};

TEST_F(MarianFolderTest, NeedsItsFiles) {
  MarianTokenizer::load(path(""));
  for (const char* name : {"source.spm", "target.spm", "vocab.json", "target_vocab.json"}) {
    const std::string content = io_test::content_of(path(name));
    std::filesystem::remove(path(name));
    expect_refused(ErrorCode::io, std::string(name) + ": cannot open");
    write(name, content);
  }
  std::filesystem::remove(path("tokenizer_config.json"));
  std::filesystem::remove(path("target_vocab.json"));
  EXPECT_EQ(MarianTokenizer::load(path("")).languages().size(), 2u);
}

TEST_F(MarianFolderTest, RefusesBrokenVocabularies) {
  const auto refused = [&](const char* content, ErrorCode code, std::string_view part) {
    write("vocab.json", content);
    expect_refused(code, part);
  };
  refused("", ErrorCode::format, "vocab.json: ");
  refused("[]", ErrorCode::format, "vocab.json: expected an object, got an array of 0");
  refused("{}", ErrorCode::format, "vocab.json: a vocabulary of 0 entries, expected 1 to");
  refused(R"({"<unk>": -1})", ErrorCode::format, "vocab.json: /<unk>: expected an integer in [0,");
  refused(R"({"<unk>": 1.0})", ErrorCode::format, "vocab.json: /<unk>: expected an integer");
  refused(R"({"<unk>": "1"})", ErrorCode::format, "vocab.json: /<unk>: expected an integer");
  refused(R"({"<unk>": 4194304})", ErrorCode::format, "expected an integer in [0, 4194303]");
  refused(R"({"<unk>": 1, "<unk>": 2})", ErrorCode::format, "occurs twice in its object");
  refused(R"({"</s>": 0})", ErrorCode::format, R"(vocab.json: lacks the unknown token "<unk>")");
  write("target_vocab.json", R"({"</s>": 0})");
  refused(R"({"<unk>": 1})", ErrorCode::format, R"(target_vocab.json: lacks the unknown token)");
}

TEST_F(MarianFolderTest, RefusesBrokenSettings) {
  const auto refused = [&](const char* members, ErrorCode code, std::string_view part) {
    configure(members);
    expect_refused(code, part);
  };
  refused(R"("eos_token": 1)", ErrorCode::format,
          "tokenizer_config.json: /eos_token: expected a string");
  refused(R"("eos_token": "")", ErrorCode::format, "/eos_token: expected a token's text");
  refused(R"("eos_token": {})", ErrorCode::format, "/eos_token/content: is missing");
  refused(R"("pad_token": {"content": "<pad>", "lstrip": true})", ErrorCode::unsupported,
          "/pad_token/lstrip: a token that changes the text beside it");
  refused(R"("added_tokens_decoder": {"x": {"content": "a"}})", ErrorCode::format,
          "/added_tokens_decoder/x: expected an id as the name");
  refused(R"("added_tokens_decoder": {"-1": {"content": "a"}})", ErrorCode::format,
          "expected an id");
  refused(R"("added_tokens_decoder": {"9999999999": {"content": "a"}})", ErrorCode::format,
          "expected an id");
  refused(R"("added_tokens_decoder": [])", ErrorCode::format, "expected an object");
  refused(R"("additional_special_tokens": [1])", ErrorCode::format,
          "/additional_special_tokens/0: expected a string");
  refused(R"("separate_vocabs_": 1, "clean_up_tokenization_spaces": "yes")", ErrorCode::format,
          "/clean_up_tokenization_spaces: expected true or false");
  refused(R"("sp_model_kwargs": {"enable_sampling": true})", ErrorCode::unsupported,
          "/sp_model_kwargs/enable_sampling: an option of SentencePiece");
  refused(R"("unk_token": "none")", ErrorCode::format, R"(lacks the unknown token "none")");
  configure(R"("eos_token": null, "sp_model_kwargs": {"enable_sampling": false})");
  EXPECT_EQ(MarianTokenizer::load(path("")).decode(Ids{}), "");
}

TEST_F(MarianFolderTest, HoldsTheLimits) {
  eigenformer::io::LoadLimits limits;
  limits.vocabulary = 320;
  expect_error(ErrorCode::format, "vocab.json: a vocabulary of 3",
               [&] { MarianTokenizer::load(path(""), limits); });
  limits = {};
  limits.text_bytes = 3;
  const MarianTokenizer tokenizer = MarianTokenizer::load(path(""), limits);
  expect_error(ErrorCode::invalid_argument, "LoadLimits::text_bytes",
               [&] { tokenizer.encode("four"); });
}

}  // namespace
