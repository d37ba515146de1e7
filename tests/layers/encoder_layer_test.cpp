// SPDX-License-Identifier: MIT
#include "eigenformer/layers/encoder_layer.hpp"

#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

constexpr TransformerConfig small{.d_model = 24, .heads = 3, .d_ff = 50};

/// A block by its parts, written out: what forward does, in the order of its wiring.
template <class Wiring>
void by_its_parts(bool before) {
  EncoderLayer<float, Wiring> layer(small);
  randomize(layer, 1);
  MultiHeadAttention<float> attention(small.attention(AttentionScope::all(), {}));
  FeedForward<float> feed_forward(small.feed_forward());
  LayerNorm<float> norm1(small.norm()), norm2(small.norm());
  const auto take = [&](auto& part, const std::string& prefix) {
    part.for_each_parameter([&](const std::string& name, auto& parameter) {
      const Matrix<float> value = layer.get(prefix + name);
      assign(parameter, value.view());
    });
  };
  take(attention, "self_attention.");
  take(norm1, "self_attention_residual.norm.");
  take(feed_forward, "feed_forward.");
  take(norm2, "feed_forward_residual.norm.");

  Context context = make_context();
  const Batch batch{4, 7};
  Matrix<float> x = random_matrix<float>(11, 24, 2), block = x, in = x, y = x;
  layer.forward(block, batch, context);
  if (before) {
    norm1(x.view(), context, in);
    attention(in.view(), batch, context, y);
    x += y;
    norm2(x.view(), context, in);
    feed_forward(in.view(), context, y);
    x += y;
  } else {
    attention(x.view(), batch, context, y);
    x += y;
    norm1(x.view(), context, x);
    feed_forward(x.view(), context, y);
    x += y;
    norm2(x.view(), context, x);
  }
  EXPECT_TRUE(same_bits(x, block));
}
TEST(EncoderLayer, PostNormByItsParts) { by_its_parts<PostNorm>(false); }
TEST(EncoderLayer, PreNormByItsParts) { by_its_parts<PreNorm>(true); }

/// Zero weights: attention and feed-forward add nothing, and what is left are two norms.
TEST(EncoderLayer, ByHand) {
  const EncoderLayer<float> layer({.d_model = 2, .heads = 1, .d_ff = 2, .norm_epsilon = 1e-12});
  Context context = make_context();
  Matrix<float> x{{5, 3}};
  layer.forward(x, Batch(1), context);
  EXPECT_EQ(x, (Matrix<float>{{1, -1}}));
  const EncoderLayer<float, PreNorm> pre({.d_model = 2, .heads = 1, .d_ff = 2});
  x = Matrix<float>{{5, 3}};
  pre.forward(x, Batch(1), context);
  EXPECT_EQ(x, (Matrix<float>{{5, 3}}));
}

TEST(EncoderLayer, ASequenceAloneHasTheBitsThatItHasInABatch) {
  EncoderLayer<float> layer(small);
  randomize(layer, 3);
  Context context = make_context();
  Matrix<float> x = random_matrix<float>(60, 24, 4);
  const Matrix<float> alone_in = x.middleRows(20, 33);
  layer.forward(x, Batch{20, 33, 0, 7}, context);
  Matrix<float> alone = alone_in;
  layer.forward(alone, Batch(33), context);
  EXPECT_TRUE(same_bits(alone, Matrix<float>(x.middleRows(20, 33))));
}

}  // namespace
}  // namespace eigenformer::test
