// SPDX-License-Identifier: MIT
#include "eigenformer/generation/candidates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

using sampling::Candidates;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float most = std::numeric_limits<float>::max();

std::vector<TokenId> ids_of(const Candidates& tokens) {
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < tokens.size(); ++i) ids.push_back(tokens.id(i));
  return ids;
}

Candidates candidates(const std::vector<float>& logits, float temperature = 1, Index top_k = 0) {
  Candidates tokens(kernels::best_table());
  tokens.assign(logits, temperature, top_k);
  return tokens;
}

using Ids = std::vector<TokenId>;

TEST(KthLargest, EqualsSorting) {
  std::vector<float> scratch;
  for (const Index n : {1, 2, 15, 16, 17, 63, 64, 65, 500, 5000}) {
    const std::vector<float> random = random_floats(n, 1);
    std::vector<float> ascending = random, descending = random, few = random;
    std::sort(ascending.begin(), ascending.end());
    std::sort(descending.begin(), descending.end(), std::greater<>());
    for (float& x : few) x = std::round(x);
    for (const std::vector<float>& x : {random, ascending, descending, few}) {
      std::vector<float> sorted = x;
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      for (std::size_t k = 1; k <= x.size(); k += 1 + k / 3) {
        ASSERT_EQ(sampling::kth_largest(x, k, scratch), sorted[k - 1]) << k << " of " << n;
      }
    }
  }
}

TEST(KthLargest, InfinitiesAreBelowEverything) {
  std::vector<float> scratch;
  std::vector<float> x(100, -infinity);
  EXPECT_EQ(sampling::kth_largest(x, 1, scratch), -infinity);
  x[3] = -most;
  x[77] = 2;
  EXPECT_EQ(sampling::kth_largest(x, 1, scratch), 2);
  EXPECT_EQ(sampling::kth_largest(x, 2, scratch), -most);
  EXPECT_EQ(sampling::kth_largest(x, 3, scratch), -infinity);
}

TEST(Candidates, AreWhatIsAboveMinusInfinity) {
  const Candidates tokens = candidates({1, -infinity, 3, -most, -infinity}, 2);
  EXPECT_EQ(ids_of(tokens), (Ids{0, 2, 3}));
  EXPECT_EQ(tokens.logit(0), 0.5f);
  EXPECT_EQ(tokens.logit(1), 1.5f);
  EXPECT_EQ(tokens.logit(2), -most / 2);
  EXPECT_EQ(tokens.largest(), 1.5f);
  EXPECT_EQ(tokens.weight(1), 1.0f);
  EXPECT_NEAR(tokens.weight(0), 0.36787944f, 1e-7f);
  EXPECT_EQ(tokens.weight(2), 0.0f);
}

TEST(Candidates, TopKKeepsAllThatEqualTheLast) {
  EXPECT_EQ(ids_of(candidates({1, 3, 2, 2, 0, 2}, 1, 1)), (Ids{1}));
  EXPECT_EQ(ids_of(candidates({1, 3, 2, 2, 0, 2}, 1, 2)), (Ids{1, 2, 3, 5}));
  EXPECT_EQ(ids_of(candidates({1, 3, 2, 2, 0, 2}, 1, 5)), (Ids{0, 1, 2, 3, 5}));
  EXPECT_EQ(ids_of(candidates({1, 3, 2, 2, 0, 2}, 1, 6)), (Ids{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(ids_of(candidates({1, 3, 2, 2, 0, 2}, 1, 1'000'000)), (Ids{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(ids_of(candidates({1, -infinity, 2, -infinity}, 1, 3)), (Ids{0, 2}));
}

/// The k-th is looked for before the division, which may make its lower neighbours equal to it.
TEST(Candidates, TopKComparesAfterTheTemperature) {
  const float x = 1.75f, below = std::nextafter(x, 0.0f);
  ASSERT_EQ(x / 3.0f, below / 3.0f);
  EXPECT_EQ(ids_of(candidates({below, x, 0}, 1, 1)), (Ids{1}));
  EXPECT_EQ(ids_of(candidates({below, x, 0}, 3, 1)), (Ids{0, 1}));
  // All the way down to one denormal number, in whole blocks and beside them.
  std::vector<float> row(40, 0.0f);
  row[1] = 1e-7f;
  row[20] = 1.05e-7f;
  row[39] = 0.95e-7f;
  ASSERT_EQ(row[1] / 1e38f, row[39] / 1e38f);
  EXPECT_EQ(ids_of(candidates(row, 1e38f, 1)), (Ids{1, 20, 39}));
}

/// Where division leaves float's range, what counts is the distance from the largest.
TEST(Candidates, TinyTemperaturesKeepTheLargest) {
  for (const float temperature : {1e-30f, 1e-38f, std::numeric_limits<float>::denorm_min()}) {
    for (const float scale : {1.0f, 1e9f, 1e30f}) {
      for (const Index top_k : {0, 2}) {
        const Candidates up = candidates({5 * scale, 4 * scale, 5 * scale}, temperature, top_k);
        EXPECT_EQ(up.weight(0), 1.0f);
        EXPECT_EQ(ids_of(up).front(), 0);
        EXPECT_EQ(ids_of(up).back(), 2);
        EXPECT_EQ(up.mass(), 2.0);
        const Candidates down =
            candidates({-5 * scale, -4 * scale, -6 * scale}, temperature, top_k);
        EXPECT_EQ(down.mass(), 1.0);
        EXPECT_EQ(down.at(0.999), 1);
      }
    }
  }
  // Here the differences count, and are those of the logits.
  const Candidates near = candidates({1e30f, std::nextafter(1e30f, 0.0f)}, 1e-9f * 1e30f / 1e7f);
  EXPECT_EQ(near.size(), 2u);
  const Candidates huge = candidates({most, -most}, 0.5f);
  EXPECT_EQ(huge.mass(), 1.0);
  EXPECT_EQ(huge.at(0.999), 0);
}

/// Weights 1, 1/2 (nearly), 1 over a mass of 2.5.
TEST(Candidates, AFractionFindsItsToken) {
  const Candidates tokens = candidates({0, -0.69314718f, -infinity, 0});
  EXPECT_EQ(tokens.at(0.0), 0);
  EXPECT_EQ(tokens.at(0.399999), 0);
  EXPECT_EQ(tokens.at(0.400001), 1);
  EXPECT_EQ(tokens.at(0.599999), 1);
  EXPECT_EQ(tokens.at(0.600001), 3);
  EXPECT_EQ(tokens.at(0x1.fffffffffffffp-1), 3);
}

/// Neither end of the interval gives a token without weight, whatever the sum is.
TEST(Candidates, TheEndsOfTheIntervalHaveWeight) {
  for (const Index n : {1, 2, 3, 100, 3001}) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      std::vector<float> logits(static_cast<std::size_t>(n + 40), -200.0f);
      const std::vector<float> random = random_floats(n, seed, 3.0f);
      std::copy(random.begin(), random.end(), logits.begin() + 20);
      logits.push_back(*std::max_element(logits.begin(), logits.end()) - 110.0f);
      const Candidates tokens = candidates(logits);
      ASSERT_EQ(tokens.size(), logits.size());
      ASSERT_EQ(tokens.at(0.0), 20);
      // The last token that is above 2^-53 of the mass is near the end.
      const TokenId last = tokens.at(0x1.fffffffffffffp-1);
      ASSERT_LT(last, 20 + n);
      ASSERT_GT(last, n);
    }
  }
}

TEST(Candidates, KeepIfKeepsTheOrderAndTheWeights) {
  Candidates tokens = candidates({0, 1, 2, 3, 4, 5, 6});
  const float of_one = tokens.weight(1), of_five = tokens.weight(5);
  tokens.keep_if([&](std::size_t i) { return i % 4 == 1; });
  EXPECT_EQ(ids_of(tokens), (Ids{1, 5}));
  EXPECT_EQ(tokens.weight(0), of_one);
  EXPECT_EQ(tokens.weight(1), of_five);
  EXPECT_EQ(tokens.mass(), double{of_one} + double{of_five});
  tokens.weigh();
  EXPECT_EQ(tokens.largest(), 5.0f);
  EXPECT_EQ(tokens.weight(1), 1.0f);
}

}  // namespace
}  // namespace eigenformer::test
