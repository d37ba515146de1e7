// SPDX-License-Identifier: MIT
#include "eigenformer/core/half.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace eigenformer::test {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }
float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }

bool is_nan(Half value) { return (value.bits & 0x7fff) > 0x7c00; }
bool is_nan(Bfloat16 value) { return (value.bits & 0x7fff) > 0x7f80; }

template <class Narrow>
Narrow narrow(float value) {
  if constexpr (std::is_same_v<Narrow, Half>) return to_half(value);
  if constexpr (std::is_same_v<Narrow, Bfloat16>) return to_bfloat16(value);
}

/// Eigen's idea of a 16-bit pattern's value, and of a float's 16-bit pattern.
float eigen_float(Half value) {
  return static_cast<float>(Eigen::half(Eigen::half_impl::raw_uint16_to_half(value.bits)));
}
float eigen_float(Bfloat16 value) {
  return static_cast<float>(
      Eigen::bfloat16(Eigen::bfloat16_impl::raw_uint16_to_bfloat16(value.bits)));
}
template <class Narrow>
std::uint16_t eigen_bits(float value) {
  if constexpr (std::is_same_v<Narrow, Half>) return Eigen::half(value).x;
  if constexpr (std::is_same_v<Narrow, Bfloat16>) return Eigen::bfloat16(value).value;
}

template <class Narrow>
class Narrowing : public ::testing::Test {};
using Formats = ::testing::Types<Half, Bfloat16>;
TYPED_TEST_SUITE(Narrowing, Formats);

TYPED_TEST(Narrowing, WidensAllPatternsAsEigenDoes) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const TypeParam value{static_cast<std::uint16_t>(bits)};
    const float got = to_float(value), expected = eigen_float(value);
    if (is_nan(value)) {
      ASSERT_TRUE(std::isnan(got)) << bits;
    } else {
      ASSERT_EQ(bits_of(got), bits_of(expected)) << bits;
    }
  }
}

TYPED_TEST(Narrowing, AllPatternsComeBack) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const TypeParam value{static_cast<std::uint16_t>(bits)};
    const auto back = narrow<TypeParam>(to_float(value));
    if (is_nan(value)) {
      ASSERT_TRUE(is_nan(back)) << bits;
      ASSERT_EQ(back.bits & 0x8000, value.bits & 0x8000) << "a NaN's sign";
    } else {
      ASSERT_EQ(back.bits, value.bits);
    }
  }
}

/// Between neighbours: below the middle down, above it up, in the middle to the even one.
TYPED_TEST(Narrowing, RoundsHalfToEvenBetweenAllNeighbours) {
  for (std::uint32_t bits = 0; bits < 0x7f80; ++bits) {
    const TypeParam low{static_cast<std::uint16_t>(bits)},
        high{static_cast<std::uint16_t>(bits + 1)};
    if (is_nan(high) || std::isinf(to_float(high))) continue;
    const double middle = (double{to_float(low)} + double{to_float(high)}) / 2;
    const auto tie = static_cast<float>(middle);
    ASSERT_EQ(double{tie}, middle) << "exact in float";
    const std::uint16_t even = bits % 2 == 0 ? low.bits : high.bits;
    for (const std::uint32_t sign : {0u, 0x80000000u}) {
      const auto sign16 = static_cast<std::uint16_t>(sign >> 16);
      ASSERT_EQ(narrow<TypeParam>(float_of(bits_of(tie) | sign)).bits, even | sign16);
      ASSERT_EQ(narrow<TypeParam>(float_of((bits_of(tie) - 1) | sign)).bits, low.bits | sign16);
      ASSERT_EQ(narrow<TypeParam>(float_of((bits_of(tie) + 1) | sign)).bits, high.bits | sign16);
    }
  }
}

TYPED_TEST(Narrowing, NarrowsAWalkOverAllFloatsAsEigenDoes) {
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4093) {
    const float value = float_of(static_cast<std::uint32_t>(bits));
    const auto got = narrow<TypeParam>(value);
    if (std::isnan(value)) {
      ASSERT_TRUE(is_nan(got)) << std::hexfloat << value;
    } else {
      ASSERT_EQ(got.bits, eigen_bits<TypeParam>(value)) << std::hexfloat << value;
    }
  }
}

TEST(Half, WidensByHand) {
  EXPECT_EQ(to_float(Half{0x3c00}), 1.0f);
  EXPECT_EQ(to_float(Half{0xc000}), -2.0f);
  EXPECT_EQ(to_float(Half{0x3555}), 0.333251953125f);
  EXPECT_EQ(to_float(Half{0x7bff}), 65504.0f);
  EXPECT_EQ(to_float(Half{0x0400}), 0x1p-14f);
  EXPECT_EQ(to_float(Half{0x03ff}), 0x1.ff8p-15f);
  EXPECT_EQ(to_float(Half{0x0001}), 0x1p-24f);
  EXPECT_EQ(to_float(Half{0xfc00}), -infinity);
  EXPECT_EQ(bits_of(to_float(Half{0x8000})), 0x80000000u);
}

TEST(Half, NarrowsByHand) {
  static_assert(to_half(1.0f).bits == 0x3c00);
  EXPECT_EQ(to_half(-0.0f).bits, 0x8000);
  EXPECT_EQ(to_half(1.0f + 0x1p-11f).bits, 0x3c00) << "a tie goes to the even 1";
  EXPECT_EQ(to_half(1.0f + 0x1.8p-10f).bits, 0x3c02) << "a tie goes up to the even one";
  EXPECT_EQ(to_half(0x1.ffep0f).bits, 0x4000) << "a carry into the exponent";
  EXPECT_EQ(to_half(65519.0f).bits, 0x7bff) << "below the middle of 65,504 and 65,536";
  EXPECT_EQ(to_half(65520.0f).bits, 0x7c00) << "the middle: infinity is the even one";
  EXPECT_EQ(to_half(-1e30f).bits, 0xfc00);
  EXPECT_EQ(to_half(infinity).bits, 0x7c00);
  EXPECT_EQ(to_half(0x1p-25f).bits, 0x0000) << "half of the least denormal: the even 0";
  EXPECT_EQ(to_half(0x1.000002p-25f).bits, 0x0001);
  EXPECT_EQ(to_half(0x1.8p-24f).bits, 0x0002);
  EXPECT_EQ(to_half(0x1.ffcp-15f).bits, 0x0400) << "the largest denormal's tie becomes normal";
}

/// A signalling NaN becomes a quiet one, and keeps its sign and its other bits.
TEST(Half, NaNs) {
  EXPECT_EQ(bits_of(to_float(Half{0x7c01})), 0x7fc02000u);
  EXPECT_EQ(bits_of(to_float(Half{0xfe00})), 0xffc00000u);
  EXPECT_EQ(to_half(float_of(0x7f800001)).bits, 0x7e00);
  EXPECT_EQ(to_half(float_of(0xffc02000)).bits, 0xfe01);
}

TEST(Bfloat16, WidensByHand) {
  EXPECT_EQ(to_float(Bfloat16{0x3f80}), 1.0f);
  EXPECT_EQ(to_float(Bfloat16{0xc049}), -3.140625f);
  EXPECT_EQ(to_float(Bfloat16{0x7f7f}), 0x1.fep127f);
  EXPECT_EQ(to_float(Bfloat16{0x0001}), 0x1p-133f);
  EXPECT_EQ(to_float(Bfloat16{0xff80}), -infinity);
}

TEST(Bfloat16, NarrowsByHand) {
  static_assert(to_bfloat16(1.0f).bits == 0x3f80);
  EXPECT_EQ(to_bfloat16(-0.0f).bits, 0x8000);
  EXPECT_EQ(to_bfloat16(3.14159265f).bits, 0x4049);
  EXPECT_EQ(to_bfloat16(1.0f + 0x1p-8f).bits, 0x3f80) << "a tie goes to the even 1";
  EXPECT_EQ(to_bfloat16(1.0f + 0x1.8p-7f).bits, 0x3f82) << "a tie goes up to the even one";
  EXPECT_EQ(to_bfloat16(0x1.ffp0f).bits, 0x4000) << "a carry into the exponent";
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()).bits, 0x7f80);
  EXPECT_EQ(to_bfloat16(0x1p-134f).bits, 0x0000) << "half of the least denormal: the even 0";
  EXPECT_EQ(to_bfloat16(0x1.8p-133f).bits, 0x0002);
}

TEST(Bfloat16, NaNs) {
  EXPECT_EQ(bits_of(to_float(Bfloat16{0x7f81})), 0x7fc10000u);
  EXPECT_EQ(to_bfloat16(float_of(0x7f800001)).bits, 0x7fc0) << "not infinity";
  EXPECT_EQ(to_bfloat16(float_of(0xffffffff)).bits, 0xffff) << "not a carry to +0";
}

}  // namespace
}  // namespace eigenformer::test
