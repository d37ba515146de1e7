// SPDX-License-Identifier: MIT
#include "eigenformer/layers/rms_norm.hpp"

#include "support/golden.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// The mean square is 5.5, and sqrt(5.5 + 0.75) = 2.5.
template <class Scalar>
void by_hand() {
  RmsNorm<Scalar> norm({.features = 4, .epsilon = 0.75});
  norm.set("weight", Matrix<Scalar>{{1, 1, 2, 0.5}});
  Context context = make_context();
  Matrix<Scalar> x{{1, -1, 2, 4}};
  norm(x.view(), context, x);
  EXPECT_LT(largest_difference(x, Matrix<double>{{0.4, -0.4, 1.6, 0.8}}), 1e-7);
}
TEST(RmsNorm, ByHand) {
  by_hand<float>();
  by_hand<double>();
}

TEST(RmsNorm, LikeTheReferenceImplementation) {
  const Golden golden("ops/ops");
  for (const auto& [epsilon, name] :
       {std::pair{1e-5, "1e-05"}, {1e-6, "1e-06"}, {1e-12, "1e-12"}}) {
    RmsNorm<float> norm({.features = 48, .epsilon = epsilon});
    norm.set("weight", golden.matrix<float>("norm.weight"));
    Context context = make_context();
    Matrix<float> x = golden.matrix<float>("norm.x");
    norm(x.view(), context, x);
    const auto expected = golden.matrix<double>(std::string("rms_norm.eps") + name);
    EXPECT_LT(largest_difference(x, expected), 1e-5 * expected.cwiseAbs().maxCoeff());

    RmsNorm<double> oracle({.features = 48, .epsilon = epsilon});
    oracle.set("weight", golden.matrix<double>("norm.weight"));
    Matrix<double> y = golden.matrix<double>("norm.x");
    oracle(y.view(), context, y);
    EXPECT_LT(largest_difference(y, expected), 1e-12 * expected.cwiseAbs().maxCoeff());
  }
}

}  // namespace
}  // namespace eigenformer::test
