// SPDX-License-Identifier: MIT
/// The kernels with AVX2, FMA and F16C: a vector of 16 floats is two registers.
#pragma once

#include "eigenformer/kernels/simd/prelude.hpp"

#if EIGENFORMER_X86_64
#include <immintrin.h>

#define EIGENFORMER_TARGET __attribute__((target("avx2,fma,f16c")))

namespace eigenformer::inline v0 {
namespace kernels::avx2 {

inline constexpr Isa isa = Isa::avx2;
/// A product's tile in registers: 6 x 2 sums, 2 weights, one input.
inline constexpr int tile_rows = 6;
inline constexpr int tile_panels = 1;
inline constexpr int tile_row_panels = 4;

struct F32x16 {
  __m256 low, high;
};

EIGENFORMER_OP F32x16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
EIGENFORMER_OP void store(float* p, F32x16 a) {
  _mm256_storeu_ps(p, a.low);
  _mm256_storeu_ps(p + 8, a.high);
}
/// All ones in lanes [first, first + 8) that are below n.
EIGENFORMER_OP __m256i lanes_below(Index n, int first) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const int count = n >= 16 ? 16 : n <= 0 ? 0 : static_cast<int>(n);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count - first), lane);
}
/// The first n lanes, n in [0, 16]; zeros in the others.
EIGENFORMER_OP F32x16 load_first(const float* p, Index n) {
  return {_mm256_maskload_ps(p, lanes_below(n, 0)), _mm256_maskload_ps(p + 8, lanes_below(n, 8))};
}
EIGENFORMER_OP void store_first(float* p, F32x16 a, Index n) {
  _mm256_maskstore_ps(p, lanes_below(n, 0), a.low);
  _mm256_maskstore_ps(p + 8, lanes_below(n, 8), a.high);
}
EIGENFORMER_OP F32x16 broadcast(float a) { return {_mm256_set1_ps(a), _mm256_set1_ps(a)}; }

EIGENFORMER_OP F32x16 add(F32x16 a, F32x16 b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
EIGENFORMER_OP F32x16 subtract(F32x16 a, F32x16 b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
EIGENFORMER_OP F32x16 multiply(F32x16 a, F32x16 b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
EIGENFORMER_OP F32x16 divide(F32x16 a, F32x16 b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
EIGENFORMER_OP F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
/// a > b ? a : b.
EIGENFORMER_OP F32x16 larger(F32x16 a, F32x16 b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
/// a < b ? a : b.
EIGENFORMER_OP F32x16 smaller(F32x16 a, F32x16 b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
/// a < b ? yes : no.
EIGENFORMER_OP F32x16 if_less(F32x16 a, F32x16 b, F32x16 yes, F32x16 no) {
  return {_mm256_blendv_ps(no.low, yes.low, _mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ)),
          _mm256_blendv_ps(no.high, yes.high, _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ))};
}
/// Lanes [begin, end) of a, `other` in the rest.
EIGENFORMER_OP F32x16 only_lanes(F32x16 a, Index begin, Index end, F32x16 other) {
  const __m256i low = _mm256_andnot_si256(lanes_below(begin, 0), lanes_below(end, 0));
  const __m256i high = _mm256_andnot_si256(lanes_below(begin, 8), lanes_below(end, 8));
  return {_mm256_blendv_ps(other.low, a.low, _mm256_castsi256_ps(low)),
          _mm256_blendv_ps(other.high, a.high, _mm256_castsi256_ps(high))};
}
EIGENFORMER_OP F32x16 absolute(F32x16 a) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(bit, a.low), _mm256_andnot_ps(bit, a.high)};
}
EIGENFORMER_OP F32x16 copy_sign(F32x16 magnitude, F32x16 sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  const F32x16 positive = absolute(magnitude);
  return {_mm256_or_ps(positive.low, _mm256_and_ps(bit, sign.low)),
          _mm256_or_ps(positive.high, _mm256_and_ps(bit, sign.high))};
}
/// x as far as exp needs it.
EIGENFORMER_OP F32x16 exp_range(F32x16 x) {
  return larger(broadcast(-104.0f), smaller(broadcast(89.0f), x));
}
EIGENFORMER_OP __m256 times_power_of_two(__m256 p, __m256 shifted, __m256 x) {
  const __m256 in_range = _mm256_cmp_ps(x, _mm256_set1_ps(-104.0f), _CMP_NLT_UQ);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i power =
      _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(0x4b400000));
  const __m256i half = _mm256_srai_epi32(power, 1);
  const __m256i rest = _mm256_sub_epi32(power, half);
  const __m256 first = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  const __m256 second = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  const __m256 result = _mm256_mul_ps(_mm256_mul_ps(_mm256_and_ps(p, in_range), first), second);
  return _mm256_max_ps(_mm256_setzero_ps(), result);  // unfusable: see reference::exp
}
/// p 2^n, rounded once, and 0 where x is below -104: a result that is too small even for a denormal
/// number would cost a hundred times as much, and masked scores are such. `shifted` is n + 1.5 x
/// 2^23.
EIGENFORMER_OP F32x16 times_power_of_two(F32x16 p, F32x16 /*n*/, F32x16 shifted, F32x16 x) {
  return {times_power_of_two(p.low, shifted.low, x.low),
          times_power_of_two(p.high, shifted.high, x.high)};
}

/// The tree of reference::tree_sum.
EIGENFORMER_OP float tree_sum(F32x16 a) {
  const __m256 half = _mm256_add_ps(a.low, a.high);
  const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
EIGENFORMER_OP float tree_max(F32x16 a) {
  const __m256 half = _mm256_max_ps(a.low, a.high);
  const __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  const __m128 pair = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_max_ss(pair, _mm_movehdup_ps(pair)));
}

EIGENFORMER_OP F32x16 widen(const Half* p) {
  const auto* const halves = reinterpret_cast<const __m128i*>(p);
  return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
}
EIGENFORMER_OP void narrow(Half* p, F32x16 a) {
  auto* const halves = reinterpret_cast<__m128i*>(p);
  _mm_storeu_si128(halves, _mm256_cvtps_ph(a.low, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  _mm_storeu_si128(halves + 1,
                   _mm256_cvtps_ph(a.high, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
EIGENFORMER_OP __m256 widen_bits(__m128i bits) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
EIGENFORMER_OP F32x16 widen(const Bfloat16* p) {
  const auto* const halves = reinterpret_cast<const __m128i*>(p);
  return {widen_bits(_mm_loadu_si128(halves)), widen_bits(_mm_loadu_si128(halves + 1))};
}
EIGENFORMER_OP __m256i narrow_bits(__m256 a) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_srli_epi32(
      _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  const __m256i quiet = _mm256_or_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x40));
  return _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q)));
}
EIGENFORMER_OP void narrow(Bfloat16* p, F32x16 a) {
  const __m256i mixed = _mm256_packus_epi32(narrow_bits(a.low), narrow_bits(a.high));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(mixed, 0xd8));
}
/// Inputs 2 i (even) and 2 i + 1 (odd) of a panel of pairs, for 16 outputs.
EIGENFORMER_OP F32x16 widen_even(const Bfloat16* pairs) {
  const auto* const words = reinterpret_cast<const __m256i*>(pairs);
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256(words), 16)),
          _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256(words + 1), 16))};
}
EIGENFORMER_OP F32x16 widen_odd(const Bfloat16* pairs) {
  const auto* const words = reinterpret_cast<const __m256i*>(pairs);
  const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
  return {_mm256_castsi256_ps(_mm256_and_si256(_mm256_loadu_si256(words), mask)),
          _mm256_castsi256_ps(_mm256_and_si256(_mm256_loadu_si256(words + 1), mask))};
}

EIGENFORMER_OP void transpose(__m256 (&row)[8]) {
  __m256 pair[8], quad[8];
  EIGENFORMER_UNROLL
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
  }
  EIGENFORMER_UNROLL
  for (int i = 0; i < 8; i += 4) {
    quad[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    quad[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
    quad[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    quad[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
  }
  EIGENFORMER_UNROLL
  for (int j = 0; j < 4; ++j) {
    row[j] = _mm256_permute2f128_ps(quad[j], quad[j + 4], 0x20);
    row[j + 4] = _mm256_permute2f128_ps(quad[j], quad[j + 4], 0x31);
  }
}
/// row[i], lane j <-> row[j], lane i: four 8 x 8 blocks, two of which change places.
EIGENFORMER_OP void transpose(F32x16 (&row)[16]) {
  __m256 block[2][2][8];  // [half of the rows][half of the lanes]
  EIGENFORMER_UNROLL
  for (int i = 0; i < 16; ++i) {
    block[i / 8][0][i % 8] = row[i].low;
    block[i / 8][1][i % 8] = row[i].high;
  }
  EIGENFORMER_UNROLL
  for (int b = 0; b < 4; ++b) transpose(block[b / 2][b % 2]);
  EIGENFORMER_UNROLL
  for (int i = 0; i < 16; ++i) row[i] = {block[0][i / 8][i % 8], block[1][i / 8][i % 8]};
}

// clang-format off
#include "eigenformer/kernels/x86/avx2_int8.inl"
#include "eigenformer/kernels/simd/tiles.inl"
#include "eigenformer/kernels/simd/int8.inl"
#include "eigenformer/kernels/simd/kernels.inl"
// clang-format on

}  // namespace kernels::avx2
}  // namespace eigenformer::inline v0

#undef EIGENFORMER_TARGET
#endif  // EIGENFORMER_X86_64
