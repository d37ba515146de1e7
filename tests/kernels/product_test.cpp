// SPDX-License-Identifier: MIT
#include <algorithm>

#include "eigenformer/core/weight_matrix.hpp"
#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

constexpr Storage storages[] = {Storage::f32, Storage::f16, Storage::bf16};

struct Shape {
  Index rows, inputs, outputs;
};

struct Products : EachIsa {
  /// x W^T + b by both; x, bias and out start off a cache line, rows are longer than they need be.
  void expect_equal(Shape shape, Storage storage, Index step, bool with_bias) {
    const Index rows = shape.rows, inputs = shape.inputs, outputs = shape.outputs;
    const auto all =
        step ? mixed_floats(outputs * inputs, 1, step) : random_floats(outputs * inputs, 1);
    const WeightMatrix<float> weight(MatrixView<const float>(all.data(), outputs, inputs), storage);
    const auto x = step ? mixed_floats(rows * (inputs + 3) + 1, 2, step)
                        : random_floats(rows * (inputs + 3) + 1, 2);
    const auto bias = random_floats(outputs + 1, 3);
    const auto run = [&](const kernels::KernelTable& table) {
      std::vector<float> out(static_cast<std::size_t>(rows * (outputs + 2) + 1), 5.0f);
      table.product[static_cast<int>(storage)](
          {x.data() + 1, inputs + 3, rows, inputs, weight.panel(0),
           with_bias ? bias.data() + 1 : nullptr, outputs, out.data() + 1, outputs + 2});
      return out;
    };
    ASSERT_TRUE(same_bits(run(reference()), run(fast())))
        << rows << " x " << inputs << " x " << outputs << " " << name(storage);
  }
};

TEST_P(Products, EveryNumberOfRows) {
  for (const Storage storage : storages) {
    for (Index rows = 0; rows <= 14; ++rows) {
      expect_equal({rows, 37, 70}, storage, 0, true);
      expect_equal({rows, 64, 16}, storage, 0, false);
    }
  }
}
TEST_P(Products, EveryNumberOfOutputs) {
  for (const Storage storage : storages) {
    for (Index outputs = 1; outputs <= 150; ++outputs) {
      expect_equal({1, 19, outputs}, storage, 0, true);
      expect_equal({7, 5, outputs}, storage, 0, outputs % 2 == 0);
    }
  }
}
TEST_P(Products, EveryNumberOfInputs) {
  for (const Storage storage : storages) {
    for (const Index inputs : interesting_sizes()) expect_equal({4, inputs, 33}, storage, 0, true);
  }
}
TEST_P(Products, SpecialValues) {
  for (const Storage storage : storages) {
    for (Index rows = 1; rows <= 7; ++rows) expect_equal({rows, 45, 83}, storage, 29, true);
  }
}

/// Some panels alone, and some rows alone, give the bits that they have in the whole product.
TEST_P(Products, PanelsAndRowsAreIndependent) {
  const Index rows = 13, inputs = 50, outputs = 200;
  const auto w = random_floats(outputs * inputs, 4), x = random_floats(rows * inputs, 5);
  const WeightMatrix<float> weight(MatrixView<const float>(w.data(), outputs, inputs));
  std::vector<float> whole(static_cast<std::size_t>(rows * outputs)), pieces(whole.size());
  fast().product[0](
      {x.data(), inputs, rows, inputs, weight.panel(0), nullptr, outputs, whole.data(), outputs});
  for (Index row = 0; row < rows; row += 2) {
    for (Index panel = 0; panel < weight.panels(); panel += 3) {
      const Index first = panel * lanes;
      fast().product[0]({x.data() + row * inputs, inputs, std::min<Index>(2, rows - row), inputs,
                         weight.panel(panel), nullptr, std::min(3 * lanes, outputs - first),
                         pieces.data() + row * outputs + first, outputs});
    }
  }
  EXPECT_TRUE(same_bits(whole, pieces));
}

EIGENFORMER_EACH_ISA(Products);

TEST(ProductReference, ByHand) {
  const float w[] = {1, 2, 3, 4, 5, 6};  // [2, 3]
  const float x[] = {1, 0, -1, 2, 2, 2}, bias[] = {10, 20};
  float y[4];
  for (const Storage storage : storages) {
    const WeightMatrix<float> weight(MatrixView<const float>(w, 2, 3), storage);
    const auto& table = *kernels::find_table(Isa::reference);
    table.product[static_cast<int>(storage)]({x, 3, 2, 3, weight.panel(0), bias, 2, y, 2});
    EXPECT_EQ(y[0], 8);
    EXPECT_EQ(y[1], 18);
    EXPECT_EQ(y[2], 22);
    EXPECT_EQ(y[3], 50);
  }
}

}  // namespace
}  // namespace eigenformer::test
