// SPDX-License-Identifier: MIT
/// log, exp, sin, cos and pow in double, and in float through double: for tables and logarithms, a
/// few numbers a time, so that one version serves on every machine. The C library's own differ with
/// and without fused multiply-add; these are the same everywhere.
///
/// Errors against the true value (tests/kernels/math64_test.cpp): log and exp 1 ulp; sin and
/// cos 1.7 ulp for |x| < 2^50, and NaN beyond; pow, for x > 0, 3e-16 (1 + |y log x|) of the result.
/// The float versions are the correctly rounded value but for one case in 10^7, and then its
/// neighbour.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

/// Adding and subtracting it rounds a double below 2^51 to an integer, half to even.
inline constexpr double rounder = 6755399441055744.0;

inline double log(double x) {
  if (!(x > 0)) return x == 0 ? -HUGE_VAL : std::numeric_limits<double>::quiet_NaN();
  if (x == HUGE_VAL) return x;
  double exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  // x = 2^exponent m with m in [sqrt(1/2), sqrt(2))
  auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t above = bits - 0x3fe6a09e667f3bcdu;
  exponent += static_cast<double>(static_cast<std::int64_t>(above) >> 52);
  bits = (above & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu;
  const double m = std::bit_cast<double>(bits);
  // log m = 2 atanh s = 2 s + 2/3 s^3 + 2/5 s^5 + ..., |s| < 0.172
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double square = s * s;
  double p = 2.0 / 23.0;
  for (const double odd : {21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0}) {
    p = std::fma(p, square, 2.0 / odd);
  }
  // 2 s = f - s f, exactly enough for the sum to lose nothing
  const double tail = std::fma(p * square, s, std::fma(-s, f, exponent * 2.3190468138462996e-17));
  return std::fma(exponent, 0.6931471805599453, f + tail);
}

inline double exp(double x) {
  if (x > 710.0) return HUGE_VAL;
  if (x < -746.0) return 0.0;
  if (x != x) return x;
  const double n = std::fma(x, 1.4426950408889634, rounder) - rounder;
  double r = std::fma(n, -0.6931471805599453, x);
  r = std::fma(n, -2.3190468138462996e-17, r);
  double p = 1.0 / 6227020800.0;
  for (const double factorial : {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0,
                                 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0}) {
    p = std::fma(p, r, 1.0 / factorial);
  }
  const auto power = static_cast<std::int64_t>(n);
  const std::int64_t half = power >> 1;
  const auto power_of_two = [](std::int64_t k) {
    return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
  };
  const double result = p * power_of_two(half) * power_of_two(power - half);
  return 0.0 > result ? 0.0 : result;  // unfusable: see exp in math.hpp
}

/// x^y for x > 0; NaN for negative x, whatever y is but 0.
inline double pow(double x, double y) { return y == 0 ? 1.0 : exp(y * log(x)); }

/// sin(x + quarter_turns pi/2).
inline double sin_of_turned(double x, unsigned quarter_turns) {
  // Beyond, n has no place in the rounder: nothing is better than something.
  if (!(std::fabs(x) < 0x1p50)) return std::numeric_limits<double>::quiet_NaN();
  // x = n pi/2 + r, with pi/2 in three parts
  const double n = std::fma(x, 0.6366197723675814, rounder) - rounder;
  double r = std::fma(-n, 1.5707963267948966, x);
  r = std::fma(-n, 6.123233995736766e-17, r);
  r = std::fma(-n, -1.4973849048591698e-33, r);
  const auto quadrant = static_cast<unsigned>(static_cast<std::int64_t>(n)) + quarter_turns;
  const double square = r * r;
  double result;
  if (quadrant % 2 == 0) {  // sin r = r - r^3/3! + ...
    double p = -1.0 / 1307674368000.0;
    for (const double factorial : {6227020800.0, -39916800.0, 362880.0, -5040.0, 120.0, -6.0}) {
      p = std::fma(p, square, 1.0 / factorial);
    }
    result = std::fma(p * square, r, r);
  } else {  // cos r = 1 - r^2/2! + ...
    double p = 1.0 / 20922789888000.0;
    for (const double factorial :
         {-87178291200.0, 479001600.0, -3628800.0, 40320.0, -720.0, 24.0, -2.0}) {
      p = std::fma(p, square, 1.0 / factorial);
    }
    result = std::fma(p, square, 1.0);
  }
  return quadrant % 4 < 2 ? result : -result;
}

inline double sin(double x) { return sin_of_turned(x, 0); }
inline double cos(double x) { return sin_of_turned(x, 1); }

inline float log(float x) { return static_cast<float>(log(double{x})); }
inline float sin(float x) { return static_cast<float>(sin(double{x})); }
inline float cos(float x) { return static_cast<float>(cos(double{x})); }
inline float pow(float x, float y) { return static_cast<float>(pow(double{x}, double{y})); }

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
