// SPDX-License-Identifier: MIT
#include "eigenformer/generation/token_rules.hpp"

#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

constexpr float no = TokenRules::never;

/// Logits 1, 2, ... after the rules, for a row.
std::vector<float> ruled(const GenerationOptions& options, std::vector<TokenId> tokens,
                         Index prompt = 1, Index end_length = 100) {
  std::vector<float> logits{1, 2, -3, 4, 5, 6};
  TokenRules rules(options, 6);
  rules.apply({tokens, prompt, end_length}, logits);
  return logits;
}

using Row = std::vector<float>;

TEST(TokenRules, WithoutOptionsNothingChanges) {
  EXPECT_EQ(ruled({}, {0, 1, 1, 1}), (Row{1, 2, -3, 4, 5, 6}));
}

TEST(TokenRules, RepetitionPenaltyDividesOrMultipliesOnce) {
  EXPECT_EQ(ruled({.repetition_penalty = 2.0f}, {1, 2, 2, 1}), (Row{1, 1, -6, 4, 5, 6}));
}

TEST(TokenRules, NoNGramComesTwice) {
  EXPECT_EQ(ruled({.no_repeat_ngram_size = 1}, {1, 4}), (Row{1, no, -3, 4, no, 6}));
  EXPECT_EQ(ruled({.no_repeat_ngram_size = 2}, {1, 4, 3, 4}), (Row{1, 2, -3, no, 5, 6}));
  EXPECT_EQ(ruled({.no_repeat_ngram_size = 2}, {4, 4, 4}), (Row{1, 2, -3, 4, no, 6}));
  EXPECT_EQ(ruled({.no_repeat_ngram_size = 3}, {1, 2, 5, 0, 1, 2}), (Row{1, 2, -3, 4, 5, no}));
  EXPECT_EQ(ruled({.no_repeat_ngram_size = 3}, {1, 2}), (Row{1, 2, -3, 4, 5, 6}));
}

TEST(TokenRules, BadWordsAreNeverCompleted) {
  const std::vector<std::vector<TokenId>> words{{5}, {1, 2}, {3, 1, 4}, {0}};
  const GenerationOptions options{.bad_words = words,
                                  .stop_tokens = std::vector<TokenId>{0}};  // which stays free
  EXPECT_EQ(ruled(options, {3, 1}), (Row{1, 2, no, 4, no, no}));
  EXPECT_EQ(ruled(options, {2, 3}), (Row{1, 2, -3, 4, 5, no}));
}

TEST(TokenRules, NoStopTokenBeforeTheMinimum) {
  const std::vector<TokenId> stops{0, 3};
  EXPECT_EQ(ruled({.min_new_tokens = 2, .stop_tokens = stops}, {1, 1, 1}, 2),
            (Row{no, 2, -3, no, 5, 6}));
  EXPECT_EQ(ruled({.min_new_tokens = 1, .stop_tokens = stops}, {1, 1, 1}, 2),
            (Row{1, 2, -3, 4, 5, 6}));
  EXPECT_EQ(ruled({.min_length = 4, .stop_tokens = stops}, {1, 1, 1}, 2),
            (Row{no, 2, -3, no, 5, 6}));
  EXPECT_EQ(ruled({.min_length = 3, .stop_tokens = stops}, {1, 1, 1}, 2), (Row{1, 2, -3, 4, 5, 6}));
}

TEST(TokenRules, ForcedTokensAreTheOnlyOnes) {
  const GenerationOptions first{.forced_bos_token = 2};
  EXPECT_EQ(ruled(first, {1}), (Row{no, no, 0, no, no, no}));
  EXPECT_EQ(ruled(first, {1, 1}, 2), (Row{1, 2, -3, 4, 5, 6}));  // only after a prompt of one
  const GenerationOptions last{.forced_eos_tokens = std::vector<TokenId>{4, 0}};
  EXPECT_EQ(ruled(last, {1, 1}, 1, 3), (Row{0, no, no, no, 0, no}));
  EXPECT_EQ(ruled(last, {1, 1}, 1, 4), (Row{1, 2, -3, 4, 5, 6}));
  // A length of 2 is the first and the last at once: the end is forced later, and wins.
  const GenerationOptions both{.forced_bos_token = 2, .forced_eos_tokens = std::vector<TokenId>{4}};
  EXPECT_EQ(ruled(both, {1}, 1, 2), (Row{no, no, no, no, 0, no}));
}

TEST(TokenRules, SuppressionComesAfterForcing) {
  const std::vector<TokenId> two{2};
  EXPECT_EQ(ruled({.suppress_tokens = two}, {1}), (Row{1, 2, no, 4, 5, 6}));
  EXPECT_EQ(ruled({.suppress_tokens = two, .forced_bos_token = 2}, {1}),
            (Row{no, no, no, no, no, no}));
  EXPECT_EQ(ruled({.begin_suppress_tokens = two}, {1}), (Row{1, 2, no, 4, 5, 6}));
  EXPECT_EQ(ruled({.begin_suppress_tokens = two}, {1, 1}), (Row{1, 2, -3, 4, 5, 6}));
  // After a forced first token the first free one is the second.
  const GenerationOptions forced{.begin_suppress_tokens = two, .forced_bos_token = 3};
  EXPECT_EQ(ruled(forced, {1, 3}), (Row{1, 2, no, 4, 5, 6}));
  EXPECT_EQ(ruled(forced, {1, 3, 3}, 2), (Row{1, 2, -3, 4, 5, 6}));
}

TEST(TokenRules, AForbiddenTokenStaysSoWhenPenalized) {
  const GenerationOptions options{.repetition_penalty = 2.0f,
                                  .suppress_tokens = std::vector<TokenId>{1}};
  EXPECT_EQ(ruled(options, {1, 4}), (Row{1, no, -3, 4, 2.5, 6}));
}

TEST(TokenRules, EditsAreWhatApplyDoes) {
  RandomStream random(3, 0, 0);
  for (int round = 0; round < 200; ++round) {
    const auto id = [&] { return TokenId(random.bits() % 6); };
    GenerationOptions options;
    if (random.bits() % 2) options.repetition_penalty = 1.5f;
    if (random.bits() % 2) options.no_repeat_ngram_size = 1 + Index(random.bits() % 3);
    if (random.bits() % 2) options.bad_words = {{id()}, {id(), id()}};
    if (random.bits() % 2) options.suppress_tokens = {id(), id()};
    options.min_length = Index(random.bits() % 8);
    options.stop_tokens = {id()};
    std::vector<TokenId> tokens(1 + random.bits() % 9);
    for (TokenId& token : tokens) token = id();
    const RowHistory row{tokens, 1, 100};
    TokenRules rules(options, 6);
    std::vector<float> applied = random_floats(6, std::uint64_t(round)), edited = applied;
    rules.apply(row, applied);
    std::vector<EditedToken> edits;
    rules.edits(row, edits);
    TokenId last = -1;
    for (const auto& [token, edit] : edits) {
      EXPECT_GT(token, last);
      last = token;
      edited[std::size_t(token)] = rules.edited(edit, edited[std::size_t(token)]);
    }
    EXPECT_TRUE(same_bits(applied, edited));
  }
}

TEST(TokenRules, PromptsMayHaveIdsThatTheOutputHasNot) {
  EXPECT_EQ(ruled({.repetition_penalty = 2.0f}, {99, 1}), (Row{1, 1, -3, 4, 5, 6}));
}

TEST(TokenRules, OptionsOutOfRangeAreNamed) {
  const auto refusal = [](const GenerationOptions& options) -> std::string {
    try {
      TokenRules(options, 6);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      return error.what();
    }
    return "none";
  };
  const std::vector<TokenId> beyond{6}, below{-1};
  EXPECT_EQ(refusal({.suppress_tokens = beyond}), "suppress_tokens: expected 0 to 5, got 6");
  EXPECT_EQ(refusal({.begin_suppress_tokens = below}),
            "begin_suppress_tokens: expected 0 to 5, got -1");
  EXPECT_EQ(refusal({.forced_bos_token = 6}), "forced_bos_token: expected 0 to 5, got 6");
  EXPECT_EQ(refusal({.forced_eos_tokens = beyond}), "forced_eos_tokens: expected 0 to 5, got 6");
  EXPECT_EQ(refusal({.stop_tokens = below}), "stop_tokens: expected 0 to 5, got -1");
  using Words = std::vector<std::vector<TokenId>>;
  EXPECT_EQ(refusal({.bad_words = Words{{0, 7}}}), "bad_words: expected 0 to 5, got 7");
  EXPECT_NE(refusal({.bad_words = Words{{}}}).find("bad_words"), std::string::npos);
  EXPECT_NE(refusal({.no_repeat_ngram_size = -1}).find("no_repeat_ngram_size"), std::string::npos);
  EXPECT_NE(refusal({.min_length = -1}).find("min_length"), std::string::npos);
  EXPECT_NE(refusal({.min_new_tokens = -1}).find("min_new_tokens"), std::string::npos);
  for (const float penalty : {0.0f, -1.0f, HUGE_VALF, std::nanf("")}) {
    EXPECT_NE(refusal({.repetition_penalty = penalty}).find("repetition_penalty"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace eigenformer::test
