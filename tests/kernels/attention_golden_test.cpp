// SPDX-License-Identifier: MIT
#include <cmath>

#include "eigenformer/kernels/attention.hpp"
#include "support/golden.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// [heads, tokens, d_head] as the golden has it -> [tokens, heads * d_head] as we have it.
template <class Scalar>
Matrix<Scalar> side_by_side(const Golden& golden, const std::string& name, Index heads) {
  const Matrix<Scalar> stacked = golden.matrix<Scalar>(name);
  const Index tokens = stacked.rows() / heads;
  Matrix<Scalar> out(tokens, heads * stacked.cols());
  for (Index head = 0; head < heads; ++head) {
    out.middleCols(head * stacked.cols(), stacked.cols()) =
        stacked.middleRows(head * tokens, tokens);
  }
  return out;
}

template <class Scalar>
void like_the_reference_implementation(double tolerance) {
  const Golden golden("ops/ops");
  const io::Json cases = io::read_json(Golden::path("ops/attention.json"));
  for (const io::Json& json : cases.elements()) {
    const std::string name = "attention." + std::string(json.at("name").string());
    const Index heads = json.at("query_heads").integer(), kv_heads = json.at("kv_heads").integer();
    const auto q = side_by_side<Scalar>(golden, name + ".q", heads);
    const auto k = side_by_side<Scalar>(golden, name + ".k", kv_heads);
    const auto v = side_by_side<Scalar>(golden, name + ".v", kv_heads);
    const Batch queries(q.rows()), keys(k.rows());
    AttentionScope scope = AttentionScope::all();
    if (json.at("causal").boolean()) scope = AttentionScope::causal();
    if (const auto window = json.find("sliding_window")) {
      scope = AttentionScope::window(window->integer());
    }
    const auto scale = static_cast<Scalar>(1 / std::sqrt(json.at("head_dim").number()));
    Context context = make_context();
    Matrix<Scalar> out(q.rows(), q.cols());
    kernels::attention(context,
                       kernels::Attention<Scalar>{.queries = q,
                                                  .keys = k,
                                                  .values = v,
                                                  .query_batch = queries,
                                                  .key_batch = keys,
                                                  .heads = heads,
                                                  .kv_heads = kv_heads,
                                                  .scope = scope,
                                                  .scale = scale},
                       out.view());
    EXPECT_LT(largest_difference(out, side_by_side<double>(golden, name + ".out", heads)),
              tolerance)
        << name;
  }
}
TEST(AttentionGolden, Float) { like_the_reference_implementation<float>(1e-6); }
TEST(AttentionGolden, Double) { like_the_reference_implementation<double>(1e-14); }

/// torch's scaled_dot_product_attention with a bias by distance (T5), and grouped with a window.
template <class Scalar>
void like_torch(double tolerance) {
  const Golden golden("torch/ops");
  const io::Json json = Golden::json("torch/ops");
  for (const io::Json& scene : json.at("scenes").elements()) {
    if (!scene.find("kv_heads")) continue;
    const std::string name(scene.at("name").string());
    const Index heads = scene.at("heads").integer(), kv_heads = scene.at("kv_heads").integer();
    const auto q = side_by_side<Scalar>(golden, "in." + name + ".query", heads);
    const auto k = side_by_side<Scalar>(golden, "in." + name + ".key", kv_heads);
    const auto v = side_by_side<Scalar>(golden, "in." + name + ".value", kv_heads);
    Matrix<Scalar> bias;
    if (golden.tensors().find("in." + name + ".bias")) {
      bias = golden.matrix<Scalar>("in." + name + ".bias");
    }
    const Batch batch(q.rows());
    AttentionScope scope = AttentionScope::all();
    if (scene.at("causal").boolean()) scope = AttentionScope::causal();
    if (const auto window = scene.find("window")) scope = AttentionScope::window(window->integer());
    Context context = make_context();
    Matrix<Scalar> out(q.rows(), q.cols());
    kernels::attention(
        context,
        kernels::Attention<Scalar>{.queries = q,
                                   .keys = k,
                                   .values = v,
                                   .query_batch = batch,
                                   .key_batch = batch,
                                   .heads = heads,
                                   .kv_heads = kv_heads,
                                   .scope = scope,
                                   .scale = static_cast<Scalar>(scene.at("scale").number()),
                                   .relative_bias = bias},
        out.view());
    EXPECT_LT(largest_difference(out, side_by_side<double>(golden, "out." + name, heads)),
              tolerance)
        << name;
  }
}
TEST(AttentionGolden, RelativeBiasAndWindowsFloat) { like_torch<float>(2e-6); }
TEST(AttentionGolden, RelativeBiasAndWindowsDouble) { like_torch<double>(1e-13); }

/// 16,384 tokens: memory follows the tokens, where a matrix of scores would take a gigabyte.
TEST(AttentionMemory, IsLinearInTheLength) {
  const auto arena_after = [](Index tokens) {
    const Matrix<float> x = random_matrix<float>(tokens, 16, 1);
    const Batch batch(tokens);
    Context context = make_context();
    Matrix<float> out(tokens, 16);
    kernels::attention(context,
                       kernels::Attention<float>{.queries = x,
                                                 .keys = x,
                                                 .values = x,
                                                 .query_batch = batch,
                                                 .key_batch = batch,
                                                 .heads = 1,
                                                 .kv_heads = 1,
                                                 .scope = AttentionScope::causal(),
                                                 .scale = 0.25f},
                       out.view());
    return context.arena().capacity();
  };
  EXPECT_LT(arena_after(16384), 4 * 16384 * 32 * Index{sizeof(float)});
}

}  // namespace
}  // namespace eigenformer::test
