// SPDX-License-Identifier: MIT
#include "eigenformer/layers/pooling.hpp"

#include "eigenformer/core/thread_pool.hpp"
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

/// The same bits alone, with threads, and on every instruction set.
TEST(Pooling, OneArithmeticThreads) {
  const Matrix<float> x = random_matrix<float>(60, 37, 1);
  const Batch batch{40, 1, 19};
  ThreadPool threads(3);
  for (const Pooling pooling : {Pooling::mean, Pooling::first, Pooling::last, Pooling::max,
                                Pooling::mean_sqrt_length, Pooling::weighted_mean}) {
    Context reference = make_context(Isa::reference), parallel = make_context(threads);
    Matrix<float> expected(3, 37), got(3, 37), alone(1, 37);
    pool<float>(pooling, x, batch, reference, expected);
    normalize_rows(reference, expected.view());
    pool<float>(pooling, x, batch, parallel, got);
    normalize_rows(parallel, got.view());
    EXPECT_TRUE(same_bits(expected, got)) << static_cast<int>(pooling);
    pool<float>(pooling, x.view().middle_rows(41, 19), Batch(19), parallel, alone);
    normalize_rows(parallel, alone.view());
    EXPECT_TRUE(same_bits(Matrix<float>(expected.bottomRows(1)), alone));
  }
}

TEST(Pooling, NormalizesRows) {
  Matrix<float> x{{3, 4}, {0, 0}};
  Context context = make_context();
  normalize_rows(context, x.view());
  EXPECT_LT(largest_difference(x, Matrix<double>{{0.6, 0.8}, {0, 0}}), 1e-7);
}

}  // namespace
}  // namespace eigenformer::test
