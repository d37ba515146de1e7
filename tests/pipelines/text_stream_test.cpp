// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/text_stream.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "eigenformer/pipelines/utf8_repair.hpp"
#include "eigenformer/tokenizers/marian_tokenizer.hpp"

namespace eigenformer::test {
namespace {

/// Ids of the shipped tokenizer whose pieces may change the text before them.
std::vector<TokenId> touchy_ids(const MarianTokenizer& tokenizer) {
  std::vector<TokenId> out;
  for (TokenId id = 1; id < 6000; ++id) {
    std::string text(tokenizer.piece_text(id));
    if (text.starts_with("▁")) text.erase(0, std::string_view("▁").size());
    if (text.size() <= 2) out.push_back(id);
  }
  return out;
}

/// The shipped tokenizer, told to take out the spaces before "n't" and its like.
MarianTokenizer tidy_tokenizer() {
  const std::filesystem::path shipped = EIGENFORMER_TEST_DATA "/../../models/fr-en-small";
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("tidy_tokenizer" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  for (const char* name : {"source.spm", "target.spm", "vocab.json"}) {
    std::filesystem::copy_file(shipped / name, folder / name);
  }
  std::ofstream(folder / "tokenizer_config.json")
      << R"({"clean_up_tokenization_spaces": true, "eos_token": "</s>", "unk_token": "<unk>",
             "pad_token": "<pad>"})";
  MarianTokenizer tokenizer = MarianTokenizer::load(folder.string());
  std::filesystem::remove_all(folder);
  return tokenizer;
}

TEST(TextStream, NeverTakesBackWhatItGave) {
  const MarianTokenizer tokenizer = tidy_tokenizer();
  const std::vector<TokenId> touchy = touchy_ids(tokenizer);
  ASSERT_GT(touchy.size(), 50u);
  std::mt19937 random(5);
  std::string given;
  const std::function<AfterStep(std::string_view)> keep = [&](std::string_view part) {
    EXPECT_TRUE(io::is_utf8(part));
    given += part;
    return AfterStep::go_on;
  };
  TextStream stream(tokenizer, keep);
  for (int round = 0; round < 2000; ++round) {
    std::vector<TokenId> ids;
    given.clear();
    for (int i = 0; i < 12; ++i) {
      ids.push_back(touchy[random() % touchy.size()]);
      stream.advance(ids);
    }
    const std::string whole = tokenizer.decode(ids);
    ASSERT_TRUE(whole.starts_with(given)) << given << " | " << whole;
    stream.finish(whole);
    ASSERT_EQ(given, whole);
  }
}

/// Tokens are bytes.
class Bytes final : public Tokenizer {
 public:
  std::vector<TokenId> encode(std::string_view text) const override {
    std::vector<TokenId> ids;
    for (const char byte : text) ids.push_back(static_cast<unsigned char>(byte));
    return ids;
  }
  std::string decode(std::span<const TokenId> ids) const override {
    std::string out;
    for (const TokenId id : ids) out += static_cast<char>(id);
    return pipelines::repair_utf8(out).text;
  }
  std::string_view piece_text(TokenId) const override { return "a byte"; }
  bool begins_word(TokenId) const override { return false; }
  bool is_special(TokenId) const override { return false; }
};

TEST(TextStream, GivesWholeCharacters) {
  const Bytes tokenizer;
  std::vector<std::string> parts;
  const std::function<AfterStep(std::string_view)> keep = [&](std::string_view part) {
    parts.emplace_back(part);
    return AfterStep::go_on;
  };
  TextStream stream(tokenizer, keep);
  const std::vector<TokenId> ids = tokenizer.encode("a\u00E9\u20AC\U0001F600\xFFz\xE2\x82");
  for (std::size_t n = 1; n <= ids.size(); ++n) stream.advance(std::span(ids).first(n));
  EXPECT_EQ(parts, (std::vector<std::string>{"a", "\u00E9", "\u20AC", "\U0001F600", "\uFFFDz"}));
  stream.finish(tokenizer.decode(ids));
  EXPECT_EQ(parts.back(), "\uFFFD");
}

TEST(TextStream, SaysNothingAfterCancel) {
  const Bytes tokenizer;
  int calls = 0;
  const std::function<AfterStep(std::string_view)> once = [&](std::string_view) {
    ++calls;
    return AfterStep::cancel;
  };
  TextStream stream(tokenizer, once);
  const std::vector<TokenId> ids = tokenizer.encode("ab");
  EXPECT_EQ(stream.advance(ids), AfterStep::cancel);
  EXPECT_EQ(stream.finish("abc"), AfterStep::cancel);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace eigenformer::test
