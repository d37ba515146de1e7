// SPDX-License-Identifier: MIT
#include "eigenformer/layers/decoder_layer.hpp"

#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

constexpr TransformerConfig small{.d_model = 24, .heads = 3, .d_ff = 50};

/// Zero weights: three sub-layers that add nothing.
TEST(DecoderLayer, ByHand) {
  const Matrix<float> states(4, 2);
  const Batch memory_batch(4);
  const Memory<float> memory{states, memory_batch};
  Context context = make_context();
  const DecoderLayer<float, PreNorm> pre({.d_model = 2, .heads = 1, .d_ff = 2});
  Matrix<float> x{{5, 3}};
  pre.forward(x, Batch(1), memory, context);
  EXPECT_EQ(x, (Matrix<float>{{5, 3}}));
  const DecoderLayer<float> post({.d_model = 2, .heads = 1, .d_ff = 2, .norm_epsilon = 1e-12});
  post.forward(x, Batch(1), memory, context);
  EXPECT_EQ(x, (Matrix<float>{{1, -1}}));
}

/// What comes later changes no bit of what came before; what memory says does.
TEST(DecoderLayer, LooksBackAndToItsMemoryOnly) {
  DecoderLayer<float> layer(small);
  randomize(layer, 1);
  Context context = make_context();
  Matrix<float> states = random_matrix<float>(9, 24, 2);
  const Batch memory_batch(9);
  const Matrix<float> input = random_matrix<float>(80, 24, 3);
  Matrix<float> whole = input;
  layer.forward(whole, Batch(80), {states, memory_batch}, context);
  for (const Index length : {1, 2, 63, 64, 65, 79}) {
    Matrix<float> part = input.topRows(length);
    layer.forward(part, Batch(length), {states, memory_batch}, context);
    EXPECT_TRUE(same_bits(part, Matrix<float>(whole.topRows(length)))) << length;
  }
  states(8, 0) += 1;
  Matrix<float> other = input;
  layer.forward(other, Batch(80), {states, memory_batch}, context);
  EXPECT_GT(largest_difference(other.row(0), whole.row(0)), 1e-4);
}

TEST(DecoderLayer, RaggedIsAlone) {
  DecoderLayer<float, PreNorm> layer(small);
  randomize(layer, 5);
  Context context = make_context();
  const Matrix<float> states = random_matrix<float>(30, 24, 6);
  const Batch sources{5, 21, 4}, targets{3, 9, 2};
  const Matrix<float> input = random_matrix<float>(14, 24, 7);
  Matrix<float> together = input;
  layer.forward(together, targets, {states, sources}, context);
  for (Index s = 0; s < 3; ++s) {
    const Matrix<float> own = states.middleRows(sources.begin(s), sources.length(s));
    const Batch source(sources.length(s));
    Matrix<float> alone = input.middleRows(targets.begin(s), targets.length(s));
    layer.forward(alone, Batch(targets.length(s)), {own, source}, context);
    EXPECT_TRUE(
        same_bits(alone, Matrix<float>(together.middleRows(targets.begin(s), targets.length(s)))));
  }
}

}  // namespace
}  // namespace eigenformer::test
