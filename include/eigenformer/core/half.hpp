// SPDX-License-Identifier: MIT
/// The two 16-bit floating-point formats and their conversions: exact when widening, round half to
/// even when narrowing, denormals and infinities kept, a NaN stays a (quiet) NaN. These are the
/// definition; the SIMD kernels equal them for all patterns.
#pragma once

#include <bit>
#include <cstdint>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {

/// IEEE 754 binary16: 5 bits of exponent, 10 of fraction.
struct Half {
  std::uint16_t bits;
};

/// bfloat16: the upper half of a float.
struct Bfloat16 {
  std::uint16_t bits;
};

constexpr float to_float(Bfloat16 value) {
  const std::uint32_t bits = std::uint32_t{value.bits} << 16;
  const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
  return std::bit_cast<float>(nan ? bits | 0x00400000u : bits);
}

constexpr float to_float(Half value) {
  const std::uint32_t sign = (value.bits & 0x8000u) << 16;
  const std::uint32_t magnitude = value.bits & 0x7fffu;
  if (magnitude >= 0x7c00u) {  // infinity and NaN
    const std::uint32_t quiet = magnitude > 0x7c00u ? 0x00400000u : 0u;
    return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13) | quiet);
  }
  if (magnitude >= 0x0400u) {  // normal: the exponent's bias is 127 instead of 15
    return std::bit_cast<float>(sign | ((magnitude << 13) + (112u << 23)));
  }
  const float denormal = static_cast<float>(magnitude) * 0x1p-24f;  // exact
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(denormal));
}

constexpr Bfloat16 to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return {static_cast<std::uint16_t>((bits >> 16) | 0x0040u)};
  }
  const std::uint32_t half_to_even = 0x7fffu + ((bits >> 16) & 1u);
  return {static_cast<std::uint16_t>((bits + half_to_even) >> 16)};
}

constexpr Half to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const auto signed_half = [sign](std::uint32_t half) {
    return Half{static_cast<std::uint16_t>(sign | half)};
  };
  if (magnitude > 0x7f800000u) return signed_half(0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x47800000u) return signed_half(0x7c00u);  // 65,536 and more, infinity
  const auto round_shift = [](std::uint32_t number, std::uint32_t shift) {
    const std::uint32_t half = 1u << (shift - 1);
    return (number + half - 1u + ((number >> shift) & 1u)) >> shift;
  };
  if (magnitude >= 0x38800000u) {  // 2^-14 and more: normal, a carry walks into the exponent
    return signed_half(round_shift(magnitude - (112u << 23), 13));
  }
  if (magnitude < 0x33000000u) return signed_half(0);  // below half of 2^-24
  const std::uint32_t fraction = (magnitude & 0x007fffffu) | 0x00800000u;
  return signed_half(round_shift(fraction, 126u - (magnitude >> 23)));
}

}  // namespace eigenformer::inline v0
