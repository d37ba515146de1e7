// SPDX-License-Identifier: MIT
/// How far a result is from the truth, and walks over all floats.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace eigenformer::test {

/// The distance from `truth` in units of the last place that a Number has there. Infinity stands
/// where the next number after the largest would. NaN for a NaN that is only on one side.
template <class Number>
long double ulps(Number got, long double truth) {
  using Limits = std::numeric_limits<Number>;
  if (std::isnan(got) && std::isnan(truth)) return 0;
  const long double end = std::ldexp(1.0L, Limits::max_exponent);
  const auto finite = [end](long double x) {
    return std::isinf(x) || std::fabs(x) > end ? std::copysign(end, x) : x;
  };
  const int lowest = Limits::min_exponent - Limits::digits;
  const long double clipped = finite(truth);
  const int exponent = clipped == 0 ? lowest : std::ilogb(clipped) + 1 - Limits::digits;
  const long double ulp = std::ldexp(1.0L, exponent > lowest ? exponent : lowest);
  return std::fabs(finite(static_cast<long double>(got)) - clipped) / ulp;
}

/// The largest of the errors that it was told, and where that was.
struct Largest {
  long double error = 0;
  long double where = 0;

  /// A NaN counts as larger than all.
  void add(long double an_error, long double at) {
    if (an_error <= error || std::isnan(error)) return;
    error = an_error;
    where = at;
  }
};

/// function(x) for one in `step` of all float patterns, NaNs and infinities among them.
template <class Function>
void for_each_float(std::uint32_t step, Function function) {
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += step) {
    function(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
}

}  // namespace eigenformer::test
