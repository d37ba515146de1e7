// SPDX-License-Identifier: MIT
#include "eigenformer/core/int8.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eigenformer/core/weight_matrix.hpp"
#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

using Bytes = std::vector<std::int8_t>;

struct QuantizedRow {
  Bytes q;
  float scale;
};

QuantizedRow quantize(const std::vector<float>& x) {
  QuantizedRow row{Bytes(x.size()), 0};
  row.scale = quantize_row(x.data(), static_cast<Index>(x.size()), row.q.data());
  return row;
}

TEST(QuantizeRow, ByHand) {
  const QuantizedRow row = quantize({127, -127, 0.5f, 1.5f, -2.5f, 0.49f, 63.51f, -0.0f});
  EXPECT_EQ(row.scale, 1);
  EXPECT_EQ(row.q, (Bytes{127, -127, 0, 2, -2, 0, 64, 0}));
  EXPECT_EQ(quantize({0.1f, -0.2f}).q, (Bytes{64, -127}));
  EXPECT_EQ(quantize({0.1f, -0.2f}).scale, 0.2f / 127.0f);
}

TEST(QuantizeRow, RowsWithoutAScale) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  EXPECT_EQ(quantize({}).scale, 0);
  EXPECT_EQ(quantize({0, -0.0f}).scale, 0);
  EXPECT_EQ(quantize({0x1p-121f, -0x1p-149f}).scale, 0);
  EXPECT_EQ(quantize({0x1p-121f, -0x1p-149f}).q, (Bytes{0, 0}));
  EXPECT_EQ(quantize({0x1p-120f, 0}).q, (Bytes{127, 0}));
  for (const float bad : {inf, -inf, nan, -nan}) {
    EXPECT_TRUE(std::isnan(quantize({1, bad, 2}).scale));
    EXPECT_EQ(quantize({1, bad, 2}).q, (Bytes{0, 0, 0}));
  }
  const float most = std::numeric_limits<float>::max();
  EXPECT_EQ(quantize({most, -most, 1}).q, (Bytes{127, -127, 0}));
}

/// Within half a step of x, the largest exactly, and never beyond 127.
TEST(QuantizeRow, IsCloseToWhatItStandsFor) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto x = random_floats(50, seed);
    const QuantizedRow row = quantize(x);
    Index at_the_end = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_NEAR(row.q[i] * double{row.scale}, x[i], 0.5001 * row.scale);
      ASSERT_GE(row.q[i], -127);
      at_the_end += std::abs(row.q[i]) == 127;
    }
    ASSERT_GE(at_the_end, 1);
  }
}

struct Shape {
  Index rows, inputs, outputs;
};

struct Int8Products : EachIsa {
  /// Quantised by the table, and multiplied by it; x and out start off a cache line.
  static std::vector<float> run(const kernels::KernelTable& table, Shape s, const float* x,
                                const WeightMatrix<float>& weight, const float* bias) {
    const Index stride = round_up(s.inputs, int8_step) + 64;
    Bytes q(static_cast<std::size_t>(s.rows * stride) + 1, 99);
    std::vector<float> scales(static_cast<std::size_t>(s.rows));
    for (Index r = 0; r < s.rows; ++r) {
      scales[static_cast<std::size_t>(r)] =
          table.quantize(x + r * s.inputs, s.inputs, q.data() + 1 + r * stride);
    }
    std::vector<float> out(static_cast<std::size_t>(s.rows * (s.outputs + 2) + 1), 5.0f);
    kernels::Product p{};
    p.rows = s.rows;
    p.inputs = s.inputs;
    p.weight = weight.panel(0);
    p.bias = bias;
    p.outputs = s.outputs;
    p.out = out.data() + 1;
    p.out_stride = s.outputs + 2;
    p.int8 = {q.data() + 1, stride, scales.data(), weight.scales(), weight.offsets()};
    table.product[static_cast<int>(Storage::int8)](p);
    out.insert(out.end(), scales.begin(), scales.end());
    return out;
  }

  void expect_equal(Shape s, Index step, bool with_bias) {
    const auto w =
        step ? mixed_floats(s.outputs * s.inputs, 1, step) : random_floats(s.outputs * s.inputs, 1);
    const auto x =
        step ? mixed_floats(s.rows * s.inputs, 2, step) : random_floats(s.rows * s.inputs, 2);
    const auto bias = random_floats(s.outputs, 3);
    const WeightMatrix<float> weight(MatrixView<const float>(w.data(), s.outputs, s.inputs),
                                     Storage::int8);
    const float* const b = with_bias ? bias.data() : nullptr;
    ASSERT_TRUE(
        same_bits(run(reference(), s, x.data(), weight, b), run(fast(), s, x.data(), weight, b)))
        << s.rows << " x " << s.inputs << " x " << s.outputs;
  }
};

TEST_P(Int8Products, EveryNumberOfRows) {
  for (Index rows = 0; rows <= 50; ++rows) {
    expect_equal({rows, 37, 70}, 0, true);
    expect_equal({rows, 64, 16}, 0, false);
  }
}
TEST_P(Int8Products, EveryNumberOfOutputs) {
  for (Index outputs = 1; outputs <= 150; ++outputs) {
    expect_equal({1, 19, outputs}, 0, true);
    expect_equal({7, 5, outputs}, 0, outputs % 2 == 0);
  }
}
TEST_P(Int8Products, EveryNumberOfInputs) {
  for (const Index inputs : interesting_sizes()) expect_equal({4, inputs, 33}, 0, true);
}
/// Infinities, NaNs, zeros and denormal numbers, some rows without any.
TEST_P(Int8Products, SpecialValues) {
  for (Index rows = 1; rows <= 7; ++rows) expect_equal({rows, 45, 83}, 97, true);
}

/// The largest sums that there can be: nothing saturates, nothing overflows.
TEST_P(Int8Products, Extremes) {
  for (const Index inputs : {4, 64, 1041, 131'072}) {
    for (const float sign : {1.0f, -1.0f}) {
      const std::vector<float> w(static_cast<std::size_t>(2 * inputs), sign * 3.0f);
      std::vector<float> x(static_cast<std::size_t>(2 * inputs), 7.0f);
      for (Index i = 0; i < inputs; i += 2) x[static_cast<std::size_t>(inputs + i)] *= -1.0f;
      const WeightMatrix<float> weight(MatrixView<const float>(w.data(), 2, inputs), Storage::int8);
      const Shape shape{2, inputs, 2};
      const auto out = run(fast(), shape, x.data(), weight, nullptr);
      ASSERT_TRUE(same_bits(run(reference(), shape, x.data(), weight, nullptr), out));
      EXPECT_NEAR(out[1], sign * 21.0f * static_cast<float>(inputs),
                  1e-5f * 21 * static_cast<float>(inputs));
    }
  }
}

/// Every quotient near a half, in every lane.
TEST_P(Int8Products, RoundsAsTheDefinitionDoes) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto x = random_floats(75, seed);
    const float most = 1.0f + static_cast<float>(seed) / 100;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float step = std::floor(std::clamp(x[i], -1.0f, 0.99f) * 127) + 0.5f;
      x[i] = most * step / 127.0f;
      if (i % 3 != 0) x[i] = std::nextafter(x[i], i % 3 == 1 ? 1e9f : -1e9f);
    }
    x[seed % x.size()] = -most;
    Bytes expected(128), q(128);
    const float scale = reference().quantize(x.data(), 75, expected.data());
    ASSERT_EQ(fast().quantize(x.data(), 75, q.data()), scale);
    const std::int8_t offset = q[127];  // what stands for zero
    for (std::size_t i = 0; i < q.size(); ++i) {
      ASSERT_EQ(static_cast<std::uint8_t>(q[i] - offset), static_cast<std::uint8_t>(expected[i]));
    }
  }
}

EIGENFORMER_EACH_ISA(Int8Products);

TEST(Int8ProductReference, ByHand) {
  const float w[] = {127, 2, 3, 4, 254, 6};  // [2, 3]: scales 1 and 2
  const float x[] = {127, 0, -1, 2.54f, 2.54f, 2.54f}, bias[] = {10, 20};
  const auto& table = *kernels::find_table(Isa::reference);
  const WeightMatrix<float> weight(MatrixView<const float>(w, 2, 3), Storage::int8);
  EXPECT_EQ(weight.unpack(), (Matrix<float>{{127, 2, 3}, {4, 254, 6}}));
  const auto y = Int8Products::run(table, {2, 3, 2}, x, weight, bias);
  EXPECT_EQ(y[1], 127 * 127 - 3 + 10);
  EXPECT_EQ(y[2], 127 * 4 - 6 + 20);
  EXPECT_FLOAT_EQ(y[5], 2.54f * (127 + 2 + 3) + 10);
  EXPECT_FLOAT_EQ(y[6], 2.54f * (4 + 254 + 6) + 20);
}

}  // namespace
}  // namespace eigenformer::test
