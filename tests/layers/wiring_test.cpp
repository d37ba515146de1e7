// SPDX-License-Identifier: MIT
#include "eigenformer/layers/wiring.hpp"

#include "eigenformer/layers/stack.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// A wiring of one's own: RMSNorm around each sub-layer, gated networks, learned positions.
struct Sandwich {
  template <class Scalar>
  using Norm = RmsNorm<Scalar>;
  template <class Scalar>
  using Residual = ResidualNormAround<Scalar, RmsNorm>;
  template <class Scalar>
  using FeedForward = GatedFeedForward<Scalar>;
  template <class Scalar>
  using Positions = LearnedPositions<Scalar>;
};

TEST(Wiring, OfOnesOwn) {
  const TransformerConfig config{.d_model = 24,
                                 .heads = 4,
                                 .kv_heads = 2,
                                 .d_ff = 40,
                                 .encoder_layers = 2,
                                 .activation = Activation::silu,
                                 .final_norm = true};
  Encoder<float, Sandwich> encoder(config);
  randomize(encoder, 1);
  Encoder<double, Sandwich> oracle(config);
  copy_parameters(encoder, oracle);
  Context context = make_context();
  Matrix<float> x = random_matrix<float>(12, 24, 2);
  Matrix<double> expected = to_double(x);
  encoder.forward(x, Batch{5, 7}, context);
  oracle.forward(expected, Batch{5, 7}, context);
  EXPECT_LT(largest_difference(x, expected), 1e-5 * expected.cwiseAbs().maxCoeff());
  EXPECT_NO_THROW(encoder.get("layers.1.feed_forward_residual.norm_after.weight"));
  EXPECT_NO_THROW(encoder.get("final_norm.weight"));
}

}  // namespace
}  // namespace eigenformer::test
