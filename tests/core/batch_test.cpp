// SPDX-License-Identifier: MIT
#include "eigenformer/core/batch.hpp"

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "support/expect_contract.hpp"

namespace eigenformer::test {
namespace {

TEST(Batch, Empty) {
  const Batch batch;
  EXPECT_EQ(batch.sequences(), 0);
  EXPECT_EQ(batch.tokens(), 0);
}

TEST(Batch, OneSequence) {
  const Batch batch(7);
  EXPECT_EQ(batch.sequences(), 1);
  EXPECT_EQ(batch.tokens(), 7);
  EXPECT_EQ(batch.begin(0), 0);
  EXPECT_EQ(batch.end(0), 7);
}

TEST(Batch, StacksSequences) {
  Batch batch{3, 0, 5};
  EXPECT_EQ(batch.sequences(), 3);
  EXPECT_EQ(batch.tokens(), 8);
  EXPECT_EQ(batch.begin(1), 3);
  EXPECT_EQ(batch.length(1), 0);
  EXPECT_EQ(batch.begin(2), 3);
  EXPECT_EQ(batch.end(2), 8);
  batch.add(2);
  EXPECT_EQ(batch.sequences(), 4);
  EXPECT_EQ(batch.begin(3), 8);
  EXPECT_EQ(batch.length(3), 2);
}

TEST(Batch, RefusesNegativeLengths) {
  Batch batch{3};
  try {
    batch.add(-2);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_STREQ(error.what(), "Batch: expected a length of 0 or more, got -2");
  }
  EXPECT_EQ(batch.tokens(), 3);
  EXPECT_THROW(Batch({3, -1}), Error);
}

TEST(Batch, Contracts) {
  [[maybe_unused]] const Batch batch{3, 4};
  EXPECT_BROKEN_CONTRACT(batch.length(2));
  EXPECT_BROKEN_CONTRACT(batch.begin(-1));
}

TEST(Batch, FromAVectorOfLengths) {
  const std::vector<Index> lengths{3, 0, 4};
  const Batch batch{std::span<const Index>(lengths)};
  EXPECT_EQ(batch.sequences(), 3);
  EXPECT_EQ(batch.begin(2), 3);
  EXPECT_EQ(batch.tokens(), 7);
}

}  // namespace
}  // namespace eigenformer::test
