// SPDX-License-Identifier: MIT
/// Every recorded output of the reference implementations, ids, pieces and text.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/support.hpp"

namespace {

using namespace tokenizers_test;
using eigenformer::io::Json;

struct Gold {
  const char* name;
  const char* model;
  const char* outputs;
  std::size_t count;
};

class SentencePieceGoldTest : public testing::TestWithParam<Gold> {};

TEST_P(SentencePieceGoldTest, EveryOutputIsEqual) {
  const SentencePiece tokenizer = model(GetParam().model);
  const std::vector<Json> golds = json_lines(std::string("tokenizers/") + GetParam().outputs);
  EXPECT_EQ(golds.size(), GetParam().count);
  for (const Json& gold : golds) {
    const std::string_view text = gold.at("text").string();
    const Ids expected = ids(gold.at("ids"));
    ASSERT_EQ(tokenizer.encode_ids(text), expected) << text;
    ASSERT_EQ(pieces(tokenizer, text), texts(gold.at("pieces"))) << text;
    ASSERT_EQ(tokenizer.decode(expected), gold.at("decoded").string()) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SentencePieceGoldTest,
                         testing::Values(Gold{"OpusSource", "opus-mt-tc-big-fr-en/source.spm",
                                              "opus-mt-tc-big-fr-en/gold.source.jsonl", 176},
                                         Gold{"OpusTarget", "opus-mt-tc-big-fr-en/target.spm",
                                              "opus-mt-tc-big-fr-en/gold.target.jsonl", 176},
                                         Gold{"Firefox", "firefox/vocab.deen.spm",
                                              "firefox/gold.deen.jsonl", 326},
                                         Gold{"SentencePiece", "sentencepiece/test_model.model",
                                              "sentencepiece/gold.test_model.jsonl", 176}),
                         [](const auto& gold) { return gold.param.name; });

/// The bytes that a text of hexadecimal digits stands for.
std::string unhex(const Json& json) {
  std::string out;
  const std::string digits(json.string());
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return out;
}

/// A model of tools/record_tokenizer_models.py, and what the original made of it.
class TinySentencePieceTest : public testing::TestWithParam<std::string> {};

TEST_P(TinySentencePieceTest, EveryOutputIsEqual) {
  const SentencePiece tokenizer = model("tiny/" + GetParam() + ".spm");
  const std::vector<Json> golds = json_lines("tokenizers/tiny/" + GetParam() + ".jsonl");
  EXPECT_EQ(tokenizer.size(), golds[0].at("size").integer());
  EXPECT_EQ(tokenizer.unknown(), golds[0].at("unk").integer());
  EXPECT_EQ(tokenizer.begin(), golds[0].at("bos").integer());
  EXPECT_EQ(tokenizer.end(), golds[0].at("eos").integer());
  EXPECT_EQ(tokenizer.padding(), golds[0].at("pad").integer());
  Ids every;
  for (TokenId id = 0; id < tokenizer.size(); ++id) every.push_back(id);
  EXPECT_EQ(tokenizer.decode(every), unhex(golds[0].at("every_piece")));
  EXPECT_GT(golds.size(), 60u);
  for (std::size_t i = 1; i < golds.size(); ++i) {
    const std::string text = unhex(golds[i].at("text"));
    Texts expected;
    for (const Json& piece : golds[i].at("pieces").elements()) expected.push_back(unhex(piece));
    EXPECT_EQ(tokenizer.normalize(text), unhex(golds[i].at("normal"))) << text;
    EXPECT_EQ(pieces(tokenizer, text), expected) << text;
    const Ids expected_ids = ids(golds[i].at("ids"));
    EXPECT_EQ(tokenizer.encode_ids(text), expected_ids) << text;
    EXPECT_EQ(tokenizer.decode(expected_ids), unhex(golds[i].at("decoded"))) << text;
    const std::vector<std::string_view> views(expected.begin(), expected.end());
    EXPECT_EQ(tokenizer.decode(views), unhex(golds[i].at("pieces_decoded"))) << text;
  }
}

std::vector<std::string> tiny_models() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data("tokenizers/tiny"))) {
    if (entry.path().extension() == ".spm") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Models, TinySentencePieceTest, testing::ValuesIn(tiny_models()),
                         [](const auto& name) { return name.param; });

TEST(TinySentencePieceTable, HasAllModels) { EXPECT_EQ(tiny_models().size(), 29u); }

// A BPE model with byte fallback; the ids are llama.cpp's.
TEST(SentencePieceBytePairGoldTest, EveryOutputIsEqual) {
  const SentencePiece tokenizer = model("phi-3/phi-3.spm");
  const Texts inputs = split(content_of("tokenizers/phi-3/phi-3.inp"), "\n__ggml_vocab_test__\n");
  const Texts outputs = split(content_of("tokenizers/phi-3/phi-3.out"), "\n");
  ASSERT_EQ(inputs.size(), 47u);
  ASSERT_EQ(outputs.size(), 47u);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::istringstream numbers(outputs[i]);
    Ids expected;
    for (TokenId id = 0; numbers >> id;) expected.push_back(id);
    EXPECT_EQ(tokenizer.encode_ids(inputs[i]), expected) << inputs[i];
    EXPECT_EQ(tokenizer.decode(expected), inputs[i]);
  }
}

}  // namespace
