// SPDX-License-Identifier: MIT
#include "eigenformer/core/rows.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace eigenformer::test {
namespace {

TEST(Rows, AreAViewOfActivations) {
  float memory[8] = {1, 2, 3, -1, 4, 5, 6, -1};
  const MatrixView<float> view(memory, 2, 3, 4);
  const Rows<float> rows = view;
  EXPECT_EQ(rows.tokens(), 2);
  EXPECT_EQ(rows.features(), 3);
  EXPECT_EQ(rows.values()(1, 2), 6);
  EXPECT_EQ(rows.values().stride(), 4);
  const Rows<float> read_only = MatrixView<const float>(view);
  EXPECT_EQ(read_only.values().data(), memory);
  static_assert(std::is_same_v<decltype(rows.values()), MatrixView<const float>>);
}

}  // namespace
}  // namespace eigenformer::test
