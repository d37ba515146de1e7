// SPDX-License-Identifier: MIT
/// The seam between layers and kernels: every operation on whole matrices, for float through the
/// context's table and threads. kernels/double_operations.hpp has the same for double.
///
/// Work is cut by fixed tiles of the output, whatever the number of threads; no sum is ever split.
#pragma once

#include <algorithm>

#include "eigenformer/core/context.hpp"
#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/rows.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/kernels/kernel_table.hpp"

namespace eigenformer::inline v0 {
namespace kernels {

/// What a task has to do at least, where there is so much: sharing less would take longer.
inline constexpr Index task_elements = 8192, task_multiply_adds = 32768;
/// A product's task has 96 rows, and 8 panels or more.
inline constexpr Index product_task_rows = 96, product_task_panels = 8;

/// function(row) for each of `rows` rows of so many features, on the context's threads.
template <class Function>
void for_each_row(Context& context, Index rows, Index features, Function function) {
  const Index task_rows = std::max<Index>(task_elements / std::max<Index>(features, 1), 1);
  context.executor().run(divide_up(rows, task_rows), [&](Index task, Index) {
    const FloatingPointGuard guard;
    const Index end = std::min(rows, (task + 1) * task_rows);
    for (Index row = task * task_rows; row < end; ++row) function(row);
  });
}

/// What an operation on single elements has to do: `operands` matrices of x's size, read and
/// written, with `operations` for each element.
inline Profile::Work elementwise_work(MatrixView<const float> x, Index operands, Index operations) {
  const Index size = x.rows() * x.cols();
  return {.activations = size * operands * Index{sizeof(float)}, .operations = size * operations};
}

/// x with its int8 twin where weights in `storage` need one: once for all products of the same
/// rows. The twin lives in the context's arena.
inline Rows<float> with_twin(Context& context, Rows<float> x, Storage storage) {
  if (storage != Storage::int8 || x.int8().values) return x;
  const Profile::Scope scope(context.profile(), {"quantise"});
  const Index size = x.tokens() * x.features();
  scope.work({.activations = size * Index{sizeof(float) + 1}, .operations = size});
  const Index stride = round_up(x.features(), int8_step);
  std::int8_t* const values = context.arena().take<std::int8_t>(x.tokens() * stride);
  float* const scales = context.arena().take<float>(x.tokens());
  const auto kernel = context.kernels().quantize;
  for_each_row(context, x.tokens(), x.features(), [&](Index r) {
    scales[r] = kernel(x.values().row(r), x.features(), values + r * stride);
  });
  return {x.values(), {values, stride, scales}};
}

/// A part of a product's output: some rows, and some panels of 16 columns.
struct ProductPart {
  Index row, rows;
  Index panel, panels;
};

/// That part of x W^T + bias, for an x that has the twin that the weight needs; where its output
/// goes is still to be said.
inline Product product_of(Rows<float> x, const WeightMatrix<float>& weight, const float* bias,
                          const ProductPart& part) {
  const Index output = part.panel * lanes;
  Product p{};
  p.x = x.values().data() + part.row * x.values().stride();
  p.x_stride = x.values().stride();
  p.rows = part.rows;
  p.inputs = weight.inputs();
  p.weight = weight.panel(part.panel);
  p.bias = bias ? bias + output : nullptr;
  p.outputs = std::min(part.panels * lanes, weight.outputs() - output);
  p.matrix_bytes = weight.panels() * weight.panel_bytes();
  if (weight.storage() == Storage::int8) {
    const Int8Rows& twin = x.int8();
    p.int8 = {twin.values + part.row * twin.stride, twin.stride, twin.scales + part.row,
              weight.scales() + output, weight.offsets() + output};
  }
  return p;
}

/// What x W^T + bias has to do, with `out_bytes` of outputs written.
inline Profile::Work product_work(Rows<float> x, const WeightMatrix<float>& weight,
                                  const float* bias, Index out_bytes) {
  const Index size = x.tokens() * x.features(), bias_size = bias ? weight.outputs() : 0;
  const Index element = weight.storage() == Storage::int8 ? 1 : Index{sizeof(float)};
  return {.memory = static_cast<Index>(weight.bytes()) + bias_size * Index{sizeof(float)},
          .activations = size * element + out_bytes,
          .operations = 2 * size * weight.outputs()};
}

/// Panels of a task whose rows have so many inputs: a multiple of 8, which is how many a single row
/// takes at a time.
inline Index panels_of_task(Index rows, Index inputs) {
  const Index of_panel = std::max<Index>(rows * inputs * lanes, 1);
  return round_up(divide_up(task_multiply_adds, of_panel), product_task_panels);
}

/// out [tokens, outputs] = x [tokens, inputs] W^T (+ bias [outputs], unless nullptr).
inline void matmul(Context& context, Rows<float> x, const WeightMatrix<float>& weight,
                   const float* bias, MatrixView<float> out) {
  EIGENFORMER_ASSERT(x.features() == weight.inputs() && out.rows() == x.tokens() &&
                     out.cols() == weight.outputs());
  const Arena::Scope arena_scope(context.arena());
  const Rows<float> in = with_twin(context, x, weight.storage());
  const Profile::Scope scope(context.profile(), {.name = "product", .storage = weight.storage()});
  scope.work(product_work(x, weight, bias, out.rows() * out.cols() * Index{sizeof(float)}));
  const auto product = context.kernels().product[static_cast<int>(weight.storage())];
  const Index row_tasks = divide_up(x.tokens(), product_task_rows);
  const Index task_panels = panels_of_task(std::min(x.tokens(), product_task_rows), x.features());
  const Index column_tasks = divide_up(weight.panels(), task_panels);
  context.executor().run(row_tasks * column_tasks, [&](Index task, Index) {
    const FloatingPointGuard guard;
    const Index row = task % row_tasks * product_task_rows;
    const Index panel = task / row_tasks * task_panels;
    Product p = product_of(in, weight, bias,
                           {row, std::min(product_task_rows, x.tokens() - row), panel,
                            std::min(task_panels, weight.panels() - panel)});
    p.out = out.data() + row * out.stride() + panel * lanes;
    p.out_stride = out.stride();
    product(p);
  });
}

/// What a norm has to do, with `operations` for each element.
inline Profile::Work norm_work(MatrixView<const float> x, const NormWeights<float>& norm,
                               Index operations) {
  Profile::Work work = elementwise_work(x, 2, operations);
  work.memory = x.cols() * Index{norm.bias ? 2 : 1} * Index{sizeof(float)};
  return work;
}

/// y = LayerNorm(x), both [tokens, features].
inline void layer_norm(Context& context, MatrixView<const float> x, const NormWeights<float>& norm,
                       MatrixView<float> y) {
  EIGENFORMER_ASSERT(x.rows() == y.rows() && x.cols() == y.cols());
  const Profile::Scope scope(context.profile(), {"norm"});
  scope.work(norm_work(x, norm, 7));
  const auto kernel = context.kernels().layer_norm;
  for_each_row(context, x.rows(), x.cols(), [&](Index r) {
    kernel({x.row(r), norm.weight, norm.bias, norm.epsilon, y.row(r), x.cols()});
  });
}

/// y = RMSNorm(x), both [tokens, features].
inline void rms_norm(Context& context, MatrixView<const float> x, const NormWeights<float>& norm,
                     MatrixView<float> y) {
  EIGENFORMER_ASSERT(x.rows() == y.rows() && x.cols() == y.cols());
  const Profile::Scope scope(context.profile(), {"norm"});
  scope.work(norm_work(x, norm, 4));
  const auto kernel = context.kernels().rms_norm;
  for_each_row(context, x.rows(), x.cols(), [&](Index r) {
    kernel({x.row(r), norm.weight, norm.bias, norm.epsilon, y.row(r), x.cols()});
  });
}

/// x = activation(x), [tokens, features].
inline void activate(Context& context, Activation activation, MatrixView<float> x) {
  const Profile::Scope scope(context.profile(), {"activation"});
  scope.work(elementwise_work(x, 2, 0));
  const auto kernel = context.kernels().activation[static_cast<int>(activation)];
  for_each_row(context, x.rows(), x.cols(), [&](Index r) { kernel(x.row(r), x.row(r), x.cols()); });
}

/// x = softmax of each row, [rows, cols].
inline void softmax(Context& context, MatrixView<float> x) {
  const Profile::Scope scope(context.profile(), {"softmax"});
  scope.work(elementwise_work(x, 2, 3));
  const auto kernel = context.kernels().softmax;
  for_each_row(context, x.rows(), x.cols(), [&](Index r) { kernel(x.row(r), x.row(r), x.cols()); });
}

/// x = log of softmax of each row, [rows, cols].
inline void log_softmax(Context& context, MatrixView<float> x) {
  const Profile::Scope scope(context.profile(), {"log-softmax"});
  scope.work(elementwise_work(x, 2, 3));
  const auto kernel = context.kernels().log_softmax;
  for_each_row(context, x.rows(), x.cols(), [&](Index r) { kernel(x.row(r), x.row(r), x.cols()); });
}

/// y += x, [tokens, features].
inline void add(Context& context, MatrixView<const float> x, MatrixView<float> y) {
  EIGENFORMER_ASSERT(x.rows() == y.rows() && x.cols() == y.cols());
  const Profile::Scope scope(context.profile(), {"add"});
  scope.work(elementwise_work(x, 3, 1));
  const auto kernel = context.kernels().add;
  for_each_row(context, x.rows(), x.cols(),
               [&](Index r) { kernel(y.row(r), x.row(r), y.row(r), x.cols()); });
}

/// y *= x, element by element, [tokens, features].
inline void multiply(Context& context, MatrixView<const float> x, MatrixView<float> y) {
  EIGENFORMER_ASSERT(x.rows() == y.rows() && x.cols() == y.cols());
  const Profile::Scope scope(context.profile(), {"multiply"});
  scope.work(elementwise_work(x, 3, 1));
  const auto kernel = context.kernels().multiply;
  for_each_row(context, x.rows(), x.cols(),
               [&](Index r) { kernel(y.row(r), x.row(r), y.row(r), x.cols()); });
}

/// y = x * factor, both [tokens, features].
inline void scale(Context& context, MatrixView<const float> x, float factor, MatrixView<float> y) {
  EIGENFORMER_ASSERT(x.rows() == y.rows() && x.cols() == y.cols());
  const Profile::Scope scope(context.profile(), {"scale"});
  scope.work(elementwise_work(x, 2, 1));
  const auto kernel = context.kernels().scale;
  for_each_row(context, x.rows(), x.cols(),
               [&](Index r) { kernel(x.row(r), factor, y.row(r), x.cols()); });
}

/// y += x * factor, rounded once, both [tokens, features].
inline void add_scaled(Context& context, MatrixView<const float> x, float factor,
                       MatrixView<float> y) {
  EIGENFORMER_ASSERT(x.rows() == y.rows() && x.cols() == y.cols());
  const Profile::Scope scope(context.profile(), {"add"});
  scope.work(elementwise_work(x, 3, 2));
  const auto kernel = context.kernels().scale_add;
  for_each_row(context, x.rows(), x.cols(),
               [&](Index r) { kernel(x.row(r), factor, y.row(r), y.row(r), x.cols()); });
}

}  // namespace kernels
}  // namespace eigenformer::inline v0
