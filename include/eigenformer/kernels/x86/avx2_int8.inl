// SPDX-License-Identifier: MIT
// Integers with AVX2, for simd/int8.inl.

inline constexpr float int8_offset = 0.0f;
/// A tile in registers: 4 x 2 sums, 2 weights, an input and its magnitude, ones.
inline constexpr int int8_rows = 4;
inline constexpr int int8_panels = 1;
inline constexpr int int8_row_panels = 4;

struct I32x16 {
  __m256i low, high;
};

EIGENFORMER_OP I32x16 zero_sums() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
EIGENFORMER_OP I32x16 load_sums(const std::int32_t* p) {
  const auto* const words = reinterpret_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(words), _mm256_loadu_si256(words + 1)};
}
EIGENFORMER_OP F32x16 to_float(I32x16 a) {
  return {_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)};
}

/// Four inputs' weights of 16 outputs.
struct Int8Weights {
  __m256i low, high;
};

EIGENFORMER_OP Int8Weights load_int8(const std::int8_t* p) {
  const auto* const words = reinterpret_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(words), _mm256_loadu_si256(words + 1)};
}
EIGENFORMER_OP __m256i broadcast_four(const std::int8_t* p) {
  int four;
  std::memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}

/// Four inputs of a row, for all outputs.
struct Int8Inputs {
  __m256i signed_, magnitude;
  EIGENFORMER_OP explicit Int8Inputs(const std::int8_t* p)
      : signed_(broadcast_four(p)), magnitude(_mm256_abs_epi8(signed_)) {}
};

/// The sign moves to the weight, so that two products of at most 127 x 127 stay within 16 bits.
EIGENFORMER_OP __m256i dot(__m256i sum, const Int8Inputs& x, __m256i weight) {
  const __m256i pairs = _mm256_maddubs_epi16(x.magnitude, _mm256_sign_epi8(weight, x.signed_));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
EIGENFORMER_OP I32x16 dot(I32x16 sum, const Int8Inputs& x, const Int8Weights& weight) {
  return {dot(sum.low, x, weight.low), dot(sum.high, x, weight.high)};
}

/// Lane by lane, the larger of a and the bits of |x|.
EIGENFORMER_OP I32x16 larger_magnitude(I32x16 a, F32x16 x) {
  const F32x16 magnitude = absolute(x);
  return {_mm256_max_epu32(a.low, _mm256_castps_si256(magnitude.low)),
          _mm256_max_epu32(a.high, _mm256_castps_si256(magnitude.high))};
}
EIGENFORMER_OP std::uint32_t largest_lane(I32x16 a) {
  const __m256i half = _mm256_max_epu32(a.low, a.high);
  const __m128i quarter =
      _mm_max_epu32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  const __m128i pair = _mm_max_epu32(quarter, _mm_shuffle_epi32(quarter, 0x4e));
  const __m128i one = _mm_max_epu32(pair, _mm_shuffle_epi32(pair, 0xb1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(one));
}
/// The low byte of each lane.
EIGENFORMER_OP void store_low_bytes(std::int8_t* p, F32x16 a) {
  const __m256i byte = _mm256_set1_epi32(0xff);
  const __m256i mixed = _mm256_packus_epi32(_mm256_and_si256(_mm256_castps_si256(a.low), byte),
                                            _mm256_and_si256(_mm256_castps_si256(a.high), byte));
  const __m256i words = _mm256_permute4x64_epi64(mixed, 0xd8);
  _mm_storeu_si128(
      reinterpret_cast<__m128i*>(p),
      _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}
