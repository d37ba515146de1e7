// SPDX-License-Identifier: MIT
#include "eigenformer/core/matrix.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/expect_contract.hpp"

namespace eigenformer::test {
namespace {

Matrix<float> one_to_six() { return {{1, 2, 3}, {4, 5, 6}}; }

/// An alias, so that compilers don't point at what is deliberate: a move to itself.
template <class Type>
Type& same(Type& object) {
  return *std::addressof(object);
}

TEST(Matrix, IsRowMajorZeroedAndAligned) {
  Matrix<float> m(2, 3);
  EXPECT_EQ(m.rows(), 2);
  EXPECT_EQ(m.cols(), 3);
  EXPECT_EQ(m.sum(), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(m.data()) % 64, 0u);
  m(1, 0) = 7;
  EXPECT_EQ(m.data()[3], 7);
}

TEST(Matrix, FromLists) {
  const Matrix<float> m = one_to_six();
  EXPECT_EQ(m.rows(), 2);
  EXPECT_EQ(m.cols(), 3);
  EXPECT_EQ(m(0, 2), 3);
  EXPECT_EQ(m(1, 0), 4);
  EXPECT_THROW((Matrix<float>{{1, 2}, {3}}), Error);
}

TEST(Matrix, Empty) {
  Matrix<float> none, wide(0, 5), tall(5, 0);
  EXPECT_EQ(none.size(), 0);
  EXPECT_EQ(wide.cols(), 5);
  EXPECT_EQ(tall.rows(), 5);
  EXPECT_TRUE(none.view().empty());
  const Matrix<float> copy = wide;
  EXPECT_EQ(copy.cols(), 5);
  none = wide;
  EXPECT_EQ(none.cols(), 5);
  none = one_to_six();
  EXPECT_EQ(none(1, 2), 6);
  const Matrix<float> zeros = tall * wide;
  EXPECT_EQ(zeros.rows(), 5);
  EXPECT_EQ(zeros.cwiseAbs().sum(), 0);
}

TEST(Matrix, CopiesAreDeep) {
  Matrix<float> a = one_to_six();
  const Matrix<float> b = a;
  a(0, 0) = 100;
  EXPECT_EQ(b(0, 0), 1);
  Matrix<float> c(1, 1);
  c = b;
  c(1, 2) = 60;
  EXPECT_EQ(b(1, 2), 6);
  EXPECT_EQ(c.rows(), 2);
}

TEST(Matrix, MovesTakeTheMemory) {
  static_assert(std::is_nothrow_move_constructible_v<Matrix<float>>);
  static_assert(std::is_nothrow_move_assignable_v<Matrix<float>>);
  Matrix<float> a = one_to_six();
  const float* const memory = a.data();
  Matrix<float> b = std::move(a);
  EXPECT_EQ(b.data(), memory);
  EXPECT_EQ(a.size(), 0);  // NOLINT(bugprone-use-after-move): what is left is an empty matrix
  Matrix<float> c(4, 4);
  c = std::move(b);
  EXPECT_EQ(c.data(), memory);
  EXPECT_EQ(c.cols(), 3);
  EXPECT_EQ(b.size(), 0);  // NOLINT(bugprone-use-after-move)
  std::swap(a, c);
  EXPECT_EQ(a.data(), memory);
  EXPECT_EQ(c.size(), 0);
}

TEST(Matrix, ToItself) {
  Matrix<float> m = one_to_six();
  m = same(m);
  EXPECT_EQ(m, one_to_six());
  m = std::move(same(m));
  EXPECT_EQ(m, one_to_six());
}

TEST(Matrix, AnExpressionMayReferToItsTarget) {
  Matrix<float> m{{1, 1}, {1, 0}};
  m = m * m;
  EXPECT_EQ(m, (Matrix<float>{{2, 1}, {1, 1}}));
  m = m.transpose() * 2;
  EXPECT_EQ(m, (Matrix<float>{{4, 2}, {2, 2}}));
  Matrix<float> n = one_to_six();
  n = n.transpose();
  EXPECT_EQ(n, (Matrix<float>{{1, 4}, {2, 5}, {3, 6}}));
  n = n * n.transpose();  // another shape
  EXPECT_EQ(n, (Matrix<float>{{17, 22, 27}, {22, 29, 36}, {27, 36, 45}}));
}

TEST(Matrix, IsAnEigenMatrixInExpressions) {
  Matrix<float> m = one_to_six();
  m += m;
  m.row(0) *= 10;
  m.noalias() += Matrix<float>{{1}, {1}} * Matrix<float>{{1, 0, 0}};
  EXPECT_EQ(m, (Matrix<float>{{21, 40, 60}, {9, 10, 12}}));
  m.setConstant(3);
  EXPECT_EQ(m.sum(), 18);
  const EigenMatrix<float> owned = m;
  const Matrix<float> back = owned;
  EXPECT_EQ(back, m);
  const Eigen::MatrixXf by_columns = one_to_six();
  EXPECT_EQ(Matrix<float>(by_columns), one_to_six());
}

TEST(Matrix, ToAndFromViews) {
  Matrix<float> m = one_to_six();
  const MatrixView<float> view = m;
  view(1, 2) = 66;
  EXPECT_EQ(m(1, 2), 66);
  const MatrixView<const float> reader = std::as_const(m);
  EXPECT_EQ(reader.data(), m.data());
  EXPECT_EQ(Matrix<float>(reader.middle_cols(1, 2)), (Matrix<float>{{2, 3}, {5, 66}}));
}

TEST(Matrix, AViewIsAnEigenMap) {
  float memory[8] = {1, 2, 3, -1, 4, 5, 6, -1};
  const MatrixView<float> view(memory, 2, 3, 4);
  EXPECT_EQ(as_eigen(view).sum(), 21);
  as_eigen(view) = as_eigen(view) * 2;
  EXPECT_EQ(memory[5], 10);
  EXPECT_EQ(memory[3], -1);
  EXPECT_EQ(as_eigen(MatrixView<const float>(view)).row(1).sum(), 30);
}

TEST(Matrix, LivesInContainers) {
  std::vector<Matrix<float>> many;
  for (Index i = 0; i < 20; ++i) {
    many.push_back(Matrix<float>(i, 2));
    many.back().setConstant(static_cast<float>(i));
  }
  for (Index i = 0; i < 20; ++i) {
    EXPECT_EQ(many[static_cast<std::size_t>(i)].sum(), static_cast<float>(2 * i * i));
  }
}

TEST(Matrix, SizesThatCannotBe) {
  EXPECT_THROW(Matrix<float>(-4, -4), std::bad_alloc);
  EXPECT_THROW(Matrix<float>(Index{1} << 32, Index{1} << 32), std::bad_alloc);
  EXPECT_THROW((Matrix<float>{{1}, {2, 3}}), Error);
}

}  // namespace
}  // namespace eigenformer::test
