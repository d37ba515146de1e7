// SPDX-License-Identifier: MIT
/// Eight-bit numbers with a scale for each row, symmetric: x is about q * scale, |q| <= 127.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// Inputs of a product in int8 are padded with zeros to a multiple of this.
inline constexpr Index int8_step = 64;
/// And there are at most this many, so that no 32-bit sum of theirs overflows.
inline constexpr Index most_int8_inputs = Index{1} << 17;

/// A matrix of integers in somebody else's memory, row by row as files have it: the weight in row r
/// and column c is values[r * cols + c] * scales[r].
struct Int8MatrixView {
  const std::int8_t* values = nullptr;  ///< [rows, cols], -127 to 127
  const float* scales = nullptr;        ///< [rows], finite, 0 or more
  Index rows = 0;
  Index cols = 0;

  const std::int8_t* row(Index r) const {
    EIGENFORMER_ASSERT(r >= 0 && r < rows);
    return values + r * cols;
  }
};

/// How a row is quantised.
struct Int8Scale {
  float inverse;  ///< q is x * inverse, rounded to nearest, half to even
  float scale;    ///< and x about q * scale
};

/// `largest` has the bits of the row's largest |x|. A row with an infinity or a NaN has NaN as its
/// scale and zeros as its q; one below 2^-120 is all zeros.
inline Int8Scale int8_scale(std::uint32_t largest) {
  const float max = std::bit_cast<float>(largest);
  if (largest >= 0x7f800000u) return {0.0f, std::numeric_limits<float>::quiet_NaN()};
  if (max < 0x1p-120f) return {0.0f, 0.0f};
  return {127.0f / max, max / 127.0f};
}

/// The bits of |x|, which have the order of |x|, infinities and NaNs last.
inline std::uint32_t magnitude_bits(float x) {
  return std::bit_cast<std::uint32_t>(x) & 0x7fffffffu;
}

/// The scale of x [n].
inline Int8Scale int8_scale(const float* x, Index n) {
  std::uint32_t largest = 0;
  for (Index i = 0; i < n; ++i) largest = std::max(largest, magnitude_bits(x[i]));
  return int8_scale(largest);
}

/// q of x in a row of that scale, rounded once: the product is exact in double, and ulps are
/// integers after the sum.
inline std::int8_t quantized(float x, const Int8Scale& row) {
  if (row.inverse == 0.0f) return 0;
  const double shifted = double{x} * double{row.inverse} + 0x1.8p52;
  return static_cast<std::int8_t>(std::bit_cast<std::uint64_t>(shifted));
}

/// q [n] of x [n], and the scale.
inline float quantize_row(const float* x, Index n, std::int8_t* q) {
  const Int8Scale row = int8_scale(x, n);
  for (Index i = 0; i < n; ++i) q[i] = quantized(x[i], row);
  return row.scale;
}

}  // namespace eigenformer::inline v0
