// SPDX-License-Identifier: MIT
#include "eigenformer/layers/layer_norm.hpp"

#include "support/golden.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// Mean 3, variance 3.5, and sqrt(3.5 + 0.5) = 2.
template <class Scalar>
void by_hand() {
  LayerNorm<Scalar> norm({.features = 4, .epsilon = 0.5});
  norm.set("weight", Matrix<Scalar>{{1, 1, 2, 1}});
  norm.set("bias", Matrix<Scalar>{{0, 0, 5, 1}});
  Context context = make_context();
  Matrix<Scalar> x{{1, 2, 3, 6}};
  norm(x.view(), context, x);
  EXPECT_EQ(x, (Matrix<Scalar>{{-1, -0.5, 5, 2.5}}));
}
TEST(LayerNorm, ByHand) {
  by_hand<float>();
  by_hand<double>();
}

TEST(LayerNorm, ANewOneNormalizes) {
  LayerNorm<float> norm({.features = 2, .epsilon = 1e-12, .bias = false});
  Context context = make_context();
  Matrix<float> x{{5, 7}};
  norm(x.view(), context, x);
  EXPECT_EQ(x, (Matrix<float>{{-1, 1}}));
  EXPECT_EQ(norm.parameter_count(), 2);
}

TEST(LayerNorm, ConfigsThatCannotBe) {
  EXPECT_THROW(LayerNorm<float>({.features = 0}), Error);
  for (const double epsilon : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), HUGE_VAL}) {
    EXPECT_THROW(LayerNorm<float>({.features = 4, .epsilon = epsilon}), Error) << epsilon;
  }
}

TEST(LayerNorm, LikeTheReferenceImplementation) {
  const Golden golden("ops/ops");
  for (const auto& [epsilon, name] :
       {std::pair{1e-5, "1e-05"}, {1e-6, "1e-06"}, {1e-12, "1e-12"}}) {
    LayerNorm<float> norm({.features = 48, .epsilon = epsilon});
    norm.set("weight", golden.matrix<float>("norm.weight"));
    norm.set("bias", golden.matrix<float>("norm.bias"));
    Context context = make_context();
    Matrix<float> x = golden.matrix<float>("norm.x");
    norm(x.view(), context, x);
    const auto expected = golden.matrix<double>(std::string("layer_norm.eps") + name);
    EXPECT_LT(largest_difference(x, expected), 1e-5 * expected.cwiseAbs().maxCoeff());

    LayerNorm<double> oracle({.features = 48, .epsilon = epsilon});
    oracle.set("weight", golden.matrix<double>("norm.weight"));
    oracle.set("bias", golden.matrix<double>("norm.bias"));
    Matrix<double> y = golden.matrix<double>("norm.x");
    oracle(y.view(), context, y);
    EXPECT_LT(largest_difference(y, expected), 1e-12 * expected.cwiseAbs().maxCoeff());
  }
}

}  // namespace
}  // namespace eigenformer::test
