// SPDX-License-Identifier: MIT
#include "eigenformer/layers/feed_forward.hpp"

#include <cmath>
#include <limits>

#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// (1, 2) W_1 = (3, -1), ReLU gives (3, 0), times W_2 plus 1 is (4, 7).
TEST(FeedForward, ByHand) {
  FeedForward<float> feed_forward({.d_model = 2, .d_ff = 2});
  feed_forward.set("up.weight", Matrix<float>{{1, 1}, {1, -1}});
  feed_forward.set("down.weight", Matrix<float>{{1, 5}, {2, 5}});
  feed_forward.set("down.bias", Matrix<float>{{1, 1}});
  Context context = make_context();
  const Matrix<float> x{{1, 2}};
  Matrix<float> y(1, 2);
  feed_forward(x.view(), context, y);
  EXPECT_EQ(y, (Matrix<float>{{4, 7}}));
}

/// relu(2 * 1) * (3 * 1) = 6, times 0.5 is 3.
TEST(GatedFeedForward, ByHand) {
  GatedFeedForward<float> feed_forward({.d_model = 1, .d_ff = 1, .bias = false});
  feed_forward.set("gate.weight", Matrix<float>{{2}});
  feed_forward.set("up.weight", Matrix<float>{{3}});
  feed_forward.set("down.weight", Matrix<float>{{0.5f}});
  Context context = make_context();
  Matrix<float> x{{1}, {-1}}, y(2, 1);
  feed_forward(x.view(), context, y);
  EXPECT_EQ(y, (Matrix<float>{{3}, {0}}));
}

TEST(FeedForward, LosesNoNaN) {
  for (int a = 0; a < activations; ++a) {
    FeedForward<float> network(
        {.d_model = 1, .d_ff = 20, .activation = static_cast<Activation>(a)});
    randomize(network, 3);
    Matrix<float> bias(1, 20);
    bias(0, 19) = std::numeric_limits<float>::quiet_NaN();
    network.set("up.bias", bias);
    Context context = make_context();
    Matrix<float> y(1, 1);
    network(Matrix<float>{{1}}.view(), context, y);
    EXPECT_TRUE(std::isnan(y(0, 0))) << name(static_cast<Activation>(a));
  }
}

template <template <class> class Network>
void float_is_close_to_double() {
  for (int a = 0; a < activations; ++a) {
    const FeedForwardConfig config{
        .d_model = 20, .d_ff = 50, .activation = static_cast<Activation>(a)};
    Network<float> network(config);
    randomize(network, 5);
    Network<double> oracle(config);
    copy_parameters(network, oracle);
    Context context = make_context();
    const auto x = random_matrix<float>(7, 20, 6);
    Matrix<float> y(7, 20);
    Matrix<double> expected(7, 20);
    network(x.view(), context, y);
    oracle(to_double(x).view(), context, expected);
    EXPECT_LT(largest_difference(y, expected), 4e-6) << name(config.activation);
  }
}
TEST(FeedForward, FloatIsCloseToDouble) { float_is_close_to_double<FeedForward>(); }
TEST(GatedFeedForward, FloatIsCloseToDouble) { float_is_close_to_double<GatedFeedForward>(); }

}  // namespace
}  // namespace eigenformer::test
