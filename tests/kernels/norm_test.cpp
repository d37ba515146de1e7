// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/reference/norm.hpp"
#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

struct Norm : EachIsa {
  using Kernel = void (*kernels::KernelTable::*)(const kernels::NormRow&);

  void expect_equal(Kernel kernel, Index step) {
    for (const Index n : interesting_sizes()) {
      if (n == 0) continue;
      const auto x = step ? mixed_floats(n + 1, 5, step) : random_floats(n + 1, 5, 3.0f);
      const auto weight = random_floats(n + 1, 6), bias = random_floats(n + 1, 7);
      for (const float* b : {bias.data() + 1, static_cast<const float*>(nullptr)}) {
        std::vector<float> expected(x.size() + 1, 9.0f), got(x.size() + 1, 9.0f);
        (reference().*kernel)({x.data() + 1, weight.data() + 1, b, 1e-5f, expected.data() + 1, n});
        (fast().*kernel)({x.data() + 1, weight.data() + 1, b, 1e-5f, got.data() + 1, n});
        ASSERT_TRUE(same_bits(expected, got)) << "features " << n;
      }
    }
  }
};

TEST_P(Norm, LayerNorm) { expect_equal(&kernels::KernelTable::layer_norm, 0); }
TEST_P(Norm, LayerNormOfSpecialValues) { expect_equal(&kernels::KernelTable::layer_norm, 40); }
TEST_P(Norm, RmsNorm) { expect_equal(&kernels::KernelTable::rms_norm, 0); }
TEST_P(Norm, RmsNormOfSpecialValues) { expect_equal(&kernels::KernelTable::rms_norm, 40); }

EIGENFORMER_EACH_ISA(Norm);

/// By hand: the mean of (1, 2, 3, 6) is 3, the variance (4 + 1 + 0 + 9) / 4 = 3.5.
TEST(NormReference, LayerNormByHand) {
  const float x[] = {1, 2, 3, 6}, weight[] = {1, 1, 2, 1}, bias[] = {0, 0, 5, 1};
  float y[4];
  kernels::reference::layer_norm({x, weight, bias, 0.5f, y, 4});  // sqrt(3.5 + 0.5) = 2
  EXPECT_EQ(y[0], -1.0f);
  EXPECT_EQ(y[1], -0.5f);
  EXPECT_EQ(y[2], 5.0f);
  EXPECT_EQ(y[3], 2.5f);
}

/// By hand: the mean square of (1, -1, 2, 4) is 22 / 4 = 5.5, with epsilon 0.75 the root is 2.5.
TEST(NormReference, RmsNormByHand) {
  const float x[] = {1, -1, 2, 4}, weight[] = {1, 1, 1, 0.5f};
  float y[4];
  kernels::reference::rms_norm({x, weight, nullptr, 0.75f, y, 4});
  EXPECT_FLOAT_EQ(y[0], 0.4f);
  EXPECT_FLOAT_EQ(y[1], -0.4f);
  EXPECT_FLOAT_EQ(y[2], 0.8f);
  EXPECT_FLOAT_EQ(y[3], 0.8f);
}

}  // namespace
}  // namespace eigenformer::test
