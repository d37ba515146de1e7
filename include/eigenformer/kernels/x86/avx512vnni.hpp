// SPDX-License-Identifier: MIT
/// The kernels with AVX-512 VNNI: AVX-512's, but for products in int8.
#pragma once

#include "eigenformer/kernels/x86/avx512.hpp"

#if EIGENFORMER_X86_64
#define EIGENFORMER_TARGET \
  __attribute__((target("avx512vnni,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))

namespace eigenformer::inline v0 {
namespace kernels::avx512vnni {

using avx512::broadcast, avx512::broadcast_four, avx512::F32x16, avx512::I32x16,
    avx512::Int8Weights, avx512::load, avx512::load_first, avx512::load_int8, avx512::load_sums,
    avx512::zero_sums;

inline constexpr float int8_offset = 128.0f;
/// A tile in registers: 6 x 4 sums, 4 weights, one input.
inline constexpr int int8_rows = 6;
inline constexpr int int8_panels = 4;
inline constexpr int int8_row_panels = 8;

/// Four inputs of a row, 128 added, for all outputs.
struct Int8Inputs {
  __m512i v;
  EIGENFORMER_OP explicit Int8Inputs(const std::int8_t* p) : v(broadcast_four(p)) {}
};

/// _mm512_dpbusd_epi32, for which g++ 12 copies each sum twice: less than half as fast.
EIGENFORMER_OP I32x16 dot(I32x16 sum, const Int8Inputs& x, const Int8Weights& weight) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum.v) : "v"(x.v), "v"(weight.v));
  return sum;
}

// clang-format off
#include "eigenformer/kernels/simd/tiles.inl"
#include "eigenformer/kernels/simd/int8.inl"
// clang-format on

inline constexpr KernelTable table =
    avx512::table.with_int8(Isa::avx512vnni, product_int8, quantize);

}  // namespace kernels::avx512vnni
}  // namespace eigenformer::inline v0

#undef EIGENFORMER_TARGET
#endif  // EIGENFORMER_X86_64
