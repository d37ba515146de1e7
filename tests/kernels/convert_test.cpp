// SPDX-License-Identifier: MIT
// The conversions of every set of kernels, `portable` included, against core/half.hpp.
#include "eigenformer/core/half.hpp"

#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

using kernels::KernelTable;

std::vector<const KernelTable*> all_tables() {
  std::vector<const KernelTable*> tables;
  for (const Isa isa : all_isas) {
    if (const KernelTable* const table = kernels::find_table(isa)) tables.push_back(table);
  }
  return tables;
}

/// One format's kernels and its definition.
struct HalfFormat {
  using Narrow = Half;
  static constexpr auto widen = &KernelTable::widen_half;
  static constexpr auto narrow = &KernelTable::narrow_half;
  static Narrow define(float x) { return to_half(x); }
};
struct Bfloat16Format {
  using Narrow = Bfloat16;
  static constexpr auto widen = &KernelTable::widen_bfloat16;
  static constexpr auto narrow = &KernelTable::narrow_bfloat16;
  static Narrow define(float x) { return to_bfloat16(x); }
};

template <class Format>
class Convert : public ::testing::Test {};
using Formats = ::testing::Types<HalfFormat, Bfloat16Format>;
TYPED_TEST_SUITE(Convert, Formats);

TYPED_TEST(Convert, WidensAllPatterns) {
  std::vector<typename TypeParam::Narrow> x(65536);
  for (std::size_t i = 0; i < x.size(); ++i) x[i].bits = static_cast<std::uint16_t>(i);
  for (const KernelTable* const table : all_tables()) {
    std::vector<float> y(x.size());
    (table->*TypeParam::widen)(x.data(), y.data(), 65536);
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(same_bits(y[i], to_float(x[i]))) << name(table->isa) << ", pattern " << i;
    }
  }
}

/// One float in 4,093, and those where rounding turns.
TYPED_TEST(Convert, NarrowsAWalkOverAllFloats) {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4093) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits & 0xfffff000u)));
  }
  for (const KernelTable* const table : all_tables()) {
    std::vector<typename TypeParam::Narrow> y(x.size());
    (table->*TypeParam::narrow)(x.data(), y.data(), static_cast<Index>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(same_bits(to_float(y[i]), to_float(TypeParam::define(x[i]))))
          << name(table->isa) << ", " << std::hexfloat << x[i];
    }
  }
}

/// Any size, from any start, and not one element more.
TYPED_TEST(Convert, WritesWhatItIsAskedFor) {
  using Narrow = typename TypeParam::Narrow;
  const Narrow mark{0x1234};
  for (const KernelTable* const table : all_tables()) {
    for (std::size_t n = 0; n <= 70; ++n) {
      for (const std::size_t start : {0u, 1u, 5u}) {
        const auto count = static_cast<Index>(n);
        const auto x = random_floats(count, n);
        std::vector<Narrow> narrowed(start + n + 1, mark);
        (table->*TypeParam::narrow)(x.data(), narrowed.data() + start, count);
        std::vector<float> widened(start + n + 1, 77.0f);
        (table->*TypeParam::widen)(narrowed.data() + start, widened.data() + start, count);
        for (std::size_t i = 0; i < n; ++i) {
          ASSERT_EQ(widened[start + i], to_float(TypeParam::define(x[i])))
              << name(table->isa) << ", " << i << " of " << n;
        }
        for (std::size_t i = 0; i < start; ++i) ASSERT_EQ(narrowed[i].bits, mark.bits);
        ASSERT_EQ(narrowed.back().bits, mark.bits);
        ASSERT_EQ(widened.back(), 77.0f);
      }
    }
  }
}

}  // namespace
}  // namespace eigenformer::test
