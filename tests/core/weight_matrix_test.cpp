// SPDX-License-Identifier: MIT
#include "eigenformer/core/weight_matrix.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "support/expect_contract.hpp"

namespace eigenformer::test {
namespace {

constexpr Storage storages[] = {Storage::f32, Storage::f16, Storage::bf16};

/// weight(output, input) = output + input / 64: exact in all three storages for output < 2 and
/// input < 64; and distinct.
Matrix<float> numbered(Index outputs, Index inputs) {
  Matrix<float> weight(outputs, inputs);
  for (Index o = 0; o < outputs; ++o) {
    for (Index i = 0; i < inputs; ++i) {
      weight(o, i) = static_cast<float>(o) + static_cast<float>(i) / 64;
    }
  }
  return weight;
}

/// The elements of all panels, in the order in which they lie.
template <class Element>
std::vector<Element> elements(const WeightMatrix<float>& weight) {
  std::vector<Element> all(weight.bytes() / sizeof(Element));
  std::memcpy(all.data(), weight.panel(0), weight.bytes());
  return all;
}

TEST(WeightMatrix, LayoutOfF32) {
  const WeightMatrix<float> weight(numbered(18, 3));
  EXPECT_EQ(weight.panels(), 2);
  EXPECT_EQ(weight.panel_bytes(), 3 * 16 * 4);
  EXPECT_EQ(weight.bytes(), 2u * 3 * 16 * 4);
  const auto all = elements<float>(weight);  // [panel][input][16]
  EXPECT_EQ(all[0], 0);                      // output 0, input 0
  EXPECT_EQ(all[1], 1);                      // output 1
  EXPECT_EQ(all[15], 15);
  EXPECT_EQ(all[16], 1 / 64.0f);      // output 0, input 1
  EXPECT_EQ(all[17], 1 + 1 / 64.0f);  // output 1, input 1
  EXPECT_EQ(all[48], 16);             // panel 1: output 16
  EXPECT_EQ(all[48 + 33], 17 + 2 / 64.0f);
  for (const std::size_t input : {0u, 1u, 2u}) {
    for (std::size_t lane = 2; lane < 16; ++lane) EXPECT_EQ(all[48 + 16 * input + lane], 0);
  }
}

TEST(WeightMatrix, LayoutOfF16) {
  const WeightMatrix<float> weight(numbered(18, 3), Storage::f16);
  EXPECT_EQ(weight.panel_bytes(), 3 * 16 * 2);
  EXPECT_EQ(weight.bytes(), 2u * 3 * 16 * 2);
  const auto all = elements<std::uint16_t>(weight);
  EXPECT_EQ(all[0], 0x0000);
  EXPECT_EQ(all[1], 0x3c00);   // 1
  EXPECT_EQ(all[2], 0x4000);   // 2
  EXPECT_EQ(all[16], 0x2400);  // 1/64
  EXPECT_EQ(all[48], 0x4c00);  // 16
  EXPECT_EQ(all[50], 0x0000);  // past the end
}

TEST(WeightMatrix, LayoutOfBf16) {
  const WeightMatrix<float> weight(numbered(18, 3), Storage::bf16);
  EXPECT_EQ(weight.panel_bytes(), 2 * 16 * 2 * 2) << "three inputs are two pairs";
  EXPECT_EQ(weight.bytes(), 2u * 128);
  const auto all = elements<std::uint16_t>(weight);  // [panel][pair][output][2 inputs]
  EXPECT_EQ(all[0], 0x0000);                         // output 0, input 0
  EXPECT_EQ(all[1], 0x3c80);                         // output 0, input 1: 1/64
  EXPECT_EQ(all[2], 0x3f80);                         // output 1, input 0: 1
  EXPECT_EQ(all[3], 0x3f82);                         // output 1, input 1: 1 + 1/64
  EXPECT_EQ(all[32], 0x3d00);                        // output 0, input 2: 2/64
  EXPECT_EQ(all[33], 0x0000);                        // its pair is no input
  EXPECT_EQ(all[64], 0x4180);                        // panel 1: output 16
  EXPECT_EQ(all[68], 0x0000);                        // output 18 is past the end
}

TEST(WeightMatrix, LayoutOfInt8) {
  Matrix<float> numbers(18, 5);
  for (Index o = 0; o < 18; ++o) {
    for (Index i = 0; i < 5; ++i) numbers(o, i) = static_cast<float>(o + i);
    numbers(o, 4) = 254;  // so that a step is 2
  }
  const WeightMatrix<float> weight(numbers, Storage::int8);
  EXPECT_EQ(weight.panel_bytes(), 64 * 16) << "inputs up to a multiple of 64";
  EXPECT_EQ(weight.bytes(), 2u * (64 * 16 + 16 * 8));
  const auto* const all = reinterpret_cast<const std::int8_t*>(weight.panel(0));
  EXPECT_EQ(all[0], 0);            // output 0, input 0
  EXPECT_EQ(all[1], 0);            // output 0, input 1: half a step, to even
  EXPECT_EQ(all[2], 1);            // output 0, input 2
  EXPECT_EQ(all[3], 2);            // output 0, input 3: one and a half
  EXPECT_EQ(all[4], 0);            // output 1, input 0
  EXPECT_EQ(all[7], 2);            // output 1, input 3
  EXPECT_EQ(all[64], 127);         // output 0, input 4
  EXPECT_EQ(all[65], 0);           // and there is no input 5
  EXPECT_EQ(all[64 * 16 + 4], 8);  // panel 1: output 17, input 0
  EXPECT_EQ(all[64 * 16 + 8], 0);  // output 18 is past the end
  EXPECT_EQ(weight.scales()[17], 2);
  EXPECT_EQ(weight.scales()[18], 0);
  EXPECT_EQ(weight.offsets()[0], -128 * (0 + 0 + 1 + 2 + 127));
  EXPECT_EQ(weight.offsets()[18], 0);
  EXPECT_EQ(weight(0, 3), 4);
  EXPECT_EQ(weight.unpack()(17, 4), 254);
}

/// The integers and scales of an int8 matrix, row by row.
struct Integers {
  std::vector<std::int8_t> values;
  std::vector<float> scales;
  Index rows, cols;

  explicit Integers(const WeightMatrix<float>& weight)
      : values(static_cast<std::size_t>(weight.outputs() * weight.inputs())),
        scales(weight.scales(), weight.scales() + weight.outputs()),
        rows(weight.outputs()),
        cols(weight.inputs()) {
    for (Index r = 0; r < rows; ++r) weight.copy_integers(r, values.data() + r * cols);
  }
  operator Int8MatrixView() const { return {values.data(), scales.data(), rows, cols}; }
};

/// Numbers of every sign, whose rows have scales of their own.
Matrix<float> uneven(Index outputs, Index inputs) {
  Matrix<float> numbers(outputs, inputs);
  for (Index o = 0; o < outputs; ++o) {
    for (Index i = 0; i < inputs; ++i) {
      numbers(o, i) = static_cast<float>((o * 31 + i * 37) % 101 - 50) / static_cast<float>(o + 3);
    }
  }
  return numbers;
}

constexpr Index uneven_outputs[] = {1, 2, 15, 16, 17, 33};
constexpr Index uneven_inputs[] = {1, 3, 4, 5, 63, 64, 65, 255, 256, 257, 259, 600};

TEST(WeightMatrix, TakesIntegersAsTheyAre) {
  for (const Index outputs : uneven_outputs) {
    for (const Index inputs : uneven_inputs) {
      const WeightMatrix<float> expected(uneven(outputs, inputs), Storage::int8);
      WeightMatrix<float> got(outputs, inputs, Storage::int8);
      const Matrix<float> others = -uneven(outputs, inputs);
      got.set_rows(
          0, Integers(WeightMatrix<float>(others, Storage::int8)));  // it keeps nothing of them
      got.set_rows(0, Integers(expected));
      const auto bytes = static_cast<std::size_t>(expected.panels() * expected.panel_bytes());
      const auto rows = static_cast<std::size_t>(expected.panels() * 16);
      ASSERT_EQ(std::memcmp(got.panel(0), expected.panel(0), bytes), 0) << outputs << " " << inputs;
      ASSERT_EQ(std::memcmp(got.scales(), expected.scales(), rows * 4), 0) << outputs;
      ASSERT_EQ(std::memcmp(got.offsets(), expected.offsets(), rows * 4), 0) << outputs;
    }
  }
}

TEST(WeightMatrix, TakesIntegersTimesTheirScales) {
  for (const Index outputs : uneven_outputs) {
    for (const Index inputs : {1, 4, 65, 257}) {
      const WeightMatrix<float> weight(uneven(outputs, inputs), Storage::int8);
      const Integers integers(weight);
      for (const Storage storage : storages) {
        WeightMatrix<float> got(outputs, inputs, storage);
        got.set_rows(0, integers);
        ASSERT_EQ(got.unpack(), WeightMatrix<float>(weight.unpack(), storage).unpack());
      }
      WeightMatrix<double> of_double(outputs, inputs);
      of_double.set_rows(0, integers);
      ASSERT_EQ(of_double.unpack(), Matrix<double>(weight.unpack().cast<double>()));
    }
  }
}

TEST(WeightMatrix, Int8HasALimit) {
  EXPECT_EQ(WeightMatrix<float>(1, 131'072, Storage::int8).inputs(), 131'072);
  try {
    WeightMatrix<float>(1, 131'073, Storage::int8);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_STREQ(error.what(), "a weight in int8 has at most 131072 inputs, not 131073");
  }
}

TEST(WeightMatrix, PanelsLieOneAfterAnother) {
  for (const Storage storage : storages) {
    const WeightMatrix<float> weight(40, 5, storage);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(weight.panel(0)) % 64, 0u);
    EXPECT_EQ(weight.panel(2) - weight.panel(0), 2 * weight.panel_bytes());
    EXPECT_EQ(static_cast<std::size_t>(weight.panel(3) - weight.panel(0)), weight.bytes());
  }
}

TEST(WeightMatrix, GivesBackWhatItPacked) {
  for (const Storage storage : storages) {
    for (const Index outputs : {1, 2, 15, 16, 17, 31, 33, 100}) {
      for (const Index inputs : {1, 2, 3, 15, 16, 17, 64}) {
        Matrix<float> numbers = numbered(outputs, inputs);
        numbers = numbers.unaryExpr([](float x) { return x < 2 ? x : x - std::floor(x); }).eval();
        const WeightMatrix<float> weight(numbers, storage);
        ASSERT_EQ(weight.unpack(), numbers) << name(storage) << outputs << " x " << inputs;
        ASSERT_EQ(weight(outputs - 1, inputs - 1), numbers(outputs - 1, inputs - 1));
        std::vector<float> row(static_cast<std::size_t>(inputs) + 1, 77.0f);
        weight.copy_row(outputs - 1, row.data());
        ASSERT_EQ(row.front(), numbers(outputs - 1, 0));
        ASSERT_EQ(row[row.size() - 2], numbers(outputs - 1, inputs - 1));
        ASSERT_EQ(row.back(), 77.0f);
      }
    }
  }
}

TEST(WeightMatrix, RoundsToNearestHalfToEven) {
  const Matrix<float> w{{1 + 0x1p-11f, 1 + 0x1.8p-10f, 1 + 0x1p-8f, 1 + 0x1.8p-7f, 70000, -1e-9f}};
  const Matrix<float> f16 = WeightMatrix<float>(w, Storage::f16).unpack();
  EXPECT_EQ(f16(0, 0), 1);
  EXPECT_EQ(f16(0, 1), 1 + 0x1p-9f);
  EXPECT_EQ(f16(0, 4), std::numeric_limits<float>::infinity());
  EXPECT_EQ(f16(0, 5), 0);
  const Matrix<float> bf16 = WeightMatrix<float>(w, Storage::bf16).unpack();
  EXPECT_EQ(bf16(0, 2), 1);
  EXPECT_EQ(bf16(0, 3), 1 + 0x1p-6f);
  EXPECT_EQ(bf16(0, 4), 70144);
  EXPECT_EQ(WeightMatrix<float>(w).unpack(), w);
}

TEST(WeightMatrix, PacksRowsOfAnyStride) {
  const float memory[] = {1, 2, -9, 3, 4, -9};
  const WeightMatrix<float> weight(MatrixView<const float>(memory, 2, 2, 3));
  EXPECT_EQ(weight.unpack(), (Matrix<float>{{1, 2}, {3, 4}}));
}

TEST(WeightMatrix, EmptyOnes) {
  const WeightMatrix<float> none;
  EXPECT_EQ(none.outputs(), 0);
  EXPECT_EQ(none.panels(), 0);
  EXPECT_EQ(none.bytes(), 0u);
  for (const Storage storage : storages) {
    EXPECT_EQ(WeightMatrix<float>(5, 0, storage).unpack().rows(), 5);
    EXPECT_EQ(WeightMatrix<float>(0, 5, storage).unpack().cols(), 5);
    EXPECT_EQ(WeightMatrix<float>(5, 7, storage).unpack(), Matrix<float>(5, 7));
  }
}

TEST(WeightMatrix, CopiesAreDeepAndMovesTakeTheMemory) {
  WeightMatrix<float> a(numbered(2, 3), Storage::f16);
  WeightMatrix<float> b = a;
  EXPECT_NE(a.panel(0), b.panel(0));
  EXPECT_EQ(b.unpack(), a.unpack());
  const std::byte* const memory = a.panel(0);
  b = std::move(a);
  EXPECT_EQ(b.panel(0), memory);
  EXPECT_EQ(b.storage(), Storage::f16);
}

TEST(WeightMatrix, OfDoubleIsPlain) {
  const Matrix<double> numbers{{1, 2, 3}, {4, 5, 1e300}};
  for (const Storage storage : storages) {
    const WeightMatrix<double> weight(numbers, storage);
    EXPECT_EQ(weight.storage(), Storage::f32);
    EXPECT_EQ(weight.unpack(), numbers);
    EXPECT_EQ(weight(1, 2), 1e300);
    EXPECT_EQ(weight.bytes(), 48u);
    double row[3];
    weight.copy_row(1, row);
    EXPECT_EQ(row[1], 5);
  }
}

TEST(WeightMatrix, StoragesHaveTheirNames) {
  EXPECT_STREQ(name(Storage::f32), "f32");
  EXPECT_STREQ(name(Storage::f16), "f16");
  EXPECT_STREQ(name(Storage::bf16), "bf16");
  EXPECT_STREQ(name(Storage::int8), "int8");
}

TEST(WeightMatrix, Contracts) {
  [[maybe_unused]] const WeightMatrix<float> weight(2, 3);
  EXPECT_BROKEN_CONTRACT(weight(2, 0));
  EXPECT_BROKEN_CONTRACT(weight(0, 3));
  EXPECT_BROKEN_CONTRACT(weight(-1, 0));
  EXPECT_BROKEN_CONTRACT(weight.panel(2));
  std::int8_t row[3];
  EXPECT_BROKEN_CONTRACT(weight.copy_integers(0, row));
  [[maybe_unused]] WeightMatrix<float> other(2, 3);
  EXPECT_BROKEN_CONTRACT(other.set_rows(0, {row, nullptr, 1, 2}));
  EXPECT_BROKEN_CONTRACT(other.set_rows(0, {row, nullptr, 3, 3}));
  EXPECT_BROKEN_CONTRACT(other.set_rows(1, {row, nullptr, 1, 3}));
}

TEST(WeightMatrix, SizesThatCannotBe) {
  for (const Index size : {Index{-1}, Index{1} << 58, Index{1} << 62}) {
    EXPECT_THROW(WeightMatrix<float>(size, 1), std::bad_alloc);
    EXPECT_THROW(WeightMatrix<float>(1, size), std::bad_alloc);
  }
  EXPECT_THROW(WeightMatrix<float>(Index{1} << 33, Index{1} << 31), std::bad_alloc);
}

}  // namespace
}  // namespace eigenformer::test
