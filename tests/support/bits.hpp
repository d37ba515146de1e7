// SPDX-License-Identifier: MIT
/// Comparing to the last bit, and numbers worth comparing.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "eigenformer/core/random.hpp"
#include "eigenformer/core/types.hpp"
#include "eigenformer/kernels/dispatch.hpp"

namespace eigenformer::inline v0 {

/// For GoogleTest's names of cases.
inline void PrintTo(Isa isa, std::ostream* out) { *out << name(isa); }

}  // namespace eigenformer::inline v0

namespace eigenformer::test {

/// Bit for bit; a NaN equals a NaN, because their payloads differ between processors.
inline bool same_bits(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

inline ::testing::AssertionResult same_bits(const float* expected, const float* got, Index n) {
  for (Index i = 0; i < n; ++i) {
    if (!same_bits(expected[i], got[i])) {
      return ::testing::AssertionFailure() << "element " << i << " of " << n << ": expected "
                                           << std::hexfloat << expected[i] << ", got " << got[i];
    }
  }
  return ::testing::AssertionSuccess();
}
inline ::testing::AssertionResult same_bits(const std::vector<float>& expected,
                                            const std::vector<float>& got) {
  if (expected.size() != got.size()) return ::testing::AssertionFailure() << "other sizes";
  return same_bits(expected.data(), got.data(), static_cast<Index>(expected.size()));
}

/// Roughly normal numbers, always the same ones for the same seed.
inline std::vector<float> random_floats(Index n, std::uint64_t seed, float deviation = 1.0f) {
  RandomStream stream(seed, 0, 0);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& value : values) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += stream.uniform();
    value = (sum - 2.0f) * 1.732f * deviation;
  }
  return values;
}

/// Numbers that break careless code.
inline std::vector<float> special_floats() {
  using Limits = std::numeric_limits<float>;
  std::vector<float> values = {0.0f,
                               1.0f,
                               0.5f,
                               0.625f,
                               2.0f,
                               4.0f,
                               10.0f,
                               87.0f,
                               88.7f,
                               89.0f,
                               103.9f,
                               104.5f,
                               1e-3f,
                               1e-10f,
                               1e10f,
                               1e30f,
                               Limits::max(),
                               Limits::min(),
                               Limits::denorm_min(),
                               1.1e-39f,
                               Limits::infinity()};
  for (std::size_t i = values.size(); i-- > 0;) values.push_back(-values[i]);
  values.push_back(Limits::quiet_NaN());
  return values;
}

/// Random numbers with a special one at every `step`-th place.
inline std::vector<float> mixed_floats(Index n, std::uint64_t seed, Index step) {
  std::vector<float> values = random_floats(n, seed);
  const std::vector<float> special = special_floats();
  RandomStream stream(seed, 1, 0);
  for (Index i = 0; i < n; i += step) {
    values[static_cast<std::size_t>(i)] = special[stream.bits() % special.size()];
  }
  return values;
}

/// 0 to 3 vectors and what lies around them, and some longer.
inline std::vector<Index> interesting_sizes() {
  std::vector<Index> sizes;
  for (Index n = 0; n <= 50; ++n) sizes.push_back(n);
  for (const Index n :
       {63, 64, 65, 127, 128, 129, 255, 257, 1000, 1023, 1024, 1025, 2047, 2049, 3000}) {
    sizes.push_back(n);
  }
  return sizes;
}

/// Every set of kernels that runs here and promises the reference's bits.
inline std::vector<Isa> exact_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : all_isas) {
    if (isa > Isa::portable && kernels::find_table(isa)) isas.push_back(isa);
  }
  return isas;
}

inline std::string isa_name(const ::testing::TestParamInfo<Isa>& info) { return name(info.param); }

/// A test that runs once for each of them; skipped, with a message, where there is none.
class EachIsa : public ::testing::TestWithParam<Isa> {
 protected:
  const kernels::KernelTable& reference() const { return *kernels::find_table(Isa::reference); }
  const kernels::KernelTable& fast() const { return *kernels::find_table(GetParam()); }
};

}  // namespace eigenformer::test

/// Instantiates the tests of `suite`, a class derived from EachIsa.
#define EIGENFORMER_EACH_ISA(suite)                                                       \
  GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(suite);                                   \
  INSTANTIATE_TEST_SUITE_P(, suite, ::testing::ValuesIn(eigenformer::test::exact_isas()), \
                           eigenformer::test::isa_name)
