// SPDX-License-Identifier: MIT
#include "eigenformer/core/matrix_view.hpp"

#include <gtest/gtest.h>

#include <type_traits>

#include "support/expect_contract.hpp"

namespace eigenformer::test {
namespace {

/// [2, 3] in rows of 5, the last two of which don't belong.
struct Strided {
  float memory[10] = {1, 2, 3, -1, -1, 4, 5, 6, -1, -1};
  MatrixView<float> view{memory, 2, 3, 5};
};

TEST(MatrixView, WalksRowsByTheirStride) {
  Strided m;
  EXPECT_EQ(m.view.rows(), 2);
  EXPECT_EQ(m.view.cols(), 3);
  EXPECT_EQ(m.view.stride(), 5);
  EXPECT_EQ(m.view(0, 2), 3);
  EXPECT_EQ(m.view(1, 0), 4);
  EXPECT_EQ(m.view.row(1), m.memory + 5);
  m.view(1, 1) = 50;
  EXPECT_EQ(m.memory[6], 50);
}

TEST(MatrixView, ADenseMatrixHasItsColumnsAsStride) {
  float memory[6] = {};
  const MatrixView<float> view(memory, 2, 3);
  EXPECT_EQ(view.stride(), 3);
}

TEST(MatrixView, MiddleRowsAndColumns) {
  const Strided m;
  const auto below = m.view.middle_rows(1, 1);
  EXPECT_EQ(below.rows(), 1);
  EXPECT_EQ(below(0, 0), 4);
  const auto right = m.view.middle_cols(1, 2);
  EXPECT_EQ(right.cols(), 2);
  EXPECT_EQ(right.stride(), 5);
  EXPECT_EQ(right(1, 1), 6);
  EXPECT_TRUE(m.view.middle_rows(2, 0).empty());
  EXPECT_TRUE(m.view.middle_cols(3, 0).empty());
  EXPECT_EQ(m.view.middle_rows(1, 1).middle_cols(2, 1)(0, 0), 6);
}

TEST(MatrixView, AssigningLooksElsewhere) {
  Strided a, b;
  a.view = b.view;
  a.view(0, 0) = 7;
  EXPECT_EQ(b.memory[0], 7);
  EXPECT_EQ(a.memory[0], 1);
}

TEST(MatrixView, WritersConvertToReadersAndNotBack) {
  static_assert(std::is_convertible_v<MatrixView<float>, MatrixView<const float>>);
  static_assert(!std::is_convertible_v<MatrixView<const float>, MatrixView<float>>);
  static_assert(!std::is_convertible_v<MatrixView<float>, MatrixView<const double>>);
  static_assert(std::is_trivially_copyable_v<MatrixView<float>>);
  const Strided m;
  const MatrixView<const float> reader = m.view;
  EXPECT_EQ(reader.stride(), 5);
  EXPECT_EQ(reader(1, 2), 6);
}

TEST(MatrixView, EmptyOnes) {
  EXPECT_TRUE(MatrixView<float>().empty());
  EXPECT_TRUE(MatrixView<float>(nullptr, 0, 5).empty());
  EXPECT_TRUE(MatrixView<float>(nullptr, 5, 0).empty());
  EXPECT_FALSE(Strided().view.empty());
}

TEST(MatrixView, Contracts) {
  [[maybe_unused]] const Strided m;
  EXPECT_BROKEN_CONTRACT(m.view(2, 0));
  EXPECT_BROKEN_CONTRACT(m.view(-1, 0));
  EXPECT_BROKEN_CONTRACT(m.view(0, 3));
  EXPECT_BROKEN_CONTRACT(m.view(0, -1));
  EXPECT_BROKEN_CONTRACT(m.view.row(2));
  EXPECT_BROKEN_CONTRACT(m.view.middle_rows(1, 2));
  EXPECT_BROKEN_CONTRACT(m.view.middle_rows(-1, 1));
  EXPECT_BROKEN_CONTRACT(m.view.middle_cols(0, 4));
  EXPECT_BROKEN_CONTRACT(m.view.middle_cols(1, -1));
  EXPECT_BROKEN_CONTRACT(MatrixView<const float>(m.memory, 2, 3, 2));
  EXPECT_BROKEN_CONTRACT(MatrixView<const float>(m.memory, -1, 3));
}

}  // namespace
}  // namespace eigenformer::test
