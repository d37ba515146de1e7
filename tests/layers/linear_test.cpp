// SPDX-License-Identifier: MIT
#include "eigenformer/layers/linear.hpp"

#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

TEST(Linear, ByHand) {
  Linear<float> linear({.inputs = 3, .outputs = 2});
  linear.set("weight", Matrix<float>{{1, 2, 3}, {4, 5, 6}});
  linear.set("bias", Matrix<float>{{10, 20}});
  Context context = make_context();
  const Matrix<float> x{{1, 0, 0}, {1, 1, -1}};
  Matrix<float> y(2, 2);
  linear(x.view(), context, y);
  EXPECT_EQ(y, (Matrix<float>{{11, 24}, {10, 23}}));
}

TEST(Linear, WithoutBias) {
  Linear<float> linear({.inputs = 2, .outputs = 1, .bias = false});
  linear.set("weight", Matrix<float>{{2, 3}});
  EXPECT_EQ(linear.parameter_count(), 2);
  EXPECT_THROW(linear.set("bias", Matrix<float>{{1}}), Error);
  Context context = make_context();
  const Matrix<float> x{{1, 1}};
  Matrix<float> y(1, 1);
  linear(x.view(), context, y);
  EXPECT_EQ(y(0, 0), 5);
}

/// The same layer in float and in double, with random parameters, applied to the same x.
struct BesideDouble {
  Linear<float> linear;
  Matrix<float> x = random_matrix<float>(9, 70, 3), y{9, 50};
  Matrix<double> expected{9, 50};

  explicit BesideDouble(Storage storage)
      : linear({.inputs = 70, .outputs = 50, .storage = storage}) {
    randomize(linear, 1);
    Linear<double> oracle({.inputs = 70, .outputs = 50});
    copy_parameters(linear, oracle);
    Context context = make_context();
    linear(x.view(), context, y);
    oracle(to_double(x).view(), context, expected);
  }
};

TEST(Linear, FloatIsCloseToDouble) {
  for (const Storage storage : {Storage::f32, Storage::f16, Storage::bf16}) {
    const BesideDouble both(storage);
    EXPECT_LT(largest_difference(both.y, both.expected), 2e-6);
  }
}

/// Each input is off by up to half of a 127th of the largest one.
TEST(Linear, Int8IsCloseToDouble) {
  const BesideDouble both(Storage::int8);
  const Matrix<float> weight = both.linear.get("weight");
  for (Index row = 0; row < 9; ++row) {
    const float half_step = both.x.row(row).cwiseAbs().maxCoeff() / 254;
    for (Index o = 0; o < 50; ++o) {
      EXPECT_NEAR(both.y(row, o), both.expected(row, o),
                  1.001f * half_step * weight.row(o).cwiseAbs().sum());
    }
  }
  EXPECT_GT(largest_difference(both.y, both.expected), 1e-4) << "activations are int8, too";
}

TEST(Linear, ShapesAreChecked) {
  Linear<float> linear({.inputs = 3, .outputs = 2});
  Context context = make_context();
  Matrix<float> x(4, 5), y(4, 2);
  try {
    linear(x.view(), context, y);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::shape_mismatch);
    EXPECT_STREQ(error.what(), "Linear: x: expected [4, 3], got [4, 5]");
  }
}

TEST(Linear, ConfigsThatCannotBe) {
  for (const Index size : {Index{0}, Index{-4}, Index{1} << 31, Index{1} << 62}) {
    EXPECT_THROW(Linear<float>({.inputs = size, .outputs = 1}), Error);
    EXPECT_THROW(Linear<float>({.inputs = 1, .outputs = size}), Error);
  }
}

TEST(Linear, NoRowsAreFine) {
  Linear<float> linear({.inputs = 3, .outputs = 2});
  Context context = make_context();
  Matrix<float> x(0, 3), y(0, 2);
  EXPECT_NO_THROW(linear(x.view(), context, y));
}

}  // namespace
}  // namespace eigenformer::test
