// SPDX-License-Identifier: MIT
/// exp, tanh, erf and the activations in float: the definition. One order of operations, every
/// fused multiply-add written as one, no call whose result depends on the C library. Every fast
/// kernel equals these bit for bit.
///
/// Largest errors against the true value, over all floats (tests/kernels/math_test.cpp): exp 0.9
/// ulp; tanh 1.4 ulp; erf 1.3 ulp; sigmoid 2.5 ulp from -88.7 on, and 0 below, where the true value
/// is under 3e-39; gelu, gelu_tanh, quick_gelu and silu 2.1 x 2^-24 |x|.
/// Coefficients: tools/polynomials.py.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "eigenformer/kernels/activation.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

/// 2^n, n in [-126, 127].
inline float power_of_two(std::uint32_t n) { return std::bit_cast<float>((n + 127u) << 23); }

/// e^x; infinity from 88.73 on, denormal numbers below -87.33, 0 below -104.
inline float exp(float x) {
  x = 89.0f < x ? 89.0f : x;
  x = -104.0f > x ? -104.0f : x;
  // x = n ln 2 + r: adding 1.5 x 2^23 rounds to an integer, which the sum's low bits hold.
  const float magic = 12582912.0f;
  const float shifted = std::fma(x, 1.44269504f, magic);
  const float n = shifted - magic;
  float r = std::fma(n, -0.693359375f, x);
  r = std::fma(n, 2.12194440e-4f, r);
  float p = 1.381459879e-03f;
  p = std::fma(p, r, 8.368716575e-03f);
  p = std::fma(p, r, 4.166838899e-02f);
  p = std::fma(p, r, 1.666652113e-01f);
  p = std::fma(p, r, 4.999999404e-01f);
  p = std::fma(p, r, 1.0f);
  p = std::fma(p, r, 1.0f);
  // In two halves, because 2^n alone may be out of range; the first product is exact.
  const std::uint32_t power = std::bit_cast<std::uint32_t>(shifted) - 0x4b400000u;
  const auto half = static_cast<std::uint32_t>(static_cast<std::int32_t>(power) >> 1);
  const float result = (p * power_of_two(half)) * power_of_two(power - half);
  // Not negative anyway: a comparison between this product and whatever adds to it, so that no
  // compiler fuses the two.
  return 0.0f > result ? 0.0f : result;
}

inline float tanh(float x) {
  const float magnitude = std::fabs(x);
  const float square = x * x;
  float p = -5.717045162e-03f;
  p = std::fma(p, square, 2.065058798e-02f);
  p = std::fma(p, square, -5.374349654e-02f);
  p = std::fma(p, square, 1.333149076e-01f);
  p = std::fma(p, square, -3.333328366e-01f);
  const float small = std::fma(p * square, x, x);
  const float large = 1.0f - 2.0f / (exp(magnitude + magnitude) + 1.0f);
  return std::copysign(magnitude < 0.625f ? small : large, x);
}

inline float erf(float x) {
  const float magnitude = std::fabs(x);
  const float square = x * x;
  float p = 7.889122935e-05f;
  p = std::fma(p, square, -8.020842215e-04f);
  p = std::fma(p, square, 5.189535674e-03f);
  p = std::fma(p, square, -2.685444430e-02f);
  p = std::fma(p, square, 1.128360033e-01f);
  p = std::fma(p, square, -3.761262596e-01f);
  p = std::fma(p, square, 1.283791661e-01f);
  const float small = std::fma(p, x, x);
  // From 1 on, 1 - exp(polynomial); at 4 that is 1.
  const float tail = 4.0f < magnitude ? 4.0f : magnitude;
  float q = -2.168674837e-05f;
  q = std::fma(q, tail, 4.413351126e-04f);
  q = std::fma(q, tail, -4.204555415e-03f);
  q = std::fma(q, tail, 2.520823851e-02f);
  q = std::fma(q, tail, -1.084185466e-01f);
  q = std::fma(q, tail, -6.332198977e-01f);
  q = std::fma(q, tail, -1.129578352e+00f);
  q = std::fma(q, tail, 1.880364580e-04f);
  const float large = 1.0f - exp(q);
  return magnitude < 1.0f ? small : std::copysign(large, x);
}

/// x sigmoid(s), where s is what x's activation feeds to the sigmoid.
inline float gated_by_sigmoid(float x, float s) { return x / (1.0f + exp(-s)); }

/// 0 > x ? 0 : x, by the order of the bits: of the comparison clang makes aarch64's fmaxnm, which
/// loses a NaN.
inline float relu(float x) {
  return std::bit_cast<std::uint32_t>(x) - 0x80000001u < 0x7f800000u ? 0.0f : x;
}
inline float sigmoid(float x) { return gated_by_sigmoid(1.0f, x); }
inline float silu(float x) { return gated_by_sigmoid(x, x); }
inline float quick_gelu(float x) { return gated_by_sigmoid(x, 1.702f * x); }
inline float gelu(float x) {
  const float half = 0.5f * x;
  return std::fma(half, erf(x * 0.707106781f), half);
}
/// 0.5 (1 + tanh u) is sigmoid(2 u), without the cancellation.
inline float gelu_tanh(float x) {
  const float square = x * x;
  return gated_by_sigmoid(x, x * std::fma(square, 0.0713548163f, 1.59576912f));
}

inline float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::relu: return relu(x);
    case Activation::gelu: return gelu(x);
    case Activation::gelu_tanh: return gelu_tanh(x);
    case Activation::quick_gelu: return quick_gelu(x);
    case Activation::silu: return silu(x);
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return tanh(x);
  }
  return x;
}

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
