// SPDX-License-Identifier: MIT
/// LayerNorm and RMSNorm, the definition.
#pragma once

#include <cmath>

#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/reference/reduction.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

/// (x - mean) / sqrt(variance + epsilon) * weight + bias, the variance with 1/n, in two passes. Ba,
/// Kiros, Hinton: "Layer normalization" (2016).
inline void layer_norm(const NormRow& row) {
  const auto count = static_cast<float>(row.features);
  float sum[lanes] = {}, squares[lanes] = {};
  for (Index i = 0; i < row.features; ++i) sum[i % lanes] += row.x[i];
  const float mean = tree_sum(sum) / count;
  for (Index i = 0; i < row.features; ++i) {
    const float centred = row.x[i] - mean;
    squares[i % lanes] = std::fma(centred, centred, squares[i % lanes]);
  }
  const float inverse = 1.0f / std::sqrt(tree_sum(squares) / count + row.epsilon);
  for (Index i = 0; i < row.features; ++i) {
    const float normal = (row.x[i] - mean) * inverse;
    row.y[i] = row.bias ? std::fma(normal, row.weight[i], row.bias[i]) : normal * row.weight[i];
  }
}

/// x / sqrt(mean of x^2 + epsilon) * weight (+ bias, if there is one). Zhang, Sennrich: "Root mean
/// square layer normalization" (2019).
inline void rms_norm(const NormRow& row) {
  const auto count = static_cast<float>(row.features);
  float squares[lanes] = {};
  for (Index i = 0; i < row.features; ++i) {
    squares[i % lanes] = std::fma(row.x[i], row.x[i], squares[i % lanes]);
  }
  const float inverse = 1.0f / std::sqrt(tree_sum(squares) / count + row.epsilon);
  for (Index i = 0; i < row.features; ++i) {
    const float normal = row.x[i] * inverse;
    row.y[i] = row.bias ? std::fma(normal, row.weight[i], row.bias[i]) : normal * row.weight[i];
  }
}

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
