// SPDX-License-Identifier: MIT
/// The kernels with AVX-512: a vector of 16 floats is one register.
#pragma once

#include "eigenformer/kernels/simd/prelude.hpp"

#if EIGENFORMER_X86_64
// gcc 12 calls the deliberately undefined operands inside its own intrinsics uninitialised.
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#define EIGENFORMER_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))

namespace eigenformer::inline v0 {
namespace kernels::avx512 {

inline constexpr Isa isa = Isa::avx512;
/// A product's tile in registers: 6 x 4 sums, 4 weights, one input.
inline constexpr int tile_rows = 6;
inline constexpr int tile_panels = 4;
/// Panels at a time for a single row: enough sums to hide a multiply-add's latency.
inline constexpr int tile_row_panels = 8;

struct F32x16 {
  __m512 v;
};

EIGENFORMER_OP F32x16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
EIGENFORMER_OP void store(float* p, F32x16 a) { _mm512_storeu_ps(p, a.v); }
EIGENFORMER_OP __mmask16 lanes_below(Index n) {
  return static_cast<__mmask16>(n >= 16 ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1u);
}
/// The first n lanes, n in [0, 16]; zeros in the others.
EIGENFORMER_OP F32x16 load_first(const float* p, Index n) {
  return {_mm512_maskz_loadu_ps(lanes_below(n), p)};
}
EIGENFORMER_OP void store_first(float* p, F32x16 a, Index n) {
  _mm512_mask_storeu_ps(p, lanes_below(n), a.v);
}
EIGENFORMER_OP F32x16 broadcast(float a) { return {_mm512_set1_ps(a)}; }

EIGENFORMER_OP F32x16 add(F32x16 a, F32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
EIGENFORMER_OP F32x16 subtract(F32x16 a, F32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
EIGENFORMER_OP F32x16 multiply(F32x16 a, F32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
EIGENFORMER_OP F32x16 divide(F32x16 a, F32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }
EIGENFORMER_OP F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
/// a > b ? a : b.
EIGENFORMER_OP F32x16 larger(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
/// a < b ? a : b.
EIGENFORMER_OP F32x16 smaller(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }
/// a < b ? yes : no.
EIGENFORMER_OP F32x16 if_less(F32x16 a, F32x16 b, F32x16 yes, F32x16 no) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), no.v, yes.v)};
}
/// Lanes [begin, end) of a, `other` in the rest.
EIGENFORMER_OP F32x16 only_lanes(F32x16 a, Index begin, Index end, F32x16 other) {
  const auto mask = static_cast<__mmask16>(lanes_below(end) & ~lanes_below(begin));
  return {_mm512_mask_blend_ps(mask, other.v, a.v)};
}
EIGENFORMER_OP F32x16 absolute(F32x16 a) { return {_mm512_abs_ps(a.v)}; }
EIGENFORMER_OP F32x16 copy_sign(F32x16 magnitude, F32x16 sign) {
  const __m512 bit = _mm512_set1_ps(-0.0f);
  return {_mm512_or_ps(_mm512_andnot_ps(bit, magnitude.v), _mm512_and_ps(bit, sign.v))};
}
/// x as far as exp needs it; what is below -104 becomes 0 in the end, whatever it is on the way.
EIGENFORMER_OP F32x16 exp_range(F32x16 x) { return smaller(broadcast(89.0f), x); }
/// p 2^n, rounded once, and 0 where x is below -104: a result that is too small even for a denormal
/// number would cost a hundred times as much, and masked scores are such. `shifted` is n + 1.5 x
/// 2^23.
EIGENFORMER_OP F32x16 times_power_of_two(F32x16 p, F32x16 n, F32x16 /*shifted*/, F32x16 x) {
  const __mmask16 in_range = _mm512_cmp_ps_mask(x.v, _mm512_set1_ps(-104.0f), _CMP_NLT_UQ);
  return {_mm512_maskz_scalef_ps(in_range, p.v, n.v)};
}

/// The tree of reference::tree_sum.
EIGENFORMER_OP float tree_sum(F32x16 a) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
EIGENFORMER_OP float tree_max(F32x16 a) {
  const __m256 half = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 pair = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_max_ss(pair, _mm_movehdup_ps(pair)));
}

EIGENFORMER_OP F32x16 widen(const Half* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
EIGENFORMER_OP void narrow(Half* p, F32x16 a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
/// A signalling NaN becomes a quiet one where that is what widening does: here by the first use.
EIGENFORMER_OP F32x16 widen(const Bfloat16* p) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}
EIGENFORMER_OP void narrow(Bfloat16* p, F32x16 a) {
  const __m512i bits = _mm512_castps_si512(a.v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_srli_epi32(
      _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  const __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(0x40));
  const __mmask16 nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtepi32_epi16(_mm512_mask_blend_epi32(nan, rounded, quiet)));
}
/// Inputs 2 i (even) and 2 i + 1 (odd) of a panel of pairs, for 16 outputs.
EIGENFORMER_OP F32x16 widen_even(const Bfloat16* pairs) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(pairs), 16))};
}
EIGENFORMER_OP F32x16 widen_odd(const Bfloat16* pairs) {
  const __m512i mask = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(pairs), mask))};
}

/// row[i], lane j <-> row[j], lane i.
EIGENFORMER_OP void transpose(F32x16 (&row)[16]) {
  __m512 pair[16], quad[16];
  EIGENFORMER_UNROLL
  for (int i = 0; i < 16; i += 2) {
    pair[i] = _mm512_unpacklo_ps(row[i].v, row[i + 1].v);
    pair[i + 1] = _mm512_unpackhi_ps(row[i].v, row[i + 1].v);
  }
  EIGENFORMER_UNROLL
  for (int i = 0; i < 16; i += 4) {  // quad[i + j]: column j of each 4 x 4 block of rows i to i + 3
    quad[i] = _mm512_shuffle_ps(pair[i], pair[i + 2], 0x44);
    quad[i + 1] = _mm512_shuffle_ps(pair[i], pair[i + 2], 0xee);
    quad[i + 2] = _mm512_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    quad[i + 3] = _mm512_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
  }
  EIGENFORMER_UNROLL
  for (int j = 0; j < 4; ++j) {  // then the 4 x 4 blocks change places
    const __m512 a = _mm512_shuffle_f32x4(quad[j], quad[j + 4], 0x88);
    const __m512 b = _mm512_shuffle_f32x4(quad[j], quad[j + 4], 0xdd);
    const __m512 c = _mm512_shuffle_f32x4(quad[j + 8], quad[j + 12], 0x88);
    const __m512 d = _mm512_shuffle_f32x4(quad[j + 8], quad[j + 12], 0xdd);
    row[j].v = _mm512_shuffle_f32x4(a, c, 0x88);
    row[j + 4].v = _mm512_shuffle_f32x4(b, d, 0x88);
    row[j + 8].v = _mm512_shuffle_f32x4(a, c, 0xdd);
    row[j + 12].v = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
}

// clang-format off
#include "eigenformer/kernels/x86/avx512_int8.inl"
#include "eigenformer/kernels/simd/tiles.inl"
#include "eigenformer/kernels/simd/int8.inl"
#include "eigenformer/kernels/simd/kernels.inl"
// clang-format on

}  // namespace kernels::avx512
}  // namespace eigenformer::inline v0

#undef EIGENFORMER_TARGET
#pragma GCC diagnostic pop
#endif  // EIGENFORMER_X86_64
