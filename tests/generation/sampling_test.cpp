// SPDX-License-Identifier: MIT
#include "eigenformer/generation/sampling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/bits.hpp"
#include "support/expect_contract.hpp"

namespace eigenformer::test {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Everything neutral, whatever the defaults are.
GenerationOptions no_filter() {
  GenerationOptions options;
  options.top_k = 0;
  return options;
}

Sampler sampler(const GenerationOptions& options, Isa isa = fastest_isa) {
  return Sampler(options, kernels::best_table(isa));
}

std::vector<double> softmax(const std::vector<float>& logits) {
  const double largest = double{*std::max_element(logits.begin(), logits.end())};
  std::vector<double> p;
  double sum = 0;
  for (const float x : logits) {
    p.push_back(std::exp(double{x} - largest));
    sum += p.back();
  }
  for (double& x : p) x /= sum;
  return p;
}

std::vector<int> count_draws(Sampler& sampler, const std::vector<float>& logits, int draws,
                             std::uint64_t seed) {
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i) {
    RandomStream stream(seed, 0, static_cast<std::uint32_t>(i));
    ++counts[static_cast<std::size_t>(sampler.sample(logits, stream))];
  }
  return counts;
}

/// Standard deviations that chi-square is above its mean; a draw of what cannot be is infinitely
/// many. Tokens that are expected fewer than ten times are one class.
double surprise(const std::vector<int>& counts, const std::vector<double>& probabilities) {
  double draws = 0;
  for (const int count : counts) draws += count;
  double chi_square = 0, rare = 0, rare_expected = 0;
  int classes = 0;
  const auto add = [&](double count, double expected) {
    chi_square += (count - expected) * (count - expected) / expected;
    ++classes;
  };
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = draws * probabilities[i];
    if (expected == 0 && counts[i] > 0) return HUGE_VAL;
    if (expected >= 10) {
      add(counts[i], expected);
    } else {
      rare += counts[i];
      rare_expected += expected;
    }
  }
  if (rare_expected >= 10) add(rare, rare_expected);
  const double freedom = classes - 1;
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

constexpr int many = 100'000;

std::vector<std::vector<float>> rows() {
  std::vector<float> with_removed = random_floats(200, 2, 1.5f);
  for (std::size_t i = 0; i < with_removed.size(); i += 3) with_removed[i] = -infinity;
  std::vector<float> steps;
  for (int i = 0; i < 12; ++i) steps.push_back(-0.69314718f * static_cast<float>(i));
  return {{0, 0},
          {0, 1.0986123f},
          std::vector<float>(64, -3.0f),
          steps,
          random_floats(300, 1, 1.0f),
          with_removed};
}

TEST(Sampler, DrawsHaveTheirProbabilities) {
  std::uint64_t seed = 1;
  for (const std::vector<float>& row : rows()) {
    Sampler draws = sampler(no_filter());
    const double surprised = surprise(count_draws(draws, row, many, seed++), softmax(row));
    EXPECT_LT(surprised, 5) << row.size() << " tokens";
    EXPECT_GT(surprised, -5) << "too even to be random";
  }
}

/// The test above would notice a slightly wrong temperature, and a neighbour drawn now and then.
TEST(Sampler, WrongProbabilitiesWouldBeNoticed) {
  const std::vector<float> row = random_floats(300, 1, 1.0f);
  Sampler draws = sampler(no_filter());
  const std::vector<int> counts = count_draws(draws, row, many, 1);
  std::vector<float> warmer = row;
  for (float& x : warmer) x *= 0.9f;
  EXPECT_GT(surprise(counts, softmax(warmer)), 10);
  std::vector<double> shifted = softmax(row);
  for (std::size_t i = 0; i + 1 < shifted.size(); i += 2) {
    const double moved = 0.2 * shifted[i];
    shifted[i] -= moved;
    shifted[i + 1] += moved;
  }
  EXPECT_GT(surprise(counts, shifted), 10);
  std::vector<double> without = softmax(row);
  const auto likeliest = std::max_element(without.begin(), without.end());
  *likeliest = 0;
  EXPECT_EQ(surprise(counts, without), HUGE_VAL);
}

std::vector<GenerationOptions> filters() {
  std::vector<GenerationOptions> all(8, no_filter());
  all[0].temperature = 0.7f;
  all[1].top_k = 20;
  all[2].top_p = 0.8f;
  all[3].min_p = 0.1f;
  all[4].typical_p = 0.7f;
  all[5].epsilon_cutoff = 0.002f;
  all[6].eta_cutoff = 0.01f;
  all[7].temperature = 1.5f;
  all[7].top_k = 40;
  all[7].top_p = 0.9f;
  all[7].min_p = 0.05f;
  return all;
}

TEST(Sampler, DrawsFromWhatTheFiltersLeave) {
  std::uint64_t seed = 100;
  for (const GenerationOptions& options : filters()) {
    for (const Index tokens : {60, 100}) {
      const std::vector<float> row = random_floats(tokens, 3, 1.5f);
      Sampler draws = sampler(options);
      std::vector<float> left = row;
      draws.filter(left);
      EXPECT_NE(left, row);
      EXPECT_LT(surprise(count_draws(draws, row, many, seed++), softmax(left)), 5) << seed;
    }
  }
}

/// Filtering first and drawing from the result without filters is the same, draw for draw.
TEST(Sampler, SamplingIsFilteringAndDrawing) {
  for (const GenerationOptions& options : filters()) {
    Sampler whole = sampler(options), plain = sampler(no_filter());
    for (std::uint64_t row = 0; row < 200; ++row) {
      const std::vector<float> logits = random_floats(400, row, 2.0f);
      std::vector<float> left = logits;
      whole.filter(left);
      RandomStream first(5, row, 0), second(5, row, 0);
      ASSERT_EQ(whole.sample(logits, first), plain.sample(left, second));
    }
  }
}

TEST(Sampler, NeverDrawsARemovedToken) {
  for (const GenerationOptions& options : filters()) {
    Sampler draws = sampler(options);
    for (std::uint64_t stream = 0; stream < 3000; ++stream) {
      std::vector<float> row = random_floats(90, stream, 3.0f);
      for (std::size_t i = 0; i < row.size(); i += 1 + stream % 4) row[i] = -infinity;
      row[stream % row.size()] = 0;
      std::vector<float> left = row;
      draws.filter(left);
      RandomStream random(1, stream, 7);
      ASSERT_GT(left[static_cast<std::size_t>(draws.sample(row, random))], -infinity);
    }
  }
}

TEST(Sampler, AnOnlyTokenIsDrawn) {
  for (const GenerationOptions& options : filters()) {
    Sampler draws = sampler(options);
    for (const float logit : {0.0f, -1e30f, 1e30f}) {
      for (std::uint32_t step = 0; step < 100; ++step) {
        RandomStream stream(0, 0, step);
        ASSERT_EQ(draws.sample(std::vector<float>{logit}, stream), 0);
        std::vector<float> row(50, -infinity);
        row[step % 50] = logit;
        ASSERT_EQ(draws.sample(row, stream), static_cast<TokenId>(step % 50));
      }
    }
  }
}

/// A draw takes the first 53 bits of two words: 0x6627e8d5'e169c58d is 0.399 of the way.
TEST(Sampler, UsesTheStreamsFirstTwoWords) {
  Sampler draws = sampler(no_filter());
  RandomStream stream(0, 0, 0);
  EXPECT_EQ(draws.sample(std::vector<float>(1000, 2.0f), stream), 399);
  EXPECT_EQ(stream.bits(), 0xbc57ac4cu);
}

/// A stream, searched for, whose second word decides between neighbours.
TEST(Sampler, UsesTheSecondWord) {
  const std::vector<float> row((1 << 20) + 7, 0.0f);
  const auto token = [&](double fraction) {
    return static_cast<TokenId>(fraction * static_cast<double>(row.size()));
  };
  for (std::uint64_t number = 0;; ++number) {
    ASSERT_LT(number, 100'000u);
    RandomStream words(3, number, 0), stream(3, number, 0);
    const double first = static_cast<double>(words.bits()) * 0x1p-32;
    const double both = first + static_cast<double>(words.bits() >> 11) * 0x1p-53;
    if (token(first) == token(both)) continue;
    Sampler draws = sampler(no_filter());
    EXPECT_EQ(draws.sample(row, stream), token(both));
    break;
  }
}

/// Seed, stream and step name the draw; what the object did before does not matter.
TEST(Sampler, DrawsDependOnTheStreamAlone) {
  GenerationOptions options;
  options.top_p = 0.95f;
  const std::vector<float> row = random_floats(2000, 4, 1.0f);
  std::set<std::vector<TokenId>> all;
  for (const std::uint64_t seed : {0u, 1u}) {
    for (const std::uint64_t stream : {0u, 1u}) {
      std::vector<TokenId> forward, backward;
      Sampler first = sampler(options), second = sampler(options);
      for (std::uint32_t step = 0; step < 20; ++step) {
        RandomStream random(seed, stream, step);
        forward.push_back(first.sample(row, random));
      }
      for (std::uint32_t step = 20; step-- > 0;) {
        RandomStream other(99, 99, 99), random(seed, stream, step);
        second.sample(random_floats(77, step), other);
        backward.insert(backward.begin(), second.sample(row, random));
      }
      EXPECT_EQ(forward, backward);
      all.insert(forward);
    }
  }
  EXPECT_EQ(all.size(), 4u);  // each of them is another
}

std::vector<TokenId> some_draws(Isa isa) {
  std::vector<TokenId> ids;
  std::uint64_t number = 0;
  for (const GenerationOptions& options : filters()) {
    Sampler draws = sampler(options, isa);
    for (std::uint32_t step = 0; step < 50; ++step) {
      RandomStream stream(2026, number++, step);
      ids.push_back(draws.sample(random_floats(1000, number, 2.0f), stream));
    }
  }
  return ids;
}

using SamplerOnEachIsa = EachIsa;
EIGENFORMER_EACH_ISA(SamplerOnEachIsa);

TEST_P(SamplerOnEachIsa, DrawsAsTheReference) {
  EXPECT_EQ(some_draws(GetParam()), some_draws(Isa::reference));
}

/// The same in every build: a change here changes what every user's seed gives.
TEST(Sampler, DrawsAreTheseForEver) {
  std::uint64_t hash = 0;
  for (const TokenId id : some_draws(Isa::reference)) {
    hash = (hash ^ static_cast<std::uint64_t>(id)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  }
  EXPECT_EQ(hash, 0xe83ec3a6651fa9d8u);
}

/// One shared object changes the processor's modes for a whole process.
TEST(Sampler, RoundsToNearestWhateverTheMode) {
  for (const GenerationOptions& options : filters()) {
    Sampler draws = sampler(options);
    const std::vector<float> row = random_floats(500, 6, 2.0f);
    std::vector<float> expected = row, got = row;
    draws.filter(expected);
    ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
    draws.filter(got);
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(got, expected);
  }
}

TEST(SamplerThreads, EachThreadHasItsOwn) {
  const std::vector<TokenId> expected = some_draws(fastest_isa);
  std::vector<std::vector<TokenId>> got(3);
  std::vector<std::thread> threads;
  for (auto& ids : got) threads.emplace_back([&ids] { ids = some_draws(fastest_isa); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& ids : got) EXPECT_EQ(ids, expected);
}

TEST(Sampler, FiftyTokensAreLeftByDefault) {
  std::vector<float> row = random_floats(300, 8);
  const std::vector<float> before = row;
  sampler({}).filter(row);
  EXPECT_EQ(std::count_if(row.begin(), row.end(), [](float x) { return x > -infinity; }), 50);
  for (std::size_t i = 0; i < row.size(); ++i) {
    EXPECT_TRUE(row[i] == before[i] || row[i] == -infinity);
  }
}

// What is no option.

struct WrongOption {
  std::string name, range;
  std::optional<float> GenerationOptions::*option;
  std::vector<float> wrong, right;
};

TEST(Sampler, OptionsOutsideTheirRangesAreErrors) {
  const float least = std::numeric_limits<float>::denorm_min();
  const float most = std::numeric_limits<float>::max();
  const float above = std::nextafter(1.0f, 2.0f);
  const std::vector<float> no_share = {-least, -1.0f, above, 2.0f, -infinity, infinity, nan};
  const std::vector<float> shares = {0.0f, -0.0f, least, 0.5f, 1.0f};
  const std::vector<WrongOption> options = {
      {"temperature",
       "a finite number above 0",
       &GenerationOptions::temperature,
       {0.0f, -0.0f, -least, -1.0f, infinity, -infinity, nan},
       {least, 1.0f, 100.0f, most}},
      {"top_p", "0 to 1", &GenerationOptions::top_p, no_share, shares},
      {"min_p", "0 to 1", &GenerationOptions::min_p, no_share, shares},
      {"typical_p",
       "above 0, to 1",
       &GenerationOptions::typical_p,
       {0.0f, -0.0f, -least, -1.0f, above, 2.0f, infinity, -infinity, nan},
       {least, 0.5f, 1.0f}},
      {"epsilon_cutoff", "0 to 1", &GenerationOptions::epsilon_cutoff, no_share, shares},
      {"eta_cutoff", "0 to 1", &GenerationOptions::eta_cutoff, no_share, shares}};
  for (const WrongOption& option : options) {
    for (const float value : option.wrong) {
      GenerationOptions given;
      given.*option.option = value;
      try {
        sampler(given);
        ADD_FAILURE() << option.name << " = " << value << " is accepted";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_NE(
            std::string(error.what()).find(option.name + ": expected " + option.range + ", got "),
            std::string::npos)
            << error.what();
      }
    }
    for (const float value : option.right) {
      GenerationOptions given;
      given.*option.option = value;
      std::vector<float> row = {1, 2, 3};
      EXPECT_NO_THROW(sampler(given).filter(row)) << option.name << " = " << value;
    }
  }
}

TEST(Sampler, ErrorsSayTheValue) {
  const auto text = [](const GenerationOptions& options) {
    try {
      sampler(options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  GenerationOptions options;
  options.top_p = 1.5f;
  EXPECT_EQ(text(options), "top_p: expected 0 to 1, got 1.5");
  options.top_p = nan;
  EXPECT_EQ(text(options), "top_p: expected 0 to 1, got nan");
  options.top_p = -std::numeric_limits<float>::max();
  EXPECT_EQ(text(options), "top_p: expected 0 to 1, got -3.4028235e+38");
  options = {};
  options.top_k = -1;
  EXPECT_EQ(text(options), "top_k: expected 0 to 2147483647, got -1");
  options.top_k = std::numeric_limits<TokenId>::max();
  EXPECT_EQ(text(options), "no error");
}

TEST(Sampler, AnyTopKIsFine) {
  GenerationOptions options;
  options.top_k = std::numeric_limits<TokenId>::max();
  std::vector<float> row = {1, 2, 3};
  sampler(options).filter(row);
  EXPECT_EQ(row, (std::vector<float>{1, 2, 3}));
}

TEST(Sampler, RowsThatCannotBeDrawnFromBreakTheContract) {
  [[maybe_unused]] Sampler draws = sampler({});
  [[maybe_unused]] RandomStream stream(0, 0, 0);
  for (std::vector<float> row : {std::vector<float>{},
                                 {-infinity},
                                 {-infinity, -infinity},
                                 {1, nan},
                                 {nan, 1},
                                 {1, infinity}}) {
    EXPECT_BROKEN_CONTRACT(draws.filter(row));
    EXPECT_BROKEN_CONTRACT(draws.sample(row, stream));
  }
}

}  // namespace
}  // namespace eigenformer::test
