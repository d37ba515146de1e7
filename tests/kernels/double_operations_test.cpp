// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/double_operations.hpp"

#include "eigenformer/kernels/operations.hpp"

#include "support/golden.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// The oracle itself against what the reference implementation records in double.
TEST(DoubleOperations, ActivationsLikeTheReferenceImplementation) {
  const Golden golden("ops/ops");
  Context context = make_context();
  const std::pair<Activation, const char*> names[] = {{Activation::relu, "relu"},
                                                      {Activation::gelu, "gelu_erf"},
                                                      {Activation::gelu_tanh, "gelu_tanh"},
                                                      {Activation::quick_gelu, "gelu_quick"},
                                                      {Activation::silu, "silu"},
                                                      {Activation::sigmoid, "sigmoid"},
                                                      {Activation::tanh, "tanh"}};
  for (const auto& [activation, name] : names) {
    Matrix<double> x = golden.matrix<double>("act.x");
    kernels::activate(context, activation, x.view());
    EXPECT_LT(largest_difference(x, golden.matrix<double>(std::string("act.") + name)), 1e-13)
        << name;
  }
}

TEST(DoubleOperations, SoftmaxLikeTheReferenceImplementation) {
  const Golden golden("ops/ops");
  Context context = make_context();
  Matrix<double> x = golden.matrix<double>("softmax.x"), y = x;
  kernels::softmax(context, x.view());
  EXPECT_LT(largest_difference(x, golden.matrix<double>("softmax.y")), 1e-14);
  kernels::log_softmax(context, y.view());
  EXPECT_LT(largest_difference(y, golden.matrix<double>("log_softmax.y")), 1e-12);

  // Float is compared on its own inputs: rounding a score near 1,000 is worth 6e-5.
  Matrix<float> z = golden.matrix<float>("softmax.x"), w = z;
  Matrix<double> expected = to_double(z), expected_log = expected;
  kernels::softmax(context, expected.view());
  kernels::log_softmax(context, expected_log.view());
  kernels::softmax(context, z.view());
  kernels::log_softmax(context, w.view());
  EXPECT_LT(largest_difference(z, expected), 3e-7);
  EXPECT_LT(largest_difference(w, expected_log), 3e-7 * expected_log.cwiseAbs().maxCoeff());
}

TEST(DoubleOperations, ElementByElement) {
  Context context = make_context();
  Matrix<double> x{{1, 2}}, y{{10, 20}};
  kernels::add(context, x.view(), y.view());
  EXPECT_EQ(y, (Matrix<double>{{11, 22}}));
  kernels::multiply(context, x.view(), y.view());
  EXPECT_EQ(y, (Matrix<double>{{11, 44}}));
  kernels::scale(context, x.view(), 3.0, y.view());
  EXPECT_EQ(y, (Matrix<double>{{3, 6}}));
  kernels::add_scaled(context, x.view(), 2.0, y.view());
  EXPECT_EQ(y, (Matrix<double>{{5, 10}}));
}

}  // namespace
}  // namespace eigenformer::test
