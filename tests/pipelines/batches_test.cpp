// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/batches.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

using Batches = std::vector<std::vector<std::size_t>>;

TEST(Batches, HaveTheLongestFirstAndNoMoreTokensThanAllowed) {
  EXPECT_EQ(batches_by_tokens(std::vector<Index>{3, 5, 3, 9, 1}, 8),
            (Batches{{3}, {1, 0}, {2, 4}}));
  EXPECT_EQ(batches_by_tokens(std::vector<Index>{2, 2, 2}, 4), (Batches{{0, 1}, {2}}));
  EXPECT_EQ(batches_by_tokens(std::vector<Index>{7, 7}, 1), (Batches{{0}, {1}}));
  EXPECT_EQ(batches_by_tokens(std::vector<Index>{}, 8), Batches{});
}

/// For three threads: full at first, then a sixth of what is left, down to what is worth it.
TEST(Batches, OfSeveralThreadsEndSmall) {
  const std::vector<Index> lengths(1200, 10);
  Index left = 12000, last = 1000;
  for (const auto& batch : batches_by_tokens(lengths, 1000, 3)) {
    const Index tokens = 10 * static_cast<Index>(batch.size());
    EXPECT_LE(tokens, last);
    EXPECT_LE(tokens, std::max(left / 6, small_batch));
    if (left > 2 * small_batch) {
      EXPECT_GT(tokens, small_batch - 10);
    }
    last = tokens;
    left -= tokens;
  }
  EXPECT_EQ(left, 0);
  EXPECT_EQ(batches_by_tokens(std::vector<Index>{4, 4, 4, 4}, 100, 2), (Batches{{0, 1}, {2, 3}}))
      << "a batch for each";
}

}  // namespace
}  // namespace eigenformer::test
