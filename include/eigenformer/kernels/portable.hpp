// SPDX-License-Identifier: MIT
/// The kernels for processors that have none of their own: the compiler's own vectors, no flags, no
/// intrinsics. A product and a sum round twice here, so the results equal the reference to a
/// tolerance only: a function to 4 ulp or 4 x 2^-24 |x|, a sum to two roundings a term
/// (tests/kernels/portable_test.cpp).
#pragma once

#include "eigenformer/kernels/simd/prelude.hpp"

#define EIGENFORMER_TARGET

namespace eigenformer::inline v0 {
namespace kernels::portable {

inline constexpr Isa isa = Isa::portable;
inline constexpr int tile_rows = 2;
inline constexpr int tile_panels = 1;
inline constexpr int tile_row_panels = 2;

using F32x4 = float __attribute__((vector_size(16)));
using I32x4 = std::int32_t __attribute__((vector_size(16)));

/// Four registers of four: lanes 0 to 3 in a, and so on.
struct F32x16 {
  F32x4 a, b, c, d;
};

EIGENFORMER_OP F32x16 load(const float* p) {
  F32x16 x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
EIGENFORMER_OP void store(float* p, F32x16 x) { std::memcpy(p, &x, sizeof x); }
/// The first n lanes, n in [0, 16]; zeros in the others.
EIGENFORMER_OP F32x16 load_first(const float* p, Index n) {
  F32x16 x{};
  if (n > 0) std::memcpy(&x, p, static_cast<std::size_t>(n) * sizeof(float));
  return x;
}
EIGENFORMER_OP void store_first(float* p, F32x16 x, Index n) {
  if (n > 0) std::memcpy(p, &x, static_cast<std::size_t>(n) * sizeof(float));
}
EIGENFORMER_OP F32x16 broadcast(float x) {
  const F32x4 part = {x, x, x, x};
  return {part, part, part, part};
}

EIGENFORMER_OP F32x16 add(F32x16 x, F32x16 y) {
  return {x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d};
}
EIGENFORMER_OP F32x16 subtract(F32x16 x, F32x16 y) {
  return {x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d};
}
EIGENFORMER_OP F32x16 multiply(F32x16 x, F32x16 y) {
  return {x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d};
}
EIGENFORMER_OP F32x16 divide(F32x16 x, F32x16 y) {
  return {x.a / y.a, x.b / y.b, x.c / y.c, x.d / y.d};
}
EIGENFORMER_OP F32x16 fma(F32x16 x, F32x16 y, F32x16 z) {
  return {x.a * y.a + z.a, x.b * y.b + z.b, x.c * y.c + z.c, x.d * y.d + z.d};
}
/// x > y ? x : y.
EIGENFORMER_OP F32x16 larger(F32x16 x, F32x16 y) {
  return {x.a > y.a ? x.a : y.a, x.b > y.b ? x.b : y.b, x.c > y.c ? x.c : y.c,
          x.d > y.d ? x.d : y.d};
}
/// x < y ? x : y.
EIGENFORMER_OP F32x16 smaller(F32x16 x, F32x16 y) {
  return {x.a < y.a ? x.a : y.a, x.b < y.b ? x.b : y.b, x.c < y.c ? x.c : y.c,
          x.d < y.d ? x.d : y.d};
}
/// x < y ? yes : no.
EIGENFORMER_OP F32x16 if_less(F32x16 x, F32x16 y, F32x16 yes, F32x16 no) {
  return {x.a < y.a ? yes.a : no.a, x.b < y.b ? yes.b : no.b, x.c < y.c ? yes.c : no.c,
          x.d < y.d ? yes.d : no.d};
}
EIGENFORMER_OP F32x4 only_lanes(F32x4 x, I32x4 lane, I32x4 begin, I32x4 end, F32x4 other) {
  return ((begin <= lane) & (lane < end)) ? x : other;
}
/// Lanes [begin, end) of x, `other` in the rest.
EIGENFORMER_OP F32x16 only_lanes(F32x16 x, Index begin, Index end, F32x16 other) {
  const auto first = static_cast<std::int32_t>(std::clamp<Index>(begin, 0, lanes));
  const auto last = static_cast<std::int32_t>(std::clamp<Index>(end, 0, lanes));
  const I32x4 from = {first, first, first, first}, to = {last, last, last, last};
  const I32x4 lane = {0, 1, 2, 3};
  return {only_lanes(x.a, lane, from, to, other.a), only_lanes(x.b, lane + 4, from, to, other.b),
          only_lanes(x.c, lane + 8, from, to, other.c),
          only_lanes(x.d, lane + 12, from, to, other.d)};
}
/// The bits of x under `mask`, those of y elsewhere.
EIGENFORMER_OP F32x4 mix(F32x4 x, F32x4 y, std::int32_t mask) {
  return reinterpret_cast<F32x4>((reinterpret_cast<I32x4>(x) & mask) |
                                 (reinterpret_cast<I32x4>(y) & ~mask));
}
EIGENFORMER_OP F32x16 copy_sign(F32x16 magnitude, F32x16 sign) {
  const std::int32_t mask = 0x7fffffff;
  return {mix(magnitude.a, sign.a, mask), mix(magnitude.b, sign.b, mask),
          mix(magnitude.c, sign.c, mask), mix(magnitude.d, sign.d, mask)};
}
EIGENFORMER_OP F32x16 absolute(F32x16 x) { return copy_sign(x, broadcast(0.0f)); }
EIGENFORMER_OP F32x4 times_power_of_two(F32x4 p, F32x4 shifted) {
  const I32x4 power = reinterpret_cast<I32x4>(shifted) - 0x4b400000;
  const I32x4 half = power >> 1, rest = power - half;
  return p * reinterpret_cast<F32x4>((half + 127) << 23) *
         reinterpret_cast<F32x4>((rest + 127) << 23);
}
/// x as far as exp needs it.
EIGENFORMER_OP F32x16 exp_range(F32x16 x) {
  return larger(broadcast(-104.0f), smaller(broadcast(89.0f), x));
}
/// p 2^n, and 0 where x is below -104; `shifted` is n + 1.5 x 2^23.
EIGENFORMER_OP F32x16 times_power_of_two(F32x16 p, F32x16 /*n*/, F32x16 shifted, F32x16 x) {
  const F32x16 q = if_less(x, broadcast(-104.0f), broadcast(0.0f), p);
  return {times_power_of_two(q.a, shifted.a), times_power_of_two(q.b, shifted.b),
          times_power_of_two(q.c, shifted.c), times_power_of_two(q.d, shifted.d)};
}

EIGENFORMER_OP float tree_sum(F32x16 x) {
  float lane[lanes];
  store(lane, x);
  return reference::tree_sum(lane);
}
EIGENFORMER_OP float tree_max(F32x16 x) {
  float lane[lanes];
  store(lane, x);
  return reference::maximum(lane, lanes);
}

/// Every `step`-th of 16 numbers, widened.
template <class Narrow>
inline F32x16 widen_each(const Narrow* p, int step) {
  float lane[lanes];
  for (int i = 0; i < lanes; ++i) lane[i] = to_float(p[i * step]);
  return load(lane);
}
inline F32x16 widen(const Half* p) { return widen_each(p, 1); }
inline F32x16 widen(const Bfloat16* p) { return widen_each(p, 1); }
/// Inputs 2 i (even) and 2 i + 1 (odd) of a panel of pairs, for 16 outputs.
inline F32x16 widen_even(const Bfloat16* pairs) { return widen_each(pairs, 2); }
inline F32x16 widen_odd(const Bfloat16* pairs) { return widen_each(pairs + 1, 2); }
inline void narrow(Half* p, F32x16 x) {
  float lane[lanes];
  store(lane, x);
  for (int i = 0; i < lanes; ++i) p[i] = to_half(lane[i]);
}
inline void narrow(Bfloat16* p, F32x16 x) {
  float lane[lanes];
  store(lane, x);
  for (int i = 0; i < lanes; ++i) p[i] = to_bfloat16(lane[i]);
}

/// row[i], lane j <-> row[j], lane i.
inline void transpose(F32x16 (&row)[lanes]) {
  float from[lanes][lanes], to[lanes][lanes];
  std::memcpy(from, row, sizeof from);
  for (int i = 0; i < lanes; ++i) {
    for (int j = 0; j < lanes; ++j) to[i][j] = from[j][i];
  }
  std::memcpy(row, to, sizeof to);
}

using reference::product_int8, reference::quantize;

// clang-format off
#include "eigenformer/kernels/simd/tiles.inl"
#include "eigenformer/kernels/simd/kernels.inl"
// clang-format on

}  // namespace kernels::portable
}  // namespace eigenformer::inline v0

#undef EIGENFORMER_TARGET
