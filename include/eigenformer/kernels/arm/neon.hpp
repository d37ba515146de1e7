// SPDX-License-Identifier: MIT
/// The kernels with NEON, which every aarch64 processor has: a vector of 16 floats is four
/// registers.
#pragma once

#include "eigenformer/kernels/simd/prelude.hpp"

#if EIGENFORMER_AARCH64
#include <arm_neon.h>

#define EIGENFORMER_TARGET

namespace eigenformer::inline v0 {
namespace kernels::neon {

inline constexpr Isa isa = Isa::neon;
/// A product's tile in registers: 6 x 4 sums, 4 weights, one input.
inline constexpr int tile_rows = 6;
inline constexpr int tile_panels = 1;
inline constexpr int tile_row_panels = 4;

/// Lanes 0 to 3 in a, and so on.
struct F32x16 {
  float32x4_t a, b, c, d;
};

EIGENFORMER_OP F32x16 load(const float* p) {
  return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}
EIGENFORMER_OP void store(float* p, F32x16 x) {
  vst1q_f32(p, x.a);
  vst1q_f32(p + 4, x.b);
  vst1q_f32(p + 8, x.c);
  vst1q_f32(p + 12, x.d);
}
EIGENFORMER_OP F32x16 broadcast(float x) {
  return {vdupq_n_f32(x), vdupq_n_f32(x), vdupq_n_f32(x), vdupq_n_f32(x)};
}
/// The first n lanes, n in [0, 16]; zeros in the others.
EIGENFORMER_OP F32x16 load_first(const float* p, Index n) {
  if (n >= lanes) return load(p);
  float lane[lanes] = {};
  if (n > 0) std::memcpy(lane, p, static_cast<std::size_t>(n) * sizeof(float));
  return load(lane);
}
EIGENFORMER_OP void store_first(float* p, F32x16 x, Index n) {
  if (n >= lanes) return store(p, x);
  float lane[lanes];
  store(lane, x);
  if (n > 0) std::memcpy(p, lane, static_cast<std::size_t>(n) * sizeof(float));
}

EIGENFORMER_OP F32x16 add(F32x16 x, F32x16 y) {
  return {vaddq_f32(x.a, y.a), vaddq_f32(x.b, y.b), vaddq_f32(x.c, y.c), vaddq_f32(x.d, y.d)};
}
EIGENFORMER_OP F32x16 subtract(F32x16 x, F32x16 y) {
  return {vsubq_f32(x.a, y.a), vsubq_f32(x.b, y.b), vsubq_f32(x.c, y.c), vsubq_f32(x.d, y.d)};
}
EIGENFORMER_OP F32x16 multiply(F32x16 x, F32x16 y) {
  return {vmulq_f32(x.a, y.a), vmulq_f32(x.b, y.b), vmulq_f32(x.c, y.c), vmulq_f32(x.d, y.d)};
}
EIGENFORMER_OP F32x16 divide(F32x16 x, F32x16 y) {
  return {vdivq_f32(x.a, y.a), vdivq_f32(x.b, y.b), vdivq_f32(x.c, y.c), vdivq_f32(x.d, y.d)};
}
EIGENFORMER_OP F32x16 fma(F32x16 x, F32x16 y, F32x16 z) {
  return {vfmaq_f32(z.a, x.a, y.a), vfmaq_f32(z.b, x.b, y.b), vfmaq_f32(z.c, x.c, y.c),
          vfmaq_f32(z.d, x.d, y.d)};
}

/// x > y ? x : y. The processor's own maximum takes zeros by their signs and a NaN for the largest;
/// clang uses it where it knows y, unless it loses sight of the comparison.
EIGENFORMER_OP float32x4_t larger(float32x4_t x, float32x4_t y) {
  uint32x4_t x_is_larger = vcgtq_f32(x, y);
  asm("" : "+w"(x_is_larger));
  return vbslq_f32(x_is_larger, x, y);
}
EIGENFORMER_OP F32x16 larger(F32x16 x, F32x16 y) {
  return {larger(x.a, y.a), larger(x.b, y.b), larger(x.c, y.c), larger(x.d, y.d)};
}
/// x < y ? yes : no.
EIGENFORMER_OP F32x16 if_less(F32x16 x, F32x16 y, F32x16 yes, F32x16 no) {
  return {vbslq_f32(vcltq_f32(x.a, y.a), yes.a, no.a), vbslq_f32(vcltq_f32(x.b, y.b), yes.b, no.b),
          vbslq_f32(vcltq_f32(x.c, y.c), yes.c, no.c), vbslq_f32(vcltq_f32(x.d, y.d), yes.d, no.d)};
}
/// x < y ? x : y.
EIGENFORMER_OP F32x16 smaller(F32x16 x, F32x16 y) { return if_less(x, y, x, y); }

/// x in the lanes [begin - first, end - first), `other` in the rest.
EIGENFORMER_OP float32x4_t only_lanes(float32x4_t x, int32x4_t begin, int32x4_t end, int first,
                                      float32x4_t other) {
  const std::int32_t lane[] = {first, first + 1, first + 2, first + 3};
  const int32x4_t at = vld1q_s32(lane);
  return vbslq_f32(vandq_u32(vcleq_s32(begin, at), vcltq_s32(at, end)), x, other);
}
/// Lanes [begin, end) of x, `other` in the rest.
EIGENFORMER_OP F32x16 only_lanes(F32x16 x, Index begin, Index end, F32x16 other) {
  const int32x4_t from = vdupq_n_s32(static_cast<std::int32_t>(std::clamp<Index>(begin, 0, lanes)));
  const int32x4_t to = vdupq_n_s32(static_cast<std::int32_t>(std::clamp<Index>(end, 0, lanes)));
  return {only_lanes(x.a, from, to, 0, other.a), only_lanes(x.b, from, to, 4, other.b),
          only_lanes(x.c, from, to, 8, other.c), only_lanes(x.d, from, to, 12, other.d)};
}

EIGENFORMER_OP F32x16 absolute(F32x16 x) {
  return {vabsq_f32(x.a), vabsq_f32(x.b), vabsq_f32(x.c), vabsq_f32(x.d)};
}
EIGENFORMER_OP F32x16 copy_sign(F32x16 magnitude, F32x16 sign) {
  const uint32x4_t bit = vdupq_n_u32(0x80000000u);
  return {vbslq_f32(bit, sign.a, magnitude.a), vbslq_f32(bit, sign.b, magnitude.b),
          vbslq_f32(bit, sign.c, magnitude.c), vbslq_f32(bit, sign.d, magnitude.d)};
}
/// x as far as exp needs it.
EIGENFORMER_OP F32x16 exp_range(F32x16 x) {
  return larger(broadcast(-104.0f), smaller(broadcast(89.0f), x));
}
EIGENFORMER_OP float32x4_t power_of_two(int32x4_t n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23));
}
EIGENFORMER_OP float32x4_t times_power_of_two(float32x4_t p, float32x4_t shifted) {
  const int32x4_t power = vsubq_s32(vreinterpretq_s32_f32(shifted), vdupq_n_s32(0x4b400000));
  const int32x4_t half = vshrq_n_s32(power, 1);
  const float32x4_t first = vmulq_f32(p, power_of_two(half));
  const float32x4_t result = vmulq_f32(first, power_of_two(vsubq_s32(power, half)));
  return larger(vdupq_n_f32(0.0f), result);  // unfusable: see reference::exp
}
/// p 2^n, rounded once, and 0 where x is below -104; `shifted` is n + 1.5 x 2^23.
EIGENFORMER_OP F32x16 times_power_of_two(F32x16 p, F32x16 /*n*/, F32x16 shifted, F32x16 x) {
  const F32x16 q = if_less(x, broadcast(-104.0f), broadcast(0.0f), p);
  return {times_power_of_two(q.a, shifted.a), times_power_of_two(q.b, shifted.b),
          times_power_of_two(q.c, shifted.c), times_power_of_two(q.d, shifted.d)};
}

/// The tree of reference::tree_sum.
EIGENFORMER_OP float tree_sum(F32x16 x) {
  const float32x4_t quarter = vaddq_f32(vaddq_f32(x.a, x.c), vaddq_f32(x.b, x.d));
  const float32x2_t pair = vadd_f32(vget_low_f32(quarter), vget_high_f32(quarter));
  return vget_lane_f32(pair, 0) + vget_lane_f32(pair, 1);
}
EIGENFORMER_OP float tree_max(F32x16 x) {
  const float32x4_t quarter = larger(larger(x.a, x.c), larger(x.b, x.d));
  const float32x4_t pair = larger(quarter, vextq_f32(quarter, quarter, 2));
  return vgetq_lane_f32(larger(pair, vextq_f32(pair, pair, 1)), 0);
}

EIGENFORMER_OP float32x4_t widen_half(uint16x4_t bits) {
  return vcvt_f32_f16(vreinterpret_f16_u16(bits));
}
EIGENFORMER_OP F32x16 widen(const Half* p) {
  const std::uint16_t* const bits = &p->bits;
  return {widen_half(vld1_u16(bits)), widen_half(vld1_u16(bits + 4)),
          widen_half(vld1_u16(bits + 8)), widen_half(vld1_u16(bits + 12))};
}
EIGENFORMER_OP uint16x4_t narrow_half(float32x4_t x) {
  return vreinterpret_u16_f16(vcvt_f16_f32(x));
}
EIGENFORMER_OP void narrow(Half* p, F32x16 x) {
  std::uint16_t* const bits = &p->bits;
  vst1_u16(bits, narrow_half(x.a));
  vst1_u16(bits + 4, narrow_half(x.b));
  vst1_u16(bits + 8, narrow_half(x.c));
  vst1_u16(bits + 12, narrow_half(x.d));
}
EIGENFORMER_OP float32x4_t widen_bfloat16(uint16x4_t bits) {
  return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
}
EIGENFORMER_OP F32x16 widen(const Bfloat16* p) {
  const std::uint16_t* const bits = &p->bits;
  return {widen_bfloat16(vld1_u16(bits)), widen_bfloat16(vld1_u16(bits + 4)),
          widen_bfloat16(vld1_u16(bits + 8)), widen_bfloat16(vld1_u16(bits + 12))};
}
EIGENFORMER_OP uint16x4_t narrow_bfloat16(float32x4_t x) {
  const uint32x4_t bits = vreinterpretq_u32_f32(x);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
  const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
  return vshrn_n_u32(vbslq_u32(vceqq_f32(x, x), rounded, quiet), 16);
}
EIGENFORMER_OP void narrow(Bfloat16* p, F32x16 x) {
  std::uint16_t* const bits = &p->bits;
  vst1_u16(bits, narrow_bfloat16(x.a));
  vst1_u16(bits + 4, narrow_bfloat16(x.b));
  vst1_u16(bits + 8, narrow_bfloat16(x.c));
  vst1_u16(bits + 12, narrow_bfloat16(x.d));
}

/// Eight numbers of a panel of pairs, as four words.
EIGENFORMER_OP uint32x4_t load_pairs(const Bfloat16* p) {
  return vreinterpretq_u32_u16(vld1q_u16(&p->bits));
}
EIGENFORMER_OP float32x4_t upper_half(uint32x4_t pairs) {
  return vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff0000u)));
}
EIGENFORMER_OP float32x4_t lower_half(uint32x4_t pairs) {
  return vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16));
}
/// Inputs 2 i (even) and 2 i + 1 (odd) of a panel of pairs, for 16 outputs.
EIGENFORMER_OP F32x16 widen_even(const Bfloat16* pairs) {
  return {lower_half(load_pairs(pairs)), lower_half(load_pairs(pairs + 8)),
          lower_half(load_pairs(pairs + 16)), lower_half(load_pairs(pairs + 24))};
}
EIGENFORMER_OP F32x16 widen_odd(const Bfloat16* pairs) {
  return {upper_half(load_pairs(pairs)), upper_half(load_pairs(pairs + 8)),
          upper_half(load_pairs(pairs + 16)), upper_half(load_pairs(pairs + 24))};
}

/// Lanes 0 and 1, or 2 and 3, of x, then of y.
EIGENFORMER_OP float32x4_t low_halves(float32x4_t x, float32x4_t y) {
  return vcombine_f32(vget_low_f32(x), vget_low_f32(y));
}
EIGENFORMER_OP float32x4_t high_halves(float32x4_t x, float32x4_t y) {
  return vcombine_f32(vget_high_f32(x), vget_high_f32(y));
}
EIGENFORMER_OP void transpose(float32x4_t& x, float32x4_t& y, float32x4_t& z, float32x4_t& w) {
  const float32x4_t even_xy = vtrn1q_f32(x, y), odd_xy = vtrn2q_f32(x, y);
  const float32x4_t even_zw = vtrn1q_f32(z, w), odd_zw = vtrn2q_f32(z, w);
  x = low_halves(even_xy, even_zw);
  y = low_halves(odd_xy, odd_zw);
  z = high_halves(even_xy, even_zw);
  w = high_halves(odd_xy, odd_zw);
}
/// row[i], lane j <-> row[j], lane i: 4 x 4 blocks, each within itself, then they change places.
EIGENFORMER_OP void transpose(F32x16 (&row)[16]) {
  float32x4_t block[4][16];  // [lanes / 4][row]
  EIGENFORMER_UNROLL
  for (int i = 0; i < 16; ++i) {
    block[0][i] = row[i].a;
    block[1][i] = row[i].b;
    block[2][i] = row[i].c;
    block[3][i] = row[i].d;
  }
  EIGENFORMER_UNROLL
  for (int b = 0; b < 16; ++b) {
    float32x4_t* const four = block[b / 4] + b % 4 * 4;
    transpose(four[0], four[1], four[2], four[3]);
  }
  EIGENFORMER_UNROLL
  for (int i = 0; i < 16; ++i) {
    const float32x4_t* const lane = block[i / 4];
    row[i] = {lane[i % 4], lane[4 + i % 4], lane[8 + i % 4], lane[12 + i % 4]};
  }
}

// clang-format off
#include "eigenformer/kernels/arm/neon_int8.inl"
#include "eigenformer/kernels/simd/tiles.inl"
#include "eigenformer/kernels/simd/int8.inl"
#include "eigenformer/kernels/simd/kernels.inl"
// clang-format on

}  // namespace kernels::neon
}  // namespace eigenformer::inline v0

#undef EIGENFORMER_TARGET
#endif  // EIGENFORMER_AARCH64
