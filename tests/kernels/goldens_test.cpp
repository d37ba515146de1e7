// SPDX-License-Identifier: MIT
// Single operations against outputs that the reference implementations recorded in double.
#include <algorithm>

#include "eigenformer/io/safetensors.hpp"
#include "eigenformer/io/tensor_values.hpp"
#include "eigenformer/kernels/reference/math64.hpp"
#include "support/bits.hpp"
#include "support/ulps.hpp"

namespace eigenformer::test {
namespace {

namespace reference = kernels::reference;

io::Tensors recorded(const std::string& file) {
  return io::read_safetensors(std::string(EIGENFORMER_TEST_DATA) + "/" + file);
}

/// The reference's own kernels, and the fastest of this machine.
std::vector<const kernels::KernelTable*> tables() {
  return {kernels::find_table(Isa::reference), &kernels::best_table()};
}

/// Within `allowed`, or the same infinity.
void expect_close(float got, double expected, double allowed) {
  if (double{got} == expected) return;
  EXPECT_NEAR(double{got}, expected, allowed);
}

struct Scene {
  const char* name;
  Activation activation;
};
constexpr Scene activation_scenes[] = {
    {"relu", Activation::relu},           {"gelu_erf", Activation::gelu},
    {"gelu_tanh", Activation::gelu_tanh}, {"gelu_quick", Activation::quick_gelu},
    {"silu", Activation::silu},           {"sigmoid", Activation::sigmoid},
    {"tanh", Activation::tanh},
};

/// The arguments were recorded in double too: what rounding one to float may change is allowed for,
/// with a slope of at most 1.13.
TEST(Goldens, Activations) {
  const io::Tensors goldens = recorded("ops/ops.safetensors");
  const auto exact_x = io::values<double>(goldens, "act.x");
  const auto x = io::values<float>(goldens, "act.x");
  for (const auto* const table : tables()) {
    for (const Scene& scene : activation_scenes) {
      SCOPED_TRACE(std::string(scene.name) + " " + name(table->isa));
      const auto expected = io::values<double>(goldens, std::string("act.") + scene.name);
      ASSERT_EQ(expected.size(), x.size());
      std::vector<float> y(x.size());
      table->activation[static_cast<int>(scene.activation)](x.data(), y.data(),
                                                            static_cast<Index>(x.size()));
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double allowed = 2.5 * 0x1p-24 * std::max(std::fabs(exact_x[i]), expected[i]) +
                               1.13 * std::fabs(double{x[i]} - exact_x[i]) + 1e-40;
        EXPECT_NEAR(double{y[i]}, expected[i], allowed) << "x = " << exact_x[i];
      }
    }
  }
}

TEST(Goldens, ExpErfTanh) {
  const io::Tensors goldens = recorded("torch/ops.safetensors");
  using Kernel = void (*)(const float*, float*, Index);
  for (const auto* const table : tables()) {
    const auto check = [&](const std::string& scene, Kernel kernel, double bound) {
      const auto x = io::values<float>(goldens, "in." + scene + ".x");
      const auto expected = io::values<double>(goldens, "out." + scene);
      std::vector<float> y(x.size());
      kernel(x.data(), y.data(), static_cast<Index>(x.size()));
      for (std::size_t i = 0; i < x.size(); ++i) {
        EXPECT_LE(ulps(y[i], expected[i]), bound) << scene << " of " << x[i];
      }
    };
    SCOPED_TRACE(name(table->isa));
    check("exp", table->exp, 0.9);
    check("erf", table->erf, 1.3);
    check("tanh", table->activation[static_cast<int>(Activation::tanh)], 1.4);
  }
}

TEST(Goldens, LogSinCos) {
  const io::Tensors goldens = recorded("torch/ops.safetensors");
  const auto check = [&](const std::string& scene, double (*function)(double)) {
    const auto x = io::values<double>(goldens, "in." + scene + ".x");
    const auto expected = io::values<double>(goldens, "out." + scene);
    for (std::size_t i = 0; i < x.size(); ++i) {
      // The recorded value is off by an ulp of its own.
      EXPECT_LE(ulps(function(x[i]), expected[i]), 2.7) << scene << " of " << x[i];
    }
  };
  check("log", reference::log);
  check("sin", reference::sin);
  check("cos", reference::cos);
}

/// As close to the truth as PyTorch's float32 is, or 1e-5 where that is more.
TEST(Goldens, LogSoftmaxAndLogSumExp) {
  const io::Tensors goldens = recorded("torch/ops.safetensors");
  for (const auto* const table : tables()) {
    for (const Index columns : {5, 1024, 1025, 3000}) {
      const std::string scene = "rows_" + std::to_string(columns);
      SCOPED_TRACE(scene + " " + name(table->isa));
      const auto x = io::values<float>(goldens, "in." + scene + ".x");
      const auto expected = io::values<double>(goldens, "log_softmax." + scene);
      const auto theirs = io::values<double>(goldens, "log_softmax_float32." + scene);
      const auto sums = io::values<double>(goldens, "logsumexp." + scene);
      double their_error = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        their_error = std::max(their_error, std::fabs(theirs[i] - expected[i]));
      }
      const double allowed = std::max(1e-5, 4 * their_error);
      for (Index row = 0; row < 2; ++row) {
        std::vector<float> y(static_cast<std::size_t>(columns));
        const float* const row_x = x.data() + row * columns;
        table->log_softmax(row_x, y.data(), columns);
        for (Index c = 0; c < columns; ++c) {
          ASSERT_NEAR(double{y[static_cast<std::size_t>(c)]},
                      expected[static_cast<std::size_t>(row * columns + c)], allowed);
        }
        const kernels::LogSumExp sum = table->log_sum_exp(row_x, columns);
        ASSERT_NEAR(double{sum.max} + double{sum.log_sum}, sums[static_cast<std::size_t>(row)],
                    allowed);
      }
    }
  }
}

/// The arguments were recorded in double: a logarithm moves by no more than rounding moves two of
/// them, and its own last place.
TEST(Goldens, Softmax) {
  const io::Tensors goldens = recorded("ops/ops.safetensors");
  const auto exact_x = io::values<double>(goldens, "softmax.x");
  const auto x = io::values<float>(goldens, "softmax.x");
  const auto softmax = io::values<double>(goldens, "softmax.y");
  const auto log_softmax = io::values<double>(goldens, "log_softmax.y");
  for (const auto* const table : tables()) {
    SCOPED_TRACE(name(table->isa));
    const Index rows = 8, columns = 33;
    for (Index row = 0; row < rows; ++row) {
      float y[33], log_y[33];
      table->softmax(x.data() + row * columns, y, columns);
      table->log_softmax(x.data() + row * columns, log_y, columns);
      double moved = 0;
      for (auto i = static_cast<std::size_t>(row * columns);
           i < static_cast<std::size_t>((row + 1) * columns); ++i) {
        if (std::isfinite(x[i])) moved = std::max(moved, std::fabs(double{x[i]} - exact_x[i]));
      }
      for (Index c = 0; c < columns; ++c) {
        const auto i = static_cast<std::size_t>(row * columns + c);
        const double own = 1e-6 + 1e-7 * std::fabs(log_softmax[i]);
        expect_close(log_y[c], log_softmax[i], 2 * moved + own);
        expect_close(y[c], softmax[i], (2 * moved + own) * softmax[i] + 1e-40);
      }
    }
  }
}

TEST(Goldens, Norms) {
  const io::Tensors goldens = recorded("ops/ops.safetensors");
  const auto x = io::values<float>(goldens, "norm.x");
  const auto weight = io::values<float>(goldens, "norm.weight");
  const auto bias = io::values<float>(goldens, "norm.bias");
  const Index rows = 8, features = 48;
  for (const auto* const table : tables()) {
    const auto check = [&](const char* golden, auto kernel, const float* with_bias, float epsilon) {
      const auto expected = io::values<double>(goldens, golden);
      for (Index row = 0; row < rows; ++row) {
        float y[48];
        kernel({x.data() + row * features, weight.data(), with_bias, epsilon, y, features});
        for (Index f = 0; f < features; ++f) {
          const double truth = expected[static_cast<std::size_t>(row * features + f)];
          EXPECT_NEAR(double{y[f]}, truth, 1e-5 * std::max(1.0, std::fabs(truth))) << golden;
        }
      }
    };
    SCOPED_TRACE(name(table->isa));
    check("layer_norm.eps1e-05", table->layer_norm, bias.data(), 1e-5f);
    check("layer_norm.eps1e-06", table->layer_norm, bias.data(), 1e-6f);
    check("layer_norm.eps1e-12", table->layer_norm, bias.data(), 1e-12f);
    check("rms_norm.eps1e-05", table->rms_norm, nullptr, 1e-5f);
    check("rms_norm.eps1e-06", table->rms_norm, nullptr, 1e-6f);
    check("rms_norm.eps1e-12", table->rms_norm, nullptr, 1e-12f);
  }
}

}  // namespace
}  // namespace eigenformer::test
