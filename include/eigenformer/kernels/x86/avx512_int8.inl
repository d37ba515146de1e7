// SPDX-License-Identifier: MIT
// Integers with AVX-512, for simd/int8.inl.

inline constexpr float int8_offset = 0.0f;
/// A tile in registers: 5 x 4 sums, 4 weights, an input, its magnitude and signs, ones.
inline constexpr int int8_rows = 5;
inline constexpr int int8_panels = 4;
inline constexpr int int8_row_panels = 8;

struct I32x16 {
  __m512i v;
};

EIGENFORMER_OP I32x16 zero_sums() { return {_mm512_setzero_si512()}; }
EIGENFORMER_OP I32x16 load_sums(const std::int32_t* p) { return {_mm512_loadu_si512(p)}; }
EIGENFORMER_OP F32x16 to_float(I32x16 a) { return {_mm512_cvtepi32_ps(a.v)}; }

/// Four inputs' weights of 16 outputs.
struct Int8Weights {
  __m512i v;
};

EIGENFORMER_OP Int8Weights load_int8(const std::int8_t* p) { return {_mm512_loadu_si512(p)}; }
EIGENFORMER_OP __m512i broadcast_four(const std::int8_t* p) {
  int four;
  std::memcpy(&four, p, sizeof four);
  return _mm512_set1_epi32(four);
}

/// Four inputs of a row, for all outputs.
struct Int8Inputs {
  __m512i magnitude;
  __mmask64 negative;
  EIGENFORMER_OP explicit Int8Inputs(const std::int8_t* p)
      : magnitude(_mm512_abs_epi8(broadcast_four(p))),
        negative(_mm512_movepi8_mask(broadcast_four(p))) {}
};

/// The sign moves to the weight, so that two products of at most 127 x 127 stay within 16 bits.
EIGENFORMER_OP I32x16 dot(I32x16 sum, const Int8Inputs& x, const Int8Weights& weight) {
  const __m512i moved =
      _mm512_mask_sub_epi8(weight.v, x.negative, _mm512_setzero_si512(), weight.v);
  const __m512i pairs = _mm512_maddubs_epi16(x.magnitude, moved);
  return {_mm512_add_epi32(sum.v, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))};
}

/// Lane by lane, the larger of a and the bits of |x|.
EIGENFORMER_OP I32x16 larger_magnitude(I32x16 a, F32x16 x) {
  return {_mm512_max_epu32(a.v, _mm512_castps_si512(_mm512_abs_ps(x.v)))};
}
EIGENFORMER_OP std::uint32_t largest_lane(I32x16 a) { return _mm512_reduce_max_epu32(a.v); }
/// The low byte of each lane.
EIGENFORMER_OP void store_low_bytes(std::int8_t* p, F32x16 a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_castps_si512(a.v)));
}
