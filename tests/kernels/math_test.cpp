// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/reference/math.hpp"

#include "support/bits.hpp"
#include "support/ulps.hpp"

namespace eigenformer::test {
namespace {

namespace reference = kernels::reference;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float least = std::numeric_limits<float>::denorm_min();
constexpr float most = std::numeric_limits<float>::max();

/// One float in so many; prime, so that all low bits occur. The largest errors that the header
/// tells were measured over all.
constexpr std::uint32_t step = 1009;

using OfFloat = float (*)(float);
using OfDouble = double (*)(double);

double true_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Largest largest_error(OfFloat function, OfDouble truth, float lowest = -infinity) {
  Largest largest;
  for_each_float(step, [&](float x) {
    if (x >= lowest) largest.add(ulps(function(x), truth(double{x})), x);
  });
  return largest;
}

TEST(Math, ErrorOfExp) {
  const Largest largest = largest_error(reference::exp, [](double x) { return std::exp(x); });
  EXPECT_LE(largest.error, 0.9) << "at " << largest.where;
}

TEST(Math, ErrorOfTanh) {
  const Largest largest = largest_error(reference::tanh, [](double x) { return std::tanh(x); });
  EXPECT_LE(largest.error, 1.4) << "at " << largest.where;
}

TEST(Math, ErrorOfErf) {
  const Largest largest = largest_error(reference::erf, [](double x) { return std::erf(x); });
  EXPECT_LE(largest.error, 1.3) << "at " << largest.where;
}

TEST(Math, ErrorOfSigmoid) {
  const Largest largest = largest_error(reference::sigmoid, true_sigmoid, -88.7f);
  EXPECT_LE(largest.error, 2.5) << "at " << largest.where;
  EXPECT_GT(reference::sigmoid(-88.7f), 0.0f);
  EXPECT_EQ(reference::sigmoid(-88.8f), 0.0f);
  EXPECT_LT(true_sigmoid(-88.7), 3.1e-39);
}

/// Those that multiply: near zero, and in the tail of the negative side, they lose what their
/// argument has, not what they have themselves.
TEST(Math, ErrorsOfActivations) {
  struct Case {
    Activation activation;
    OfDouble truth;
  };
  const Case cases[] = {
      {Activation::gelu, [](double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }},
      {Activation::gelu_tanh,
       [](double x) {
         return x * true_sigmoid(2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
       }},
      {Activation::quick_gelu, [](double x) { return x * true_sigmoid(1.702 * x); }},
      {Activation::silu, [](double x) { return x * true_sigmoid(x); }},
  };
  for (const Case& c : cases) {
    Largest largest;
    for_each_float(step, [&](float x) {
      if (!std::isfinite(x)) return;
      const double error = std::fabs(double{reference::activate(c.activation, x)} - c.truth(x));
      const double allowed = 0x1p-24 * std::fabs(double{x}) + 0x1p-149;
      largest.add(error / allowed, x);
    });
    EXPECT_LE(largest.error, 2.1) << name(c.activation) << " at " << largest.where;
  }
}

TEST(Math, ActivateGoesByName) {
  for (const float x : {-3.0f, -0.5f, 0.0f, 0.7f, 2.0f}) {
    EXPECT_EQ(reference::activate(Activation::relu, x), reference::relu(x));
    EXPECT_EQ(reference::activate(Activation::gelu, x), reference::gelu(x));
    EXPECT_EQ(reference::activate(Activation::gelu_tanh, x), reference::gelu_tanh(x));
    EXPECT_EQ(reference::activate(Activation::quick_gelu, x), reference::quick_gelu(x));
    EXPECT_EQ(reference::activate(Activation::silu, x), reference::silu(x));
    EXPECT_EQ(reference::activate(Activation::sigmoid, x), reference::sigmoid(x));
    EXPECT_EQ(reference::activate(Activation::tanh, x), reference::tanh(x));
  }
}

/// Equal to the last bit, the sign of zero included.
void expect_bits(float got, float expected) {
  EXPECT_TRUE(same_bits(got, expected)) << "expected " << expected << ", got " << got;
}

TEST(Math, SpecialValuesOfExp) {
  expect_bits(reference::exp(0.0f), 1.0f);
  expect_bits(reference::exp(-0.0f), 1.0f);
  expect_bits(reference::exp(least), 1.0f);
  expect_bits(reference::exp(1.0f), 2.71828183f);
  expect_bits(reference::exp(infinity), infinity);
  expect_bits(reference::exp(89.0f), infinity);
  expect_bits(reference::exp(88.722839f), infinity);
  EXPECT_LT(reference::exp(88.722832f), infinity);
  expect_bits(reference::exp(-infinity), 0.0f);
  expect_bits(reference::exp(-104.0f), 0.0f);
  expect_bits(reference::exp(-103.98f), 0.0f);
  expect_bits(reference::exp(-103.97f), least);  // e^-103.97 is 1.006 x 2^-150, half of the least
  expect_bits(reference::exp(-1e30f), 0.0f);
  expect_bits(reference::exp(nan), nan);
}

TEST(Math, SpecialValuesOfTanh) {
  expect_bits(reference::tanh(0.0f), 0.0f);
  expect_bits(reference::tanh(-0.0f), -0.0f);
  expect_bits(reference::tanh(least), least);
  expect_bits(reference::tanh(-1e-20f), -1e-20f);
  expect_bits(reference::tanh(9.1f), 1.0f);
  expect_bits(reference::tanh(infinity), 1.0f);
  expect_bits(reference::tanh(-infinity), -1.0f);
  expect_bits(reference::tanh(-most), -1.0f);
  expect_bits(reference::tanh(nan), nan);
}

TEST(Math, SpecialValuesOfErf) {
  expect_bits(reference::erf(0.0f), 0.0f);
  expect_bits(reference::erf(-0.0f), -0.0f);
  expect_bits(reference::erf(least), least);
  expect_bits(reference::erf(4.0f), 1.0f);
  expect_bits(reference::erf(infinity), 1.0f);
  expect_bits(reference::erf(-infinity), -1.0f);
  expect_bits(reference::erf(-most), -1.0f);
  expect_bits(reference::erf(nan), nan);
}

TEST(Math, SpecialValuesOfActivations) {
  expect_bits(reference::relu(-0.0f), -0.0f);
  expect_bits(reference::relu(-least), 0.0f);
  expect_bits(reference::relu(-1.0f), 0.0f);
  expect_bits(reference::relu(least), least);
  expect_bits(reference::relu(-infinity), 0.0f);
  expect_bits(reference::relu(infinity), infinity);
  expect_bits(reference::relu(nan), nan);
  expect_bits(reference::relu(-nan), -nan);
  expect_bits(reference::sigmoid(0.0f), 0.5f);
  expect_bits(reference::sigmoid(infinity), 1.0f);
  expect_bits(reference::sigmoid(-infinity), 0.0f);
  for (const Activation a :
       {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu, Activation::silu}) {
    SCOPED_TRACE(name(a));
    EXPECT_EQ(reference::activate(a, 0.0f), 0.0f);
    EXPECT_EQ(reference::activate(a, -0.0f), 0.0f);
    expect_bits(reference::activate(a, 100.0f), 100.0f);
    EXPECT_EQ(reference::activate(a, -100.0f), 0.0f);
    expect_bits(reference::activate(a, most), most);
    EXPECT_EQ(reference::activate(a, -most), 0.0f);
    expect_bits(reference::activate(a, infinity), infinity);
    expect_bits(reference::activate(a, -infinity), nan);  // -infinity times 0, in PyTorch too
    expect_bits(reference::activate(a, nan), nan);
  }
  expect_bits(reference::sigmoid(nan), nan);
}

TEST(Math, OddFunctionsAreOdd) {
  for_each_float(step, [](float x) {
    ASSERT_TRUE(same_bits(reference::tanh(-x), -reference::tanh(x))) << x;
    ASSERT_TRUE(same_bits(reference::erf(-x), -reference::erf(x))) << x;
  });
}

TEST(Math, StayInTheirRanges) {
  for_each_float(step, [](float x) {
    if (std::isnan(x)) return;
    ASSERT_GE(reference::exp(x), 0.0f) << x;
    ASSERT_LE(std::fabs(reference::tanh(x)), 1.0f) << x;
    ASSERT_LE(std::fabs(reference::erf(x)), 1.0f) << x;
    ASSERT_GE(reference::sigmoid(x), 0.0f) << x;
    ASSERT_LE(reference::sigmoid(x), 1.0f) << x;
    ASSERT_GE(reference::relu(x), 0.0f) << x;
  });
}

/// 8,000 neighbours around the places where formulas meet or ranges end.
TEST(Math, RisesAcrossTheSeams) {
  struct Seam {
    OfFloat function;
    float at;
  };
  const Seam seams[] = {
      {reference::exp, 89.0f},       {reference::exp, 88.722839f},    // the last finite one
      {reference::exp, -104.0f},     {reference::exp, -87.336545f},   // the first denormal
      {reference::exp, 0.34657359f}, {reference::exp, -0.34657359f},  // the next multiple of ln 2
      {reference::exp, 0.0f},        {reference::tanh, 0.625f},
      {reference::tanh, 9.0109137f},  // the first 1
      {reference::erf, 1.0f},        {reference::erf, 4.0f},
  };
  for (const Seam& seam : seams) {
    float x = seam.at;
    for (int i = 0; i < 4000; ++i) x = std::nextafter(x, -infinity);
    float before = seam.function(x);
    for (int i = 0; i < 8000; ++i) {
      x = std::nextafter(x, infinity);
      const float now = seam.function(x);
      ASSERT_LE(before, now) << "near " << seam.at << ", at " << std::hexfloat << x;
      before = now;
    }
  }
}

}  // namespace
}  // namespace eigenformer::test
