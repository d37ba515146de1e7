// SPDX-License-Identifier: MIT
#include "eigenformer/core/aligned_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>

#include "support/expect_contract.hpp"

namespace eigenformer::test {
namespace {

AlignedBuffer<int> counting(Index size) {
  AlignedBuffer<int> buffer(size);
  std::iota(buffer.begin(), buffer.end(), 0);
  return buffer;
}

TEST(AlignedBuffer, IsZeroedOnACacheLine) {
  for (const Index size : {1, 3, 16, 100, 5000}) {
    const AlignedBuffer<float> buffer(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_EQ(std::count(buffer.begin(), buffer.end(), 0.0f), size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(buffer.bytes(), static_cast<std::size_t>(size) * 4);
  }
}

TEST(AlignedBuffer, Empty) {
  const AlignedBuffer<float> none, zero(0);
  EXPECT_EQ(none.data(), nullptr);
  EXPECT_EQ(zero.data(), nullptr);
  EXPECT_EQ(zero.begin(), zero.end());
  const AlignedBuffer<float> copy(none);
  EXPECT_EQ(copy.size(), 0);
}

TEST(AlignedBuffer, CopiesAreDeep) {
  AlignedBuffer<int> a = counting(10);
  AlignedBuffer<int> b = a, c(3);
  c = a;
  a[4] = -1;
  EXPECT_EQ(b[4], 4);
  EXPECT_EQ(c[4], 4);
  EXPECT_EQ(c.size(), 10);
}

TEST(AlignedBuffer, MovesTakeTheMemory) {
  AlignedBuffer<int> a = counting(10);
  const int* const memory = a.data();
  AlignedBuffer<int> b = std::move(a);
  EXPECT_EQ(b.data(), memory);
  EXPECT_EQ(a.size(), 0);  // NOLINT(bugprone-use-after-move): what is left is empty
  AlignedBuffer<int> c(3);
  c = std::move(b);
  EXPECT_EQ(c.data(), memory);
  EXPECT_EQ(c[9], 9);
}

TEST(AlignedBuffer, ToItself) {
  AlignedBuffer<int> a = counting(10);
  AlignedBuffer<int>& same = *std::addressof(a);
  a = same;
  EXPECT_EQ(a[9], 9);
  a = std::move(same);
  EXPECT_EQ(a[9], 9);
}

/// A size that no machine has is refused before it overflows.
TEST(AlignedBuffer, RefusesImpossibleSizes) {
  EXPECT_THROW(AlignedBuffer<double>(-1), std::bad_alloc);
  EXPECT_THROW(AlignedBuffer<double>(std::numeric_limits<Index>::max() / 8 + 1), std::bad_alloc);
}

TEST(AlignedBuffer, Contracts) {
  [[maybe_unused]] const AlignedBuffer<int> buffer = counting(3);
  EXPECT_BROKEN_CONTRACT(static_cast<void>(buffer[3]));
  EXPECT_BROKEN_CONTRACT(static_cast<void>(buffer[-1]));
}

}  // namespace
}  // namespace eigenformer::test
