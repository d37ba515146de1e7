// SPDX-License-Identifier: MIT
/// The kernels with NEON's dot products: NEON's, but for products in int8.
#pragma once

#include "eigenformer/kernels/arm/neon.hpp"

#if EIGENFORMER_AARCH64
#define EIGENFORMER_TARGET

namespace eigenformer::inline v0 {
namespace kernels::neondot {

using neon::broadcast, neon::broadcast_four, neon::F32x16, neon::I32x16, neon::Int8Weights,
    neon::load, neon::load_first, neon::load_int8, neon::load_sums, neon::zero_sums;

inline constexpr float int8_offset = 0.0f;
/// A tile in registers: 6 x 4 sums, 4 weights, one input.
inline constexpr int int8_rows = 6;
inline constexpr int int8_panels = 1;
inline constexpr int int8_row_panels = 4;

/// Four inputs of a row, for all outputs.
struct Int8Inputs {
  int8x16_t v;
  EIGENFORMER_OP explicit Int8Inputs(const std::int8_t* p) : v(broadcast_four(p)) {}
};

/// sdot, by its code: no attribute allows the instruction under every -march and -mcpu, because a
/// function that g++ compiles for one extension more takes in none that has another one, such as
/// the intrinsics of the including file. The symbols are the registers' numbers.
EIGENFORMER_OP int32x4_t dot(int32x4_t sum, int8x16_t x, int8x16_t weight) {
  asm inline(
      ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
      "\n\t.equ .Leigenformer_v\\n, \\n"
      "\n\t.endr"
      "\n\t.inst 0x4e809400 | .Leigenformer_%0 | .Leigenformer_%1 << 5 | .Leigenformer_%2 << 16"
      : "+w"(sum)
      : "w"(x), "w"(weight));
  return sum;
}
EIGENFORMER_OP I32x16 dot(I32x16 sum, const Int8Inputs& x, const Int8Weights& weight) {
  return {dot(sum.a, x.v, weight.a), dot(sum.b, x.v, weight.b), dot(sum.c, x.v, weight.c),
          dot(sum.d, x.v, weight.d)};
}

// clang-format off
#include "eigenformer/kernels/simd/tiles.inl"
#include "eigenformer/kernels/simd/int8.inl"
// clang-format on

inline constexpr KernelTable table = neon::table.with_int8(Isa::neondot, product_int8, quantize);

}  // namespace kernels::neondot
}  // namespace eigenformer::inline v0

#undef EIGENFORMER_TARGET
#endif  // EIGENFORMER_AARCH64
