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

}  // namespace
}  // namespace eigenformer::test
