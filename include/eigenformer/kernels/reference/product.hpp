// SPDX-License-Identifier: MIT
/// Products, the definition: one chain of fused multiply-adds for each output, inputs ascending.
#pragma once

#include <algorithm>
#include <cmath>

#include "eigenformer/kernels/kernel_table.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

/// Weight (input, lane) of a panel.
inline float panel_weight(const float* panel, Index input, Index lane) {
  return panel[input * lanes + lane];
}
inline float panel_weight(const Half* panel, Index input, Index lane) {
  return to_float(panel[input * lanes + lane]);
}
inline float panel_weight(const Bfloat16* panel, Index input, Index lane) {
  return to_float(panel[(input / 2 * lanes + lane) * 2 + input % 2]);
}

/// Elements of a panel: bf16 pairs its inputs.
template <class Weight>
constexpr Index panel_elements(Index inputs) {
  return (std::is_same_v<Weight, Bfloat16> ? round_up(inputs, 2) : inputs) * lanes;
}

template <class Weight>
void product(const Product& p) {
  for (Index r = 0; r < p.rows; ++r) {
    for (Index o = 0; o < p.outputs; ++o) {
      const auto* const panel =
          static_cast<const Weight*>(p.weight) + o / lanes * panel_elements<Weight>(p.inputs);
      float sum = 0.0f;
      for (Index i = 0; i < p.inputs; ++i) {
        sum = std::fma(p.x[r * p.x_stride + i], panel_weight(panel, i, o % lanes), sum);
      }
      p.out[r * p.out_stride + o] = p.bias ? sum + p.bias[o] : sum;
    }
  }
}

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
