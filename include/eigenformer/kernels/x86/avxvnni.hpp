// SPDX-License-Identifier: MIT
/// The kernels with AVX-VNNI: AVX2's, but for products in int8.
#pragma once

#include "eigenformer/kernels/x86/avx2.hpp"

#if EIGENFORMER_X86_64
#define EIGENFORMER_TARGET __attribute__((target("avxvnni,avx2,fma,f16c")))

namespace eigenformer::inline v0 {
namespace kernels::avxvnni {

using avx2::broadcast, avx2::broadcast_four, avx2::F32x16, avx2::I32x16, avx2::Int8Weights,
    avx2::load, avx2::load_first, avx2::load_int8, avx2::load_sums, avx2::zero_sums;

inline constexpr float int8_offset = 128.0f;
/// A tile in registers: 6 x 2 sums, 2 weights, one input.
inline constexpr int int8_rows = 6;
inline constexpr int int8_panels = 1;
inline constexpr int int8_row_panels = 4;

/// Four inputs of a row, 128 added, for all outputs.
struct Int8Inputs {
  __m256i v;
  EIGENFORMER_OP explicit Int8Inputs(const std::int8_t* p) : v(broadcast_four(p)) {}
};

/// _mm256_dpbusd_avx_epi32, for which g++ 12 copies each sum twice.
EIGENFORMER_OP I32x16 dot(I32x16 sum, const Int8Inputs& x, const Int8Weights& weight) {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.low) : "x"(x.v), "x"(weight.low));
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.high) : "x"(x.v), "x"(weight.high));
  return sum;
}

// clang-format off
#include "eigenformer/kernels/simd/tiles.inl"
#include "eigenformer/kernels/simd/int8.inl"
// clang-format on

inline constexpr KernelTable table = avx2::table.with_int8(Isa::avxvnni, product_int8, quantize);

}  // namespace kernels::avxvnni
}  // namespace eigenformer::inline v0

#undef EIGENFORMER_TARGET
#endif  // EIGENFORMER_X86_64
