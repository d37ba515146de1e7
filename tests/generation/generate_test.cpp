// SPDX-License-Identifier: MIT
#include "eigenformer/generation/generate.hpp"

#include "eigenformer/core/matrix.hpp"
#include "eigenformer/generation/next_tokens.hpp"
#include "support/bits.hpp"
#include "support/scripted_session.hpp"

namespace eigenformer::test {
namespace {

constexpr Index vocab = 6;
constexpr TokenId stop = 0, begin = 5;

/// Logits that depend on all tokens of the row: a small random language.
std::vector<float> language(const std::vector<TokenId>& tokens) {
  std::uint64_t hash = 7;
  for (const TokenId token : tokens) hash = hash * 31 + std::uint64_t(token) + 1;
  std::vector<float> logits = random_floats(vocab, hash, 1.5f);
  logits[stop] -= 0.5f;
  return logits;
}

/// Prompts of `begin` alone, or of what is given.
struct Start {
  explicit Start(Index rows) : tokens(std::size_t(rows), begin) {
    for (Index r = 0; r < rows; ++r) batch.add(1);
  }
  Prompts prompts() const { return {tokens, batch, numbers}; }
  std::vector<TokenId> tokens;
  Batch batch;
  std::vector<std::uint64_t> numbers;
};

GenerationOptions base() {
  GenerationOptions options;
  options.stop_tokens = {stop};
  options.max_new_tokens = 12;
  return options;
}

Hypothesis one(ScriptedSession&& session, const GenerationOptions& options,
               const GenerationHooks& hooks = {}) {
  return generate(session, Start(1).prompts(), options, hooks)[0].hypotheses.at(0);
}
ScriptedSession speaker(Index rows = 1) { return ScriptedSession(rows, vocab, language); }

/// Log-probabilities of a row of logits.
std::vector<float> logs(std::vector<float> logits) {
  kernels::best_table().log_softmax(logits.data(), logits.data(), Index(logits.size()));
  return logits;
}

TEST(Generate, GreedyTakesTheLikeliestUntilItStops) {
  std::vector<TokenId> row{begin};
  float sum = 0;
  Hypothesis expected;
  while (expected.tokens.size() < 12 && (row.size() == 1 || row.back() != stop)) {
    const auto logits = language(row);
    const auto at = std::max_element(logits.begin(), logits.end()) - logits.begin();
    row.push_back(TokenId(at));
    expected.tokens.push_back(TokenId(at));
    expected.log_probabilities.push_back(logs(logits)[std::size_t(at)]);
    sum += expected.log_probabilities.back();
  }
  const Hypothesis got = one(speaker(), base());
  EXPECT_EQ(got.tokens, expected.tokens);
  EXPECT_TRUE(same_bits(got.log_probabilities, expected.log_probabilities));
  EXPECT_FLOAT_EQ(got.score, sum / float(got.tokens.size()));
  EXPECT_EQ(got.finish, got.tokens.back() == stop ? FinishReason::stop : FinishReason::length);
}

/// Every sequence that ends with `stop` or at `end` tokens, with its score, best first.
std::vector<Hypothesis> all_sequences(std::size_t end, float penalty) {
  std::vector<Hypothesis> open{{}}, done;
  while (!open.empty()) {
    Hypothesis beam = open.back();
    open.pop_back();
    std::vector<TokenId> row{begin};
    row.insert(row.end(), beam.tokens.begin(), beam.tokens.end());
    const auto log_probabilities = logs(language(row));
    for (TokenId token = 0; token < vocab; ++token) {
      Hypothesis next = beam;
      next.tokens.push_back(token);
      next.score += log_probabilities[std::size_t(token)];
      if (token == stop || next.tokens.size() == end) {
        next.score /= std::pow(float(next.tokens.size()), penalty);
        done.push_back(next);
      } else {
        open.push_back(next);
      }
    }
  }
  std::sort(done.begin(), done.end(),
            [](const auto& a, const auto& b) { return a.score > b.score; });
  return done;
}

TEST(Generate, BeamsThatKeepEverythingFindTheBestOfAllSequences) {
  for (const float penalty : {0.0f, 1.0f, 2.0f}) {
    GenerationOptions options = base();
    options.max_new_tokens = 4;
    options.beam_size = 1000;  // more than there are sequences of 3 that go on
    options.hypotheses = 20;
    options.length_penalty = penalty;
    options.early_stopping = EarlyStopping::never;
    auto session = speaker();
    const auto got = generate(session, Start(1).prompts(), options)[0].hypotheses;
    const auto expected = all_sequences(4, penalty);
    ASSERT_EQ(got.size(), 20u);
    for (std::size_t h = 0; h < got.size(); ++h) {
      EXPECT_EQ(got[h].tokens, expected[h].tokens) << h;
      EXPECT_NEAR(got[h].score, expected[h].score, 1e-5);
    }
  }
}

TEST(Generate, AnInputsAnswerDoesNotDependOnItsBatch) {
  for (const Index beams : {1, 3}) {
    for (const bool sample : {false, true}) {
      if (sample && beams > 1) continue;
      GenerationOptions options = base();
      options.beam_size = options.hypotheses = beams;
      options.sample = sample;
      if (sample) options.hypotheses = 2;
      Start all(5);
      all.tokens = {5, 1, 5, 2, 3, 4, 4};
      all.batch = Batch{1, 2, 1, 1, 2};
      all.numbers = {3, 1, 4, 5, 9};
      auto session = speaker(5);
      const auto together = generate(session, all.prompts(), options);
      for (Index input = 0; input < 5; ++input) {
        Start alone(1);
        const auto prompt = all.prompts().of(input);
        alone.tokens.assign(prompt.begin(), prompt.end());
        alone.batch = Batch(Index(prompt.size()));
        alone.numbers = {all.numbers[std::size_t(input)]};
        auto single = speaker();
        const auto expected = generate(single, alone.prompts(), options)[0].hypotheses;
        const auto& got = together[std::size_t(input)].hypotheses;
        ASSERT_EQ(got.size(), expected.size());
        for (std::size_t h = 0; h < got.size(); ++h) {
          EXPECT_EQ(got[h].tokens, expected[h].tokens);
          EXPECT_TRUE(same_bits(got[h].log_probabilities, expected[h].log_probabilities));
          EXPECT_EQ(got[h].finish, expected[h].finish);
          EXPECT_TRUE(same_bits(got[h].score, expected[h].score));
        }
      }
    }
  }
}

TEST(Generate, FinishedRowsLeaveAtOnce) {
  // Row r stops after r + 1 tokens: its prompt is its number.
  ScriptedSession session(4, vocab, [](const std::vector<TokenId>& tokens) {
    std::vector<float> logits(vocab, 0.0f);
    logits[Index(tokens.size()) > tokens[0] ? stop : 1] = 9;
    return logits;
  });
  Start start(4);
  start.tokens = {0, 1, 2, 3};
  const auto got = generate(session, start.prompts(), base());
  EXPECT_EQ(session.rows_per_step, (std::vector<Index>{4, 3, 2, 1}));
  for (std::size_t r = 0; r < 4; ++r) EXPECT_EQ(got[r].hypotheses[0].tokens.size(), r + 1);
  EXPECT_EQ(session.rows(), 0);
}

TEST(Generate, AHookThatDoesNothingChangesNothing) {
  for (const Index beams : {1, 4}) {
    GenerationOptions options = base();
    options.beam_size = options.hypotheses = beams;
    options.repetition_penalty = 1.2f;
    options.no_repeat_ngram_size = 2;
    options.min_new_tokens = 5;
    int calls = 0;
    const GenerationHooks hooks{.change_logits = [&](const NextLogits&) { ++calls; }};
    auto plain = speaker(2), hooked = speaker(2);
    const auto expected = generate(plain, Start(2).prompts(), options);
    const auto got = generate(hooked, Start(2).prompts(), options, hooks);
    EXPECT_GT(calls, 5);
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_EQ(got[i].hypotheses.size(), expected[i].hypotheses.size());
      for (std::size_t h = 0; h < got[i].hypotheses.size(); ++h) {
        EXPECT_EQ(got[i].hypotheses[h].tokens, expected[i].hypotheses[h].tokens);
        EXPECT_TRUE(same_bits(got[i].hypotheses[h].score, expected[i].hypotheses[h].score));
      }
    }
  }
}

TEST(Generate, AHookDecides) {
  for (const Index beams : {1, 3}) {
    GenerationOptions options = base();
    options.beam_size = beams;
    const GenerationHooks hooks{.change_logits = [](const NextLogits& next) {
      const auto wanted = next.tokens.size() == 4 ? stop : TokenId(next.tokens.size());
      for (TokenId t = 0; t < vocab; ++t) {
        if (t != wanted) next.logits[std::size_t(t)] = -HUGE_VALF;
      }
    }};
    EXPECT_EQ(one(speaker(), options, hooks).tokens, (std::vector<TokenId>{1, 2, 3, 0}));
    for (const float bad : {std::nanf(""), HUGE_VALF}) {
      const GenerationHooks broken{
          .change_logits = [&](const NextLogits& n) { n.logits[2] = bad; }};
      EXPECT_THROW(one(speaker(), options, broken), Error);
    }
  }
}

TEST(Generate, NotANumberEndsTheSequenceWithItsReason) {
  const auto broken = [](float bad) {
    return ScriptedSession(1, vocab, [bad](const std::vector<TokenId>& tokens) {
      std::vector<float> logits(vocab, 0.0f);
      logits[2] = 3;
      if (tokens.size() == 4) logits[4] = bad;
      return logits;
    });
  };
  for (const Index beams : {1, 3}) {
    for (const bool sample : {false, true}) {
      if (sample && beams > 1) continue;
      for (const float bad : {std::nanf(""), HUGE_VALF}) {
        GenerationOptions options = base();
        options.beam_size = beams;
        options.min_new_tokens = 6;
        options.sample = sample;
        const Hypothesis got = one(broken(bad), options);
        EXPECT_EQ(got.finish, FinishReason::not_a_number);
        EXPECT_EQ(got.tokens.size(), 3u);
        EXPECT_TRUE(std::isfinite(got.score));
      }
    }
  }
  ScriptedSession nothing(1, vocab,
                          [](const auto&) { return std::vector<float>(vocab, -HUGE_VALF); });
  EXPECT_EQ(one(std::move(nothing), base()).finish, FinishReason::not_a_number);
}

TEST(Generate, NoCandidateIsAReasonToo) {
  for (const Index beams : {1, 2}) {
    for (const bool sample : {false, true}) {
      if (sample && beams > 1) continue;
      GenerationOptions options = base();
      options.beam_size = beams;
      options.sample = sample;
      options.suppress_tokens = std::vector<TokenId>{0, 1, 2, 3, 4, 5};
      const Hypothesis got = one(speaker(), options);
      EXPECT_EQ(got.finish, FinishReason::no_candidate);
      EXPECT_TRUE(got.tokens.empty());
      EXPECT_EQ(got.score, 0.0f);
    }
  }
}

TEST(Generate, TheCallbackSeesEveryTokenAndMayCancel) {
  std::vector<TokenId> seen;
  const auto watch = [&](const GenerationStep& step) {
    seen.push_back(step.tokens.back());
    return AfterStep::go_on;
  };
  const Hypothesis whole = one(speaker(), base(), {.on_step = watch});
  EXPECT_EQ(seen, whole.tokens);
  for (const Index beams : {1, 3}) {
    GenerationOptions options = base();
    options.beam_size = beams;
    options.min_new_tokens = 8;
    const auto cancel = [&](const GenerationStep& step) {
      return step.tokens.size() == 3 && step.input == 1 ? AfterStep::cancel : AfterStep::go_on;
    };
    auto session = speaker(2);
    Start start(2);
    start.tokens = {5, 4};
    const auto got = generate(session, start.prompts(), options, {.on_step = cancel});
    EXPECT_EQ(got[1].hypotheses[0].finish, FinishReason::cancelled);
    EXPECT_EQ(got[1].hypotheses[0].tokens.size(), 3u);
    EXPECT_GE(got[0].hypotheses[0].tokens.size(), 8u);
  }
}

TEST(Generate, WhatACallbackThrowsArrives) {
  const auto angry = [](const GenerationStep&) -> AfterStep { throw std::runtime_error("mine"); };
  EXPECT_THROW(one(speaker(), base(), {.on_step = angry}), std::runtime_error);
}

TEST(Generate, LengthsAreThoseOfTheOptionsAndOfTheModel) {
  const auto length = [](const GenerationOptions& options, Index longest = 1000) {
    return one(ScriptedSession(1, vocab, language, longest), options).tokens.size();
  };
  GenerationOptions never_stops;
  EXPECT_EQ(length(never_stops), 20u);
  never_stops.max_length = 7;
  EXPECT_EQ(length(never_stops), 6u);
  never_stops.max_new_tokens = 9;
  EXPECT_EQ(length(never_stops), 9u);
  EXPECT_EQ(length(never_stops, 5), 5u);  // the last token is not fed
  for (const Index beams : {1, 2}) {
    never_stops.beam_size = beams;
    never_stops.max_new_tokens.reset();
    never_stops.max_length = 1;
    const Hypothesis nothing = one(speaker(), never_stops);
    EXPECT_EQ(nothing.finish, FinishReason::length);
    EXPECT_TRUE(nothing.tokens.empty());
  }
}

TEST(Generate, TheCallersLimitGoesBeforeTheFoldersOfAnotherKind) {
  const GenerationOptions folder{.max_length = 512, .beam_size = 4};
  const GenerationOptions mine{.max_new_tokens = 5};
  EXPECT_FALSE(mine.or_from(folder).max_length);
  EXPECT_EQ(mine.or_from(folder).beam_size, 4);
  EXPECT_EQ(GenerationOptions{}.or_from(folder).max_length, 512);
}

TEST(Generate, SamplesFollowTheDistributionAndTheirKeys) {
  // Always the same logits: 3,000 inputs, one token each, against the softmax.
  constexpr Index inputs = 3000;
  const std::vector<float> logits{0, 1, -1, 0.5f, 2, -2};
  const auto run = [&](std::uint64_t seed) {
    ScriptedSession session(inputs, vocab, [&](const auto&) { return logits; });
    GenerationOptions options;
    options.sample = true;
    options.top_k = 0;
    options.max_new_tokens = 1;
    options.seed = seed;
    std::vector<TokenId> drawn;
    for (const auto& answer : generate(session, Start(inputs).prompts(), options)) {
      drawn.push_back(answer.hypotheses[0].tokens[0]);
    }
    return drawn;
  };
  const auto drawn = run(1);
  EXPECT_EQ(drawn, run(1));
  EXPECT_NE(drawn, run(2));
  double chi_square = 0;
  const auto log_probabilities = logs(logits);
  for (TokenId token = 0; token < vocab; ++token) {
    const double expected = inputs * std::exp(double(log_probabilities[std::size_t(token)]));
    const double got = double(std::count(drawn.begin(), drawn.end(), token));
    chi_square += (got - expected) * (got - expected) / expected;
  }
  EXPECT_LT(chi_square, 20.5);  // 0.1 % of honest runs, with 5 degrees of freedom
}

TEST(Generate, SeveralSamplesOfAnInputDiffer) {
  GenerationOptions options = base();
  options.sample = true;
  options.hypotheses = 8;
  options.min_new_tokens = 6;
  auto session = speaker();
  const auto got = generate(session, Start(1).prompts(), options)[0].hypotheses;
  ASSERT_EQ(got.size(), 8u);
  std::set<std::vector<TokenId>> different;
  for (const Hypothesis& hypothesis : got) different.insert(hypothesis.tokens);
  EXPECT_GT(different.size(), 4u);
}

TEST(Generate, AStopTokenNamedTwiceIsOne) {
  GenerationOptions options = base();
  options.beam_size = 4;
  options.hypotheses = 4;
  auto session = speaker(), again = speaker();
  const auto once = generate(session, Start(1).prompts(), options);
  options.stop_tokens->assign(1000000, stop);
  const auto often = generate(again, Start(1).prompts(), options);
  ASSERT_EQ(often[0].hypotheses.size(), once[0].hypotheses.size());
  for (std::size_t h = 0; h < once[0].hypotheses.size(); ++h) {
    EXPECT_EQ(often[0].hypotheses[h].tokens, once[0].hypotheses[h].tokens);
    EXPECT_TRUE(same_bits(often[0].hypotheses[h].score, once[0].hypotheses[h].score));
  }
}

/// Sorting all candidates and keeping a list of the best give the same ones, equals in order.
TEST(Generate, ManyCandidatesAreThoseOfTheSession) {
  constexpr Index wide = 500, count = 200;
  static_assert(count > NextTokens::few);
  const auto script = [](const std::vector<TokenId>& tokens) {
    std::vector<float> logits = random_floats(wide, tokens.size());
    for (float& logit : logits) logit = std::round(logit * 8.0f) / 8.0f;
    logits[7] = -HUGE_VALF;
    return logits;
  };
  ScriptedSession session(1, wide, script);
  const std::vector<TokenId> tokens{begin};
  session.advance(tokens, Batch(1));
  TokenRules rules({}, wide);
  const std::vector<RowHistory> rows{{tokens, 1, 10}};
  NextTokens listed(session, rules, NextTokens::Values::log_probabilities);
  NextTokens sorted(session, rules, NextTokens::Values::log_probabilities);
  listed.find(rows, count);
  Matrix<float> logits(1, wide);
  session.logits(logits);
  sorted.find_in(logits, rows, count, [](Index, std::span<float>) {});
  ASSERT_EQ(listed.of(0).size(), std::size_t(count));
  ASSERT_EQ(sorted.of(0).size(), std::size_t(count));
  for (std::size_t i = 0; i < std::size_t(count); ++i) {
    EXPECT_EQ(sorted.of(0)[i].token, listed.of(0)[i].token);
    EXPECT_TRUE(same_bits(sorted.of(0)[i].value, listed.of(0)[i].value));
  }
}

TEST(Generate, PromptsAreWhole) {
  auto session = speaker(2);
  Start start(2);
  start.numbers = {1};
  EXPECT_THROW(generate(session, start.prompts(), base()), Error);
  start.numbers.clear();
  start.tokens.pop_back();
  EXPECT_THROW(generate(session, start.prompts(), base()), Error);
}

TEST(Generate, OptionsOutOfRangeAreNamed) {
  const auto refusal = [](const GenerationOptions& options) -> std::string {
    try {
      one(speaker(), options);
    } catch (const Error& error) {
      return std::string(name(error.code())) + ": " + error.what();
    }
    return "none";
  };
  EXPECT_EQ(refusal({.max_new_tokens = 0}).substr(0, 32), "invalid_argument: max_new_tokens");
  EXPECT_EQ(refusal({.max_length = -5}).substr(0, 28), "invalid_argument: max_length");
  EXPECT_EQ(refusal({.beam_size = 0}), "invalid_argument: beam_size: expected 1 to 1024, got 0");
  EXPECT_EQ(refusal({.beam_size = 1025}),
            "invalid_argument: beam_size: expected 1 to 1024, got 1025");
  EXPECT_EQ(refusal({.beam_size = 2, .hypotheses = 3}),
            "invalid_argument: hypotheses: expected 1 to 2, got 3");
  EXPECT_EQ(refusal({.hypotheses = 2}), "invalid_argument: hypotheses: expected 1, got 2");
  EXPECT_NE(refusal({.length_penalty = HUGE_VALF}).find("length_penalty"), std::string::npos);
  EXPECT_EQ(refusal({.beam_size = 2, .sample = true}).substr(0, 11), "unsupported");
  EXPECT_NE(refusal({.sample = true, .temperature = 0.0f}).find("temperature"), std::string::npos);
  auto session = speaker(2);
  EXPECT_THROW(generate(session, Start(3).prompts(), base()), Error);
}

}  // namespace
}  // namespace eigenformer::test
