// SPDX-License-Identifier: MIT
/// Element by element, the definition.
#pragma once

#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/reference/math.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

/// y = function(x).
template <float (*function)(float)>
void map(const float* x, float* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = function(x[i]);
}

inline void add(const float* a, const float* b, float* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = a[i] + b[i];
}
inline void multiply(const float* a, const float* b, float* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = a[i] * b[i];
}
inline void scale(const float* x, float factor, float* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = x[i] * factor;
}
inline void scale_add(const float* x, float factor, const float* addend, float* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = std::fma(x[i], factor, addend[i]);
}

template <class Narrow>
void widen(const Narrow* x, float* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = to_float(x[i]);
}
inline void narrow_half(const float* x, Half* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = to_half(x[i]);
}
inline void narrow_bfloat16(const float* x, Bfloat16* y, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = to_bfloat16(x[i]);
}

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
