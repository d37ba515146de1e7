// SPDX-License-Identifier: MIT
#include "eigenformer/core/slab_pool.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

TEST(SlabPool, TakesTheSmallestThatSuffices) {
  SlabPool pool;
  AlignedBuffer<float> small = pool.take(100), large = pool.take(1000), medium = pool.take(500);
  const float* const medium_memory = medium.data();
  const float* const large_memory = large.data();
  pool.give_back(std::move(small));
  pool.give_back(std::move(large));
  pool.give_back(std::move(medium));
  medium = pool.take(101);
  EXPECT_EQ(medium.data(), medium_memory);
  EXPECT_EQ(medium.size(), 500);
  large = pool.take(101);
  EXPECT_EQ(large.data(), large_memory);
  EXPECT_EQ(pool.made(), 3u);
  EXPECT_EQ(pool.take(101).size(), 101);
  EXPECT_EQ(pool.made(), 4u);
}

TEST(SlabPool, Empty) {
  SlabPool pool;
  pool.give_back(pool.take(0));
  EXPECT_EQ(pool.take(1).size(), 1);
}

}  // namespace
}  // namespace eigenformer::test
