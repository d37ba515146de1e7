// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/reference/softmax.hpp"

#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct Softmax : EachIsa {
  void expect_equal(const std::vector<float>& x, Index n) {
    std::vector<float> expected(x.size() + 1, 9.0f), got(x.size() + 1, 9.0f);
    reference().softmax(x.data() + 1, expected.data() + 1, n);
    fast().softmax(x.data() + 1, got.data() + 1, n);
    ASSERT_TRUE(same_bits(expected, got)) << "softmax of " << n;
    reference().log_softmax(x.data() + 1, expected.data() + 1, n);
    fast().log_softmax(x.data() + 1, got.data() + 1, n);
    ASSERT_TRUE(same_bits(expected, got)) << "log_softmax of " << n;
    const auto one = reference().log_sum_exp(x.data() + 1, n),
               other = fast().log_sum_exp(x.data() + 1, n);
    ASSERT_TRUE(same_bits(one.max, other.max) && same_bits(one.log_sum, other.log_sum));
  }
};

TEST_P(Softmax, RandomRows) {
  for (const Index n : interesting_sizes()) expect_equal(random_floats(n + 1, 11, 4.0f), n);
}
TEST_P(Softmax, SpecialValues) {
  for (const Index n : interesting_sizes()) expect_equal(mixed_floats(n + 1, 12, 17), n);
}
TEST_P(Softmax, WholeBlocksOfMinusInfinity) {
  for (const Index n : {1024, 1025, 2048, 4000}) {
    std::vector<float> x(static_cast<std::size_t>(n + 1), -infinity);
    expect_equal(x, n);
    x[static_cast<std::size_t>(n)] = 3.0f;
    expect_equal(x, n);
  }
}

EIGENFORMER_EACH_ISA(Softmax);

TEST(SoftmaxReference, ByHand) {
  const float x[] = {0, 0, std::log(2.0f)};
  float y[3];
  kernels::reference::softmax(x, y, 3);
  EXPECT_FLOAT_EQ(y[0], 0.25f);
  EXPECT_FLOAT_EQ(y[2], 0.5f);
  kernels::reference::log_softmax(x, y, 3);
  EXPECT_FLOAT_EQ(y[1], std::log(0.25f));
}

/// A masked vocabulary: whole blocks without a word take no part; a NaN anywhere is not lost.
TEST(SoftmaxReference, MaskedBlocksAndNaN) {
  std::vector<float> x(3000, -infinity);
  x[1500] = 2.0f;
  EXPECT_EQ(kernels::reference::log_sum_exp(x.data(), 3000).max, 2.0f);
  EXPECT_EQ(kernels::reference::log_sum_exp(x.data(), 3000).log_sum, 0.0f);
  x[10] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(kernels::reference::log_sum_exp(x.data(), 3000).log_sum));
}

}  // namespace
}  // namespace eigenformer::test
