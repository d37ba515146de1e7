// SPDX-License-Identifier: MIT
// Integers with NEON, for simd/int8.inl.

inline constexpr float int8_offset = 0.0f;
/// A tile in registers: 5 x 4 sums, 4 weights, an input, products.
inline constexpr int int8_rows = 5;
inline constexpr int int8_panels = 1;
inline constexpr int int8_row_panels = 4;

struct I32x16 {
  int32x4_t a, b, c, d;
};

EIGENFORMER_OP I32x16 zero_sums() {
  return {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
}
EIGENFORMER_OP I32x16 load_sums(const std::int32_t* p) {
  return {vld1q_s32(p), vld1q_s32(p + 4), vld1q_s32(p + 8), vld1q_s32(p + 12)};
}
EIGENFORMER_OP F32x16 to_float(I32x16 x) {
  return {vcvtq_f32_s32(x.a), vcvtq_f32_s32(x.b), vcvtq_f32_s32(x.c), vcvtq_f32_s32(x.d)};
}

/// Four inputs' weights of 16 outputs.
struct Int8Weights {
  int8x16_t a, b, c, d;
};

EIGENFORMER_OP Int8Weights load_int8(const std::int8_t* p) {
  return {vld1q_s8(p), vld1q_s8(p + 16), vld1q_s8(p + 32), vld1q_s8(p + 48)};
}

EIGENFORMER_OP int8x16_t broadcast_four(const std::int8_t* p) {
  std::int32_t four;
  std::memcpy(&four, p, sizeof four);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

/// Four inputs of a row, for all outputs.
struct Int8Inputs {
  int8x16_t v;
  EIGENFORMER_OP explicit Int8Inputs(const std::int8_t* p) : v(broadcast_four(p)) {}
};

/// Two products of at most 127 x 127 stay within 16 bits, four need more.
EIGENFORMER_OP int32x4_t dot(int32x4_t sum, int8x16_t x, int8x16_t weight) {
  const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(weight));
  const int16x8_t high = vmull_high_s8(x, weight);
  return vpadalq_s16(sum, vpaddq_s16(low, high));
}
EIGENFORMER_OP I32x16 dot(I32x16 sum, const Int8Inputs& x, const Int8Weights& weight) {
  return {dot(sum.a, x.v, weight.a), dot(sum.b, x.v, weight.b), dot(sum.c, x.v, weight.c),
          dot(sum.d, x.v, weight.d)};
}

EIGENFORMER_OP int32x4_t larger_magnitude(int32x4_t a, float32x4_t x) {
  return vreinterpretq_s32_u32(
      vmaxq_u32(vreinterpretq_u32_s32(a), vreinterpretq_u32_f32(vabsq_f32(x))));
}
/// Lane by lane, the larger of a and the bits of |x|.
EIGENFORMER_OP I32x16 larger_magnitude(I32x16 a, F32x16 x) {
  return {larger_magnitude(a.a, x.a), larger_magnitude(a.b, x.b), larger_magnitude(a.c, x.c),
          larger_magnitude(a.d, x.d)};
}
EIGENFORMER_OP std::uint32_t largest_lane(I32x16 x) {
  const int32x4_t largest = vmaxq_s32(vmaxq_s32(x.a, x.b), vmaxq_s32(x.c, x.d));
  return static_cast<std::uint32_t>(vmaxvq_s32(largest));  // none has its sign bit set
}

EIGENFORMER_OP uint16x8_t low_words(float32x4_t x, float32x4_t y) {
  return vuzp1q_u16(vreinterpretq_u16_f32(x), vreinterpretq_u16_f32(y));
}
/// The low byte of each lane.
EIGENFORMER_OP void store_low_bytes(std::int8_t* p, F32x16 x) {
  vst1q_s8(p, vuzp1q_s8(vreinterpretq_s8_u16(low_words(x.a, x.b)),
                        vreinterpretq_s8_u16(low_words(x.c, x.d))));
}
