// SPDX-License-Identifier: MIT
/// The one order in which many floats become one: 16 partial results by index modulo 16, then a
/// fixed tree. A SIMD register of 16 floats, two of 8 or four of 4 do the same.
#pragma once

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

/// (lane 0 + lane 8) + (lane 4 + lane 12) and so on: halves, quarters, pairs.
template <class Scalar>
Scalar tree_sum(const Scalar* lane) {
  Scalar half[8], quarter[4];
  for (int i = 0; i < 8; ++i) half[i] = lane[i] + lane[i + 8];
  for (int i = 0; i < 4; ++i) quarter[i] = half[i] + half[i + 4];
  return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

/// The larger; the second where they are equal, or the first is NaN.
inline float larger(float a, float b) { return a > b ? a : b; }

/// The largest of x[0..n), -infinity for none; NaNs do not count.
inline float maximum(const float* x, Index n) {
  float lane[lanes];
  for (float& value : lane) value = -__builtin_huge_valf();
  for (Index i = 0; i < n; ++i) lane[i % lanes] = larger(x[i], lane[i % lanes]);
  for (Index width = lanes / 2; width > 0; width /= 2) {
    for (Index i = 0; i < width; ++i) lane[i] = larger(lane[i], lane[i + width]);
  }
  return lane[0];
}

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
