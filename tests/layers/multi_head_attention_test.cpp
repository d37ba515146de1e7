// SPDX-License-Identifier: MIT
#include "eigenformer/layers/multi_head_attention.hpp"

#include "eigenformer/architectures/bind.hpp"
#include "eigenformer/architectures/torch_names.hpp"
#include "eigenformer/layers/attention_recorder.hpp"
#include "support/golden.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// One head, identity projections: the first token scores 1 and 0, its weights are e / (e + 1) and
/// 1 / (e + 1); the second one scores 0 and 0.
TEST(MultiHeadAttention, ByHand) {
  MultiHeadAttention<float> attention({.d_model = 1, .heads = 1, .bias = false});
  for (const char* name : {"query.weight", "key.weight", "value.weight", "output.weight"}) {
    attention.set(name, Matrix<float>{{1}});
  }
  Context context = make_context();
  const Matrix<float> x{{1}, {0}};
  Matrix<float> y(2, 1);
  attention(x.view(), Batch(2), context, y);
  EXPECT_NEAR(y(0, 0), 0.7310586, 1e-6);
  EXPECT_NEAR(y(1, 0), 0.5, 1e-6);
}

TEST(MultiHeadAttention, ConfigsThatCannotBe) {
  EXPECT_THROW(MultiHeadAttention<float>({.d_model = 10, .heads = 3}), Error);
  EXPECT_THROW(MultiHeadAttention<float>({.d_model = 12, .heads = 0}), Error);
  EXPECT_THROW(MultiHeadAttention<float>({.d_model = 12, .heads = 6, .kv_heads = 4}), Error);
  EXPECT_THROW(MultiHeadAttention<float>({.d_model = 12, .heads = 6, .kv_heads = -1}), Error);
  EXPECT_THROW(MultiHeadAttention<float>({.d_model = 12, .heads = 6, .d_head = -3}), Error);
  EXPECT_THROW(MultiHeadAttention<float>({.d_model = 12, .heads = 6, .d_head = Index{1} << 61}),
               Error);
  for (const AttentionScope scope :
       {AttentionScope::window(0), AttentionScope{std::numeric_limits<Index>::max(), 0},
        AttentionScope{0, -1}, AttentionScope{std::numeric_limits<Index>::min(), 0}}) {
    EXPECT_THROW(MultiHeadAttention<float>({.d_model = 12, .heads = 6, .scope = scope}), Error);
  }
  EXPECT_NO_THROW(MultiHeadAttention<float>({.d_model = 10, .heads = 3, .d_head = 8}));
}

template <class Scalar>
void like_torch(const std::string& fixture, bool bias, double tolerance) {
  const Golden golden("torch/" + fixture);
  NameTable names;
  add_torch_attention(names, "", "");
  for (const std::string scene : {"self", "self_causal", "cross"}) {
    AttentionConfig config{.d_model = 24, .heads = 3, .bias = bias};
    if (scene == "self_causal") config.scope = AttentionScope::causal();
    MultiHeadAttention<Scalar> attention(config);
    bind(attention, golden.state("state."), names);
    const auto query = golden.matrix<Scalar>("in." + scene + ".query");
    const auto memory = scene == "cross" ? golden.matrix<Scalar>("in.cross.memory") : query;
    Context context = make_context();
    AttentionRecorder recorder;
    context.watch(recorder);
    Matrix<Scalar> out(query.rows(), 24);
    const Batch batch(query.rows()), memory_batch(memory.rows());
    attention(query.view(), batch, Memory<Scalar>{memory, memory_batch}, context, out);
    EXPECT_LT(largest_difference(out, golden.matrix<double>("out." + scene)), tolerance) << scene;
    const auto expected = golden.matrix<double>("weights." + scene);
    ASSERT_EQ(recorder.entries().size(), 3u);
    for (Index head = 0; head < 3; ++head) {
      const Matrix<double> of_head = expected.middleRows(head * query.rows(), query.rows());
      EXPECT_LT(largest_difference(recorder.entries()[std::size_t(head)].weights, of_head),
                tolerance)
          << scene;
    }
  }
}
TEST(MultiHeadAttention, LikeTorch) {
  like_torch<float>("mha_bias", true, 2e-6);
  like_torch<float>("mha_nobias", false, 2e-6);
  like_torch<double>("mha_bias", true, 1e-13);
  like_torch<double>("mha_nobias", false, 1e-13);
}

TEST(MultiHeadAttention, GroupedHeadsFloatIsCloseToDouble) {
  for (const Index kv_heads : {1, 2, 4}) {
    const AttentionConfig config{.d_model = 24,
                                 .heads = 4,
                                 .kv_heads = kv_heads,
                                 .d_head = 10,
                                 .scope = AttentionScope::window(5)};
    MultiHeadAttention<float> attention(config);
    randomize(attention, 9);
    MultiHeadAttention<double> oracle(config);
    copy_parameters(attention, oracle);
    Context context = make_context();
    const auto x = random_matrix<float>(80, 24, 10);
    Matrix<float> y(80, 24);
    Matrix<double> expected(80, 24);
    attention(x.view(), Batch{1, 70, 9}, context, y);
    oracle(to_double(x).view(), Batch{1, 70, 9}, context, expected);
    EXPECT_LT(largest_difference(y, expected), 5e-6) << kv_heads;
  }
}

TEST(MultiHeadAttention, WatchingChangesNothing) {
  MultiHeadAttention<float> attention(
      {.d_model = 32, .heads = 4, .scope = AttentionScope::causal()});
  randomize(attention, 11);
  const auto x = random_matrix<float>(150, 32, 12);
  const Batch batch{100, 0, 50};
  Matrix<float> unwatched(150, 32), watched(150, 32);
  Context context = make_context();
  attention(x.view(), batch, context, unwatched);
  AttentionRecorder recorder;
  context.watch(recorder);
  attention(x.view(), batch, context, watched);
  EXPECT_TRUE(same_bits(unwatched, watched));
  ASSERT_EQ(recorder.entries().size(), 8u);  // two sequences that are not empty, four heads
  EXPECT_EQ(recorder.entries()[4].sequence, 2);
  for (const auto& entry : recorder.entries()) {
    const Matrix<double>& weights = entry.weights;
    EXPECT_NEAR(weights.rowwise().sum().minCoeff(), 1, 1e-5);
    EXPECT_NEAR(weights.rowwise().sum().maxCoeff(), 1, 1e-5);
    EXPECT_EQ(weights(0, 1), 0);
  }
}

TEST(MultiHeadAttention, AnObserverMayLeaveWhileItIsTold) {
  struct Leaver : AttentionObserver {
    bool wants(AttentionPlace, Index) const override { return true; }
    void observe(const AttentionRecord&) override {
      ++told;
      context->unwatch();
    }
    Context* context = nullptr;
    int told = 0;
  } leaver;
  MultiHeadAttention<float> attention({.d_model = 4, .heads = 2});
  Context context = make_context();
  leaver.context = &context;
  context.watch(leaver);
  Matrix<float> x(3, 4), y(3, 4);
  attention(x.view(), Batch{1, 2}, context, y);
  EXPECT_EQ(leaver.told, 1);
}

TEST(MultiHeadAttention, ShapesAreChecked) {
  MultiHeadAttention<float> attention({.d_model = 4, .heads = 2});
  Context context = make_context();
  Matrix<float> x(3, 4), y(3, 4);
  EXPECT_THROW(attention(x.view(), Batch(4), context, y), Error);
  const Batch two{1, 2};
  EXPECT_THROW(attention(x.view(), Batch(3), Memory<float>{x, two}, context, y), Error);
}

}  // namespace
}  // namespace eigenformer::test
