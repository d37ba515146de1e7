// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/reference/reduction.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace eigenformer::test {
namespace {

namespace reference = kernels::reference;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Sums as texts, so that the tree can be read.
struct Term {
  std::string text;
  friend Term operator+(const Term& a, const Term& b) {
    return {"(" + a.text + "+" + b.text + ")"};
  }
};

TEST(Reduction, TheTree) {
  std::vector<Term> lane;
  for (char c = 'a'; c < 'a' + 16; ++c) lane.push_back({std::string(1, c)});
  EXPECT_EQ(reference::tree_sum(lane.data()).text,
            "((((a+i)+(e+m))+((c+k)+(g+o)))+(((b+j)+(f+n))+((d+l)+(h+p))))");
}

/// 2^24 + 1 + 1 is 2^24 or 2^24 + 2 in float, by the order.
TEST(Reduction, TheOrderMatters) {
  float lane[16] = {};
  lane[0] = 0x1p24f;
  lane[8] = 1;  // meets lane 0 first
  lane[4] = 1;
  EXPECT_EQ(reference::tree_sum(lane), 0x1p24f);
  lane[8] = 0;
  lane[12] = 1;  // meets lane 4 first
  EXPECT_EQ(reference::tree_sum(lane), 0x1p24f + 2);
}

TEST(Reduction, Larger) {
  EXPECT_EQ(reference::larger(1, 2), 2);
  EXPECT_EQ(reference::larger(2, 1), 2);
  EXPECT_EQ(reference::larger(nan, 1), 1);
  EXPECT_TRUE(std::isnan(reference::larger(1, nan)));
  EXPECT_TRUE(std::signbit(reference::larger(0.0f, -0.0f))) << "the second where they are equal";
  EXPECT_FALSE(std::signbit(reference::larger(-0.0f, 0.0f)));
}

TEST(Reduction, Maximum) {
  EXPECT_EQ(reference::maximum(nullptr, 0), -infinity);
  for (Index n = 1; n <= 70; ++n) {
    for (Index at = 0; at < n; ++at) {
      std::vector<float> x(static_cast<std::size_t>(n), -3.0f);
      x[static_cast<std::size_t>(at)] = -2.0f;
      ASSERT_EQ(reference::maximum(x.data(), n), -2.0f) << at << " of " << n;
    }
  }
}

TEST(Reduction, NaNsDoNotCount) {
  std::vector<float> x(40, 1.0f);
  x[0] = x[17] = x[39] = nan;
  x[20] = 5.0f;
  EXPECT_EQ(reference::maximum(x.data(), 40), 5.0f);
  const float only[] = {nan, nan};
  EXPECT_EQ(reference::maximum(only, 2), -infinity);
}

}  // namespace
}  // namespace eigenformer::test
