// SPDX-License-Identifier: MIT
#include "eigenformer/core/floating_point.hpp"

#include <gtest/gtest.h>

#include <cfenv>
#include <limits>

#if EIGENFORMER_X86_64
#include <immintrin.h>
#endif

namespace eigenformer::test {
namespace {

/// By the processor, now: the operands are volatile, so no compiler knows the result.
float add(float a, float b) {
  const volatile float x = a, y = b;
  const volatile float sum = x + y;
  return sum;
}
float multiply(float a, float b) {
  const volatile float x = a, y = b;
  const volatile float product = x * y;
  return product;
}

struct FloatingPoint : ::testing::Test {
  void TearDown() override { std::fesetround(FE_TONEAREST); }
};

TEST_F(FloatingPoint, RoundsToNearestUnderTheGuard) {
  const float above_one = 1.0f + 0x1p-23f;
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  EXPECT_EQ(add(1.0f, 0x1p-30f), above_one);
  {
    const FloatingPointGuard guard;
    EXPECT_EQ(add(1.0f, 0x1p-30f), 1.0f);
    {
      const FloatingPointGuard nested;
      EXPECT_EQ(add(1.0f, 0x1p-30f), 1.0f);
    }
    EXPECT_EQ(add(1.0f, 0x1p-30f), 1.0f);
  }
  EXPECT_EQ(add(1.0f, 0x1p-30f), above_one);
}

#if EIGENFORMER_X86_64
struct Mxcsr : ::testing::Test {
  static constexpr unsigned flush_to_zero = 0x8000, denormals_are_zeros = 0x0040;
  unsigned before = _mm_getcsr();
  void TearDown() override { _mm_setcsr(before); }
};

TEST_F(Mxcsr, DenormalsAreKeptUnderTheGuard) {
  const float least = std::numeric_limits<float>::denorm_min();
  _mm_setcsr(before | flush_to_zero | denormals_are_zeros);
  EXPECT_EQ(multiply(0x1p-100f, 0x1p-30f), 0.0f);
  EXPECT_EQ(add(least, least), 0.0f);
  {
    const FloatingPointGuard guard;
    EXPECT_EQ(multiply(0x1p-100f, 0x1p-30f), 0x1p-130f);
    EXPECT_EQ(add(least, least), 2 * least);
  }
  EXPECT_EQ(_mm_getcsr() & (flush_to_zero | denormals_are_zeros),
            flush_to_zero | denormals_are_zeros);
  EXPECT_EQ(multiply(0x1p-100f, 0x1p-30f), 0.0f);
}

/// A host that lets the processor trap on overflow is not killed by an infinity inside.
TEST_F(Mxcsr, ExceptionsAreMaskedUnderTheGuard) {
  const unsigned overflow_mask = 0x0400;
  _mm_setcsr((before & ~0x3fu) & ~overflow_mask);
  {
    const FloatingPointGuard guard;
    EXPECT_EQ(multiply(1e30f, 1e30f), std::numeric_limits<float>::infinity());
  }
  EXPECT_EQ(_mm_getcsr() & overflow_mask, 0u);
}

/// Where the modes are as wanted the guard writes nothing: the flags that operations raise stay.
TEST_F(Mxcsr, FlagsSurviveAGuardThatChangesNothing) {
  std::feclearexcept(FE_ALL_EXCEPT);
  {
    const FloatingPointGuard guard;
    multiply(1e30f, 1e30f);
  }
  EXPECT_TRUE(std::fetestexcept(FE_OVERFLOW));
}
#elif EIGENFORMER_AARCH64
struct Fpcr : ::testing::Test {
  static constexpr std::uint64_t flush_to_zero = 1u << 24;
  static std::uint64_t read() {
    std::uint64_t value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(std::uint64_t value) { asm volatile("msr fpcr, %0" : : "r"(value)); }
  std::uint64_t before = read();
  void TearDown() override { write(before); }
};

TEST_F(Fpcr, DenormalsAreKeptUnderTheGuard) {
  const float least = std::numeric_limits<float>::denorm_min();
  write(before | flush_to_zero);
  EXPECT_EQ(multiply(0x1p-100f, 0x1p-30f), 0.0f);
  EXPECT_EQ(add(least, least), 0.0f);
  {
    const FloatingPointGuard guard;
    EXPECT_EQ(multiply(0x1p-100f, 0x1p-30f), 0x1p-130f);
    EXPECT_EQ(add(least, least), 2 * least);
  }
  EXPECT_EQ(read() & flush_to_zero, flush_to_zero);
  EXPECT_EQ(multiply(0x1p-100f, 0x1p-30f), 0.0f);
}
#endif

}  // namespace
}  // namespace eigenformer::test
