// SPDX-License-Identifier: MIT
/// Softmax and its logarithm, the definition.
#pragma once

#include <algorithm>

#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/reference/math.hpp"
#include "eigenformer/kernels/reference/math64.hpp"
#include "eigenformer/kernels/reference/reduction.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

/// exp(x - max) / sum. NaN where any x is NaN, or none is above -infinity.
inline void softmax(const float* x, float* y, Index n) {
  const float max = maximum(x, n);
  float sum[lanes] = {};
  for (Index i = 0; i < n; ++i) {
    y[i] = exp(x[i] - max);
    sum[i % lanes] += y[i];
  }
  const float inverse = 1.0f / tree_sum(sum);
  for (Index i = 0; i < n; ++i) y[i] *= inverse;
}

/// A running log-sum-exp: the largest so far, and the sum of exp(x - max).
struct RunningSum {
  float max = -__builtin_huge_valf();
  float sum = 0.0f;

  /// What x is measured from: a block of -infinities has no largest, and adds nothing.
  static float origin(float max) { return max == -__builtin_huge_valf() ? 0.0f : max; }

  void merge(ExpSum block) {
    if (block.max > max) {
      sum = std::fma(sum, exp(max - block.max), block.sum);
      max = block.max;
    } else {
      sum = std::fma(block.sum, exp(block.max - origin(max)), sum);
    }
  }
  LogSumExp result() const { return {max, log(sum)}; }
};

inline ExpSum exp_sum(const float* x, Index n) {
  const float max = maximum(x, n);
  float sum[lanes] = {};
  for (Index i = 0; i < n; ++i) sum[i % lanes] += exp(x[i] - RunningSum::origin(max));
  return {max, tree_sum(sum)};
}

/// Over blocks of 1,024 columns, merged in ascending order, so that whoever makes the columns block
/// by block gets the same bits.
inline LogSumExp log_sum_exp(const float* x, Index n) {
  RunningSum total;
  for (Index begin = 0; begin < n; begin += log_sum_exp_block) {
    total.merge(exp_sum(x + begin, std::min(log_sum_exp_block, n - begin)));
  }
  return total.result();
}

inline Index find_above(const float* x, Index begin, Index n, float threshold) {
  while (begin < n && !(x[begin] > threshold)) ++begin;
  return begin;
}

inline void log_softmax(const float* x, float* y, Index n) {
  const LogSumExp total = log_sum_exp(x, n);
  for (Index i = 0; i < n; ++i) y[i] = (x[i] - total.max) - total.log_sum;
}

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
