// SPDX-License-Identifier: MIT
#include "eigenformer/core/shape.hpp"

#include <gtest/gtest.h>

#include "eigenformer/core/matrix.hpp"

namespace eigenformer::test {
namespace {

template <class Function>
void expect_error(Function function, ErrorCode code, const char* text) {
  try {
    function();
    FAIL() << "no error, expected: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_STREQ(error.what(), text);
  }
}

TEST(Shape, Text) { EXPECT_EQ(shape_text(3, 4), "[3, 4]"); }

TEST(Shape, ExpectShape) {
  const Matrix<float> m(2, 3);
  expect_shape(m, 2, 3, "Linear weight");
  expect_shape(m.view(), 2, 3, "Linear weight");
  expect_error([&] { expect_shape(m, 3, 2, "Linear weight"); }, ErrorCode::shape_mismatch,
               "Linear weight: expected [3, 2], got [2, 3]");
  expect_error([&] { expect_shape(m, 2, 4, "x"); }, ErrorCode::shape_mismatch,
               "x: expected [2, 4], got [2, 3]");
}

TEST(Shape, ExpectRange) {
  expect_range(1, 1, 8, "heads");
  expect_range(8, 1, 8, "heads");
  expect_error([] { expect_range(0, 1, 8, "heads"); }, ErrorCode::invalid_argument,
               "heads: expected 1 to 8, got 0");
  expect_error([] { expect_range(9, 1, 8, "heads"); }, ErrorCode::invalid_argument,
               "heads: expected 1 to 8, got 9");
}

}  // namespace
}  // namespace eigenformer::test
