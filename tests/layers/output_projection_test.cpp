// SPDX-License-Identifier: MIT
#include "eigenformer/layers/output_projection.hpp"

#include "eigenformer/layers/embedding.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

TEST(OutputProjection, OwnWeightBiasAndScale) {
  OutputProjection<float> output({.d_model = 2, .vocab = 3, .scale = 0.5});
  output.set("weight", Matrix<float>{{2, 0}, {0, 2}, {2, 2}});
  output.set("bias", Matrix<float>{{0, 10, 0}});
  Context context = make_context();
  const Matrix<float> hidden{{1, 2}};
  Matrix<float> logits(1, 3);
  output(hidden.view(), context, logits);
  EXPECT_EQ(logits, (Matrix<float>{{1, 12, 3}}));
}

TEST(OutputProjection, TiedToAnEmbedding) {
  Embedding<float> embedding({.vocab = 3, .d_model = 2});
  embedding.set("weight", Matrix<float>{{1, 0}, {0, 1}, {1, 1}});
  const OutputProjection<float> output({.d_model = 2, .vocab = 3, .tied = true, .bias = false});
  EXPECT_EQ(output.parameter_count(), 0);
  Context context = make_context();
  const Matrix<float> hidden{{3, 4}};
  Matrix<float> logits(1, 3);
  output(hidden.view(), embedding.weight(), context, logits);
  EXPECT_EQ(logits, (Matrix<float>{{3, 4, 7}}));
}

}  // namespace
}  // namespace eigenformer::test
