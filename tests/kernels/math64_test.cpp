// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/reference/math64.hpp"

#include "support/bits.hpp"
#include "support/ulps.hpp"

namespace eigenformer::test {
namespace {

namespace reference = kernels::reference;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double least = std::numeric_limits<double>::denorm_min();

// The truth is the C library's long double. Where that is no wider than double (and no better)
// it is as good as these, so the bounds have half an ulp of its own on top.
constexpr double own_error = std::numeric_limits<long double>::digits > 53 ? 0.01 : 0.6;

/// Random arguments of several kinds.
struct Arguments {
  RandomStream stream{64, 0, 0};

  std::uint64_t bits() {
    const std::uint64_t high = stream.bits();
    return (high << 32) | stream.bits();
  }
  /// In [-1, 1).
  double signed_unit() {
    return static_cast<double>(static_cast<std::int64_t>(bits()) >> 11) * 0x1p-52;
  }
  /// In [-limit, limit), by size: each power of two as often.
  double up_to(int power) {
    return std::ldexp(signed_unit(), power - static_cast<int>(stream.bits() % 64));
  }
};

constexpr int samples = 300'000;

TEST(Math64, ErrorOfLog) {
  Arguments arguments;
  Largest largest;
  const auto check = [&](double x) {
    largest.add(ulps(reference::log(x), std::log(static_cast<long double>(x))), x);
  };
  for (int i = 0; i < samples; ++i) {
    check(std::bit_cast<double>(arguments.bits() & 0x7fefffffffffffffu));  // positive, finite
    check(1 + 0.5 * arguments.signed_unit());
    check(1 + arguments.up_to(-1));
  }
  EXPECT_LE(largest.error, 1 + own_error) << "at " << largest.where;
}

TEST(Math64, ErrorOfExp) {
  Arguments arguments;
  Largest largest;
  const auto check = [&](double x) {
    largest.add(ulps(reference::exp(x), std::exp(static_cast<long double>(x))), x);
  };
  for (int i = 0; i < samples; ++i) {
    check(750 * arguments.signed_unit());
    check(arguments.up_to(2));
    check(-727 + 19 * arguments.signed_unit());  // denormal results
  }
  EXPECT_LE(largest.error, 1 + own_error) << "at " << largest.where;
}

TEST(Math64, ErrorOfSinAndCos) {
  Arguments arguments;
  Largest of_sin, of_cos;
  const auto check = [&](double x) {
    of_sin.add(ulps(reference::sin(x), std::sin(static_cast<long double>(x))), x);
    of_cos.add(ulps(reference::cos(x), std::cos(static_cast<long double>(x))), x);
  };
  for (int i = 0; i < samples; ++i) {
    check(arguments.up_to(50));
    check(8 * arguments.signed_unit());
    // Where one of them is close to zero: the neighbours of a multiple of pi/2.
    const auto multiple = static_cast<long double>(arguments.bits() >> (16 + i % 48));
    const auto zero = static_cast<double>(multiple * 1.57079632679489661923132169163975144L);
    if (zero >= 0x1p50) continue;
    check(zero);
    check(std::nextafter(zero, 0.0));
  }
  EXPECT_LE(of_sin.error, 1.7 + own_error) << "at " << of_sin.where;
  EXPECT_LE(of_cos.error, 1.7 + own_error) << "at " << of_cos.where;
}

TEST(Math64, ErrorOfPow) {
  Arguments arguments;
  long double largest = 0;
  for (int i = 0; i < samples; ++i) {
    const double x = std::exp(700 * arguments.signed_unit()), y = arguments.up_to(12);
    const long double truth = std::pow(static_cast<long double>(x), static_cast<long double>(y));
    if (truth > 1.7e308L || truth < 1e-307L) continue;
    const long double size = 1 + std::fabs(y * std::log(static_cast<long double>(x)));
    largest = std::max(largest, std::fabs(reference::pow(x, y) - truth) / truth / size);
  }
  EXPECT_LE(largest, 3e-16);
}

/// The float versions: how many of so many are not the value rounded correctly, and never further
/// off than its neighbour.
struct Rounding {
  int wrong = 0, total = 0;
  void add(float got, long double truth) {
    const auto nearest = static_cast<float>(truth);
    ++total;
    if (same_bits(got, nearest)) return;
    ++wrong;
    EXPECT_LE(ulps(got, truth), 0.5001L) << got << " for " << truth;
  }
};

TEST(Math64, FloatVersionsRoundCorrectly) {
  Rounding of_log, of_sin, of_cos, of_pow;
  Arguments arguments;
  for_each_float(4099, [&](float x) {
    const auto exact = static_cast<long double>(x);
    if (x >= 0) of_log.add(reference::log(x), std::log(exact));
    if (std::fabs(x) < 0x1p50f) {
      of_sin.add(reference::sin(x), std::sin(exact));
      of_cos.add(reference::cos(x), std::cos(exact));
    }
    if (x > 0 && x < infinity) {
      const auto y = static_cast<float>(arguments.up_to(3));
      of_pow.add(reference::pow(x, y), std::pow(exact, static_cast<long double>(y)));
    }
  });
  for (const Rounding& rounding : {of_log, of_sin, of_cos, of_pow}) {
    EXPECT_GT(rounding.total, 400'000);
    EXPECT_LE(rounding.wrong, 1);
  }
}

/// Equal to the last bit, the sign of zero included.
void expect_same(double got, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(got)) << got;
  } else {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(got), std::bit_cast<std::uint64_t>(expected))
        << "expected " << expected << ", got " << got;
  }
}

TEST(Math64, SpecialValuesOfLog) {
  expect_same(reference::log(1.0), 0.0);
  expect_same(reference::log(2.0), 0.69314718055994531);
  expect_same(reference::log(0.0), -infinity);
  expect_same(reference::log(-0.0), -infinity);
  expect_same(reference::log(-1.0), nan);
  expect_same(reference::log(-infinity), nan);
  expect_same(reference::log(infinity), infinity);
  expect_same(reference::log(nan), nan);
  expect_same(reference::log(least), -744.44007192138122);  // -1074 ln 2
}

TEST(Math64, SpecialValuesOfExp) {
  expect_same(reference::exp(0.0), 1.0);
  expect_same(reference::exp(-0.0), 1.0);
  expect_same(reference::exp(1.0), 2.7182818284590451);
  expect_same(reference::exp(infinity), infinity);
  expect_same(reference::exp(709.79), infinity);
  EXPECT_LT(reference::exp(709.78), infinity);
  expect_same(reference::exp(1e300), infinity);
  expect_same(reference::exp(-infinity), 0.0);
  expect_same(reference::exp(-745.2), 0.0);
  expect_same(reference::exp(-745.1), least);
  expect_same(reference::exp(-1e300), 0.0);
  expect_same(reference::exp(nan), nan);
}

TEST(Math64, SpecialValuesOfSinAndCos) {
  expect_same(reference::sin(0.0), 0.0);
  expect_same(reference::sin(1.0), 0.84147098480789651);
  expect_same(reference::sin(least), least);
  expect_same(reference::sin(3.1415926535897931), 1.2246467991473532e-16);  // what pi lacks
  expect_same(reference::cos(0.0), 1.0);
  expect_same(reference::cos(-0.0), 1.0);
  expect_same(reference::cos(1.5707963267948966), 6.123233995736766e-17);
  for (const double x : {infinity, -infinity, nan, 0x1p50, 1e300}) {
    expect_same(reference::sin(x), nan);
    expect_same(reference::cos(x), nan);
  }
  EXPECT_EQ(reference::sin(-0.0), 0.0);
}

TEST(Math64, SinIsOddAndCosIsEven) {
  Arguments arguments;
  for (int i = 0; i < samples; ++i) {
    const double x = arguments.up_to(50);
    ASSERT_EQ(reference::sin(-x), -reference::sin(x)) << x;
    ASSERT_EQ(reference::cos(-x), reference::cos(x)) << x;
    ASSERT_LE(std::fabs(reference::sin(x)), 1.0) << x;
    ASSERT_LE(std::fabs(reference::cos(x)), 1.0) << x;
  }
}

TEST(Math64, SpecialValuesOfPow) {
  expect_same(reference::pow(5.0, 0.0), 1.0);
  expect_same(reference::pow(-1.0, 0.0), 1.0);
  expect_same(reference::pow(1.0, 1000.0), 1.0);
  expect_same(reference::pow(0.0, 2.0), 0.0);
  expect_same(reference::pow(0.0, -2.0), infinity);
  expect_same(reference::pow(infinity, 0.5), infinity);
  expect_same(reference::pow(infinity, -0.5), 0.0);
  expect_same(reference::pow(10.0, 400.0), infinity);
  expect_same(reference::pow(10.0, -400.0), 0.0);
  expect_same(reference::pow(-2.0, 2.0), nan);
  expect_same(reference::pow(nan, 1.0), nan);
  EXPECT_EQ(reference::pow(2.0f, 10.0f), 1024.0f);
  EXPECT_EQ(reference::pow(10000.0f, -0.5f), 0.01f);
}

}  // namespace
}  // namespace eigenformer::test
