// SPDX-License-Identifier: MIT
#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

using kernels::KernelTable;

struct Elementwise : EachIsa {
  /// y = function(x) by both, for every size, from a misaligned start, with special values within.
  template <class Function>
  void expect_equal(Function function) {
    for (const Index n : interesting_sizes()) {
      for (const Index start : {0, 1, 3}) {
        const auto x = mixed_floats(n + start, 7 + static_cast<std::uint64_t>(n), 5);
        std::vector<float> expected(x.size() + 1, -7.0f), got(x.size() + 1, -7.0f);
        function(reference(), x.data() + start, expected.data() + start, n);
        function(fast(), x.data() + start, got.data() + start, n);
        ASSERT_TRUE(same_bits(expected, got)) << "size " << n << ", start " << start;
      }
    }
  }
};

TEST_P(Elementwise, Activations) {
  for (int a = 0; a < activations; ++a) {
    SCOPED_TRACE(name(static_cast<Activation>(a)));
    expect_equal([a](const KernelTable& table, const float* x, float* y, Index n) {
      table.activation[a](x, y, n);
    });
  }
}

TEST_P(Elementwise, ExpAndErf) {
  expect_equal(
      [](const KernelTable& table, const float* x, float* y, Index n) { table.exp(x, y, n); });
  expect_equal(
      [](const KernelTable& table, const float* x, float* y, Index n) { table.erf(x, y, n); });
}

/// A walk over all floats, one in 9,973, through every function of one argument.
TEST_P(Elementwise, FunctionsOverAllFloats) {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 9973) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  const auto n = static_cast<Index>(x.size());
  std::vector<float> expected(x.size()), got(x.size());
  for (int a = 0; a < activations + 2; ++a) {
    const auto function = [a](const KernelTable& table) {
      return a < activations ? table.activation[a] : a == activations ? table.exp : table.erf;
    };
    function(reference())(x.data(), expected.data(), n);
    function(fast())(x.data(), got.data(), n);
    EXPECT_TRUE(same_bits(expected, got)) << "function " << a;
  }
}

TEST_P(Elementwise, AddMultiplyScale) {
  const auto other = mixed_floats(4000, 99, 7);
  expect_equal([&](const KernelTable& table, const float* x, float* y, Index n) {
    table.add(x, other.data(), y, n);
  });
  expect_equal([&](const KernelTable& table, const float* x, float* y, Index n) {
    table.multiply(x, other.data(), y, n);
  });
  expect_equal([](const KernelTable& table, const float* x, float* y, Index n) {
    table.scale(x, 1.7f, y, n);
  });
  expect_equal([&](const KernelTable& table, const float* x, float* y, Index n) {
    table.scale_add(x, 1.7f, other.data(), y, n);
  });
}

TEST_P(Elementwise, InPlace) {
  const auto x = mixed_floats(101, 3, 5);
  std::vector<float> apart(x.size()), within = x;
  fast().exp(x.data(), apart.data(), 101);
  fast().exp(within.data(), within.data(), 101);
  EXPECT_TRUE(same_bits(apart, within));
}

TEST_P(Elementwise, WidensAll65536Patterns) {
  std::vector<Half> halves(65536);
  std::vector<Bfloat16> bfloats(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    halves[i] = {static_cast<std::uint16_t>(i)};
    bfloats[i] = {static_cast<std::uint16_t>(i)};
  }
  for (const Index n : {65536, 65535, 17, 1}) {
    std::vector<float> expected(static_cast<std::size_t>(n)), got(static_cast<std::size_t>(n));
    reference().widen_half(halves.data(), expected.data(), n);
    fast().widen_half(halves.data(), got.data(), n);
    EXPECT_TRUE(same_bits(expected, got));
    reference().widen_bfloat16(bfloats.data(), expected.data(), n);
    fast().widen_bfloat16(bfloats.data(), got.data(), n);
    EXPECT_TRUE(same_bits(expected, got));
  }
}

TEST_P(Elementwise, NarrowsLikeTheReference) {
  // Every 16-bit pattern in the upper half, with lower halves around the points where rounding
  // turns.
  std::vector<float> x;
  for (std::uint32_t high = 0; high < 65536; ++high) {
    for (const std::uint32_t low :
         {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x7fffu, 0x8000u, 0x8001u}) {
      x.push_back(std::bit_cast<float>((high << 16) | low));
    }
  }
  const auto n = static_cast<Index>(x.size()) - 3;
  std::vector<Half> expected(x.size()), got(x.size());
  reference().narrow_half(x.data(), expected.data(), n);
  fast().narrow_half(x.data(), got.data(), n);
  std::vector<Bfloat16> expected_bfloat(x.size()), got_bfloat(x.size());
  reference().narrow_bfloat16(x.data(), expected_bfloat.data(), n);
  fast().narrow_bfloat16(x.data(), got_bfloat.data(), n);
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    ASSERT_TRUE(same_bits(to_float(expected[i]), to_float(got[i]))) << std::hexfloat << x[i];
    ASSERT_TRUE(same_bits(to_float(expected_bfloat[i]), to_float(got_bfloat[i])))
        << std::hexfloat << x[i];
  }
}

EIGENFORMER_EACH_ISA(Elementwise);

}  // namespace
}  // namespace eigenformer::test
