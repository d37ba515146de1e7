// SPDX-License-Identifier: MIT
#include "eigenformer/layers/pooling.hpp"

#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

template <class Scalar>
void by_hand(Pooling pooling, const Matrix<Scalar>& expected) {
  const Matrix<Scalar> x{{1, 8}, {4, 2}, {7, 5}, {9, 9}};  // three tokens, then one, then none
  Context context = make_context();
  Matrix<Scalar> pooled(3, 2);
  pool<Scalar>(pooling, x, Batch{3, 1, 0}, context, pooled);
  EXPECT_LT(largest_difference(pooled, expected), 1e-6) << static_cast<int>(pooling);
}

template <class Scalar>
void all_by_hand() {
  const Scalar root = std::sqrt(Scalar{3});
  by_hand<Scalar>(Pooling::mean, {{4, 5}, {9, 9}, {0, 0}});
  by_hand<Scalar>(Pooling::first, {{1, 8}, {9, 9}, {0, 0}});
  by_hand<Scalar>(Pooling::last, {{7, 5}, {9, 9}, {0, 0}});
  by_hand<Scalar>(Pooling::max, {{7, 8}, {9, 9}, {0, 0}});
  by_hand<Scalar>(Pooling::mean_sqrt_length, {{12 / root, 15 / root}, {9, 9}, {0, 0}});
  by_hand<Scalar>(Pooling::weighted_mean, {{5, 4.5}, {9, 9}, {0, 0}});  // (1 + 8 + 21) / 6
}
TEST(Pooling, ByHand) {
  all_by_hand<float>();
  all_by_hand<double>();
}

TEST(Pooling, NormalizesRows) {
  Matrix<float> x{{3, 4}, {0, 0}};
  Context context = make_context();
  normalize_rows(context, x.view());
  EXPECT_LT(largest_difference(x, Matrix<double>{{0.6, 0.8}, {0, 0}}), 1e-7);
}

}  // namespace
}  // namespace eigenformer::test
