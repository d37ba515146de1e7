// SPDX-License-Identifier: MIT
/// Products in int8, the definition. The sums are exact, so their order is free.
#pragma once

#include <algorithm>
#include <cmath>

#include "eigenformer/core/int8.hpp"
#include "eigenformer/kernels/kernel_table.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

inline float quantize(const float* x, Index n, std::int8_t* q) {
  std::fill(q + n, q + round_up(n, int8_step), std::int8_t{0});
  return quantize_row(x, n, q);
}

inline void product_int8(const Product& p) {
  const Int8Operands& in = p.int8;
  const Index padded = round_up(p.inputs, int8_step);
  for (Index r = 0; r < p.rows; ++r) {
    const std::int8_t* const x = in.x + r * in.x_stride;
    for (Index panel = 0; panel < p.panels(); ++panel) {
      std::int32_t sum[lanes] = {};
      const auto* weight = static_cast<const std::int8_t*>(p.weight) + panel * padded * lanes;
      for (Index i = 0; i < padded; i += 4, weight += 4 * lanes) {
        for (Index lane = 0; lane < lanes; ++lane) {
          for (Index k = 0; k < 4; ++k) sum[lane] += x[i + k] * weight[lane * 4 + k];
        }
      }
      const Index first = panel * lanes, count = std::min(lanes, p.outputs - first);
      for (Index lane = 0; lane < count; ++lane) {
        p.out[r * p.out_stride + first + lane] =
            std::fma(static_cast<float>(sum[lane]) * in.x_scale[r], in.weight_scale[first + lane],
                     p.bias ? p.bias[first + lane] : 0.0f);
      }
    }
  }
}

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
