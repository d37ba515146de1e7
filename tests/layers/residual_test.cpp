// SPDX-License-Identifier: MIT
#include "eigenformer/layers/residual.hpp"

#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// A sub-layer that keeps the first of two features and adds 2 to the second: LayerNorm of (a, b)
/// is
/// (-1, 1) or (1, -1), whichever is larger.
void add_two(Rows<float> in, MatrixView<float> out) {
  out(0, 0) = in.values()(0, 0);
  out(0, 1) = in.values()(0, 1) + 2;
}
constexpr NormConfig config{.features = 2, .epsilon = 1e-12};

TEST(Residual, NormAfter) {  // (5, 3) + (5, 5) = (10, 8), normalised
  const ResidualNormAfter<float> residual(config);
  Context context = make_context();
  Matrix<float> x{{5, 3}};
  residual(x, context, add_two);
  EXPECT_EQ(x, (Matrix<float>{{1, -1}}));
}

TEST(Residual, NormBefore) {  // (5, 3) + ((1, -1) -> (1, 1))
  const ResidualNormBefore<float> residual(config);
  Context context = make_context();
  Matrix<float> x{{5, 3}};
  residual(x, context, add_two);
  EXPECT_EQ(x, (Matrix<float>{{6, 4}}));
}

TEST(Residual, NormAround) {  // (5, 3) + norm((4, -2) -> (4, 0)), weights (4, 2) inside and (1, 1)
  ResidualNormAround<float> residual(config);
  residual.set("norm_before.weight", Matrix<float>{{4, 2}});
  Context context = make_context();
  Matrix<float> x{{5, 3}};
  residual(x, context, add_two);
  EXPECT_EQ(x, (Matrix<float>{{6, 2}}));
}

TEST(Residual, WithRmsNorm) {  // (3, 4) has the root mean square sqrt(12.5)
  const ResidualNormBefore<double, RmsNorm> residual(config);
  Context context = make_context();
  Matrix<double> x{{3, 4}};
  residual(x, context,
           [](Rows<double> in, MatrixView<double> out) { as_eigen(out) = as_eigen(in.values()); });
  EXPECT_LT(
      largest_difference(x, Matrix<double>{{3 + 3 / std::sqrt(12.5), 4 + 4 / std::sqrt(12.5)}}),
      1e-12);
}

}  // namespace
}  // namespace eigenformer::test
