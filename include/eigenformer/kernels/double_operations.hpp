// SPDX-License-Identifier: MIT
/// The operations in double, as a textbook has them, through Eigen and the C library: the oracle
/// that float is tested against. Exact bits are promised for float only. Templates, because Eigen's
/// expressions cost half a second of compile time where they are instantiated.
#pragma once

#include <cmath>
#include <concepts>
#include <type_traits>

#include "eigenformer/core/context.hpp"
#include "eigenformer/core/rows.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/kernels/kernel_table.hpp"

namespace eigenformer::inline v0 {
namespace kernels {

/// Deduced from the output; what else is passed converts to it.
template <class Double>
using Input = MatrixView<const std::type_identity_t<Double>>;

/// Numbers in double have no twin.
inline Rows<double> with_twin(Context&, Rows<double> x, Storage) { return x; }

template <std::same_as<double> Double>
void matmul(Context&, Rows<double> x, const WeightMatrix<double>& weight, const double* bias,
            MatrixView<Double> out) {
  EIGENFORMER_ASSERT(x.features() == weight.inputs() && out.rows() == x.tokens() &&
                     out.cols() == weight.outputs());
  auto y = as_eigen(out);
  y.noalias() = as_eigen(x.values()) * weight.unpack().transpose();
  if (bias) y.rowwise() += as_eigen(Input<Double>(bias, 1, out.cols())).row(0);
}

template <std::same_as<double> Double>
void layer_norm(Context&, Input<Double> x, const NormWeights<double>& norm, MatrixView<Double> y) {
  const auto count = static_cast<double>(x.cols());
  for (Index r = 0; r < x.rows(); ++r) {
    double mean = 0, variance = 0;
    for (Index c = 0; c < x.cols(); ++c) mean += x(r, c);
    mean /= count;
    for (Index c = 0; c < x.cols(); ++c) variance += (x(r, c) - mean) * (x(r, c) - mean) / count;
    const double deviation = std::sqrt(variance + norm.epsilon);
    for (Index c = 0; c < x.cols(); ++c) {
      y(r, c) = (x(r, c) - mean) / deviation * norm.weight[c] + (norm.bias ? norm.bias[c] : 0.0);
    }
  }
}

template <std::same_as<double> Double>
void rms_norm(Context&, Input<Double> x, const NormWeights<double>& norm, MatrixView<Double> y) {
  for (Index r = 0; r < x.rows(); ++r) {
    double mean_square = 0;
    for (Index c = 0; c < x.cols(); ++c) {
      mean_square += x(r, c) * x(r, c) / static_cast<double>(x.cols());
    }
    const double root = std::sqrt(mean_square + norm.epsilon);
    for (Index c = 0; c < x.cols(); ++c) y(r, c) = x(r, c) / root * norm.weight[c];
  }
}

inline double activate(Activation activation, double x) {
  const auto sigmoid = [](double s) { return 1.0 / (1.0 + std::exp(-s)); };
  const double root_half = 0.70710678118654752, root_two_over_pi = 0.79788456080286536;
  switch (activation) {
    case Activation::relu: return 0 > x ? 0 : x;
    case Activation::gelu: return 0.5 * x * (1.0 + std::erf(x * root_half));
    case Activation::gelu_tanh:
      return 0.5 * x * (1.0 + std::tanh(root_two_over_pi * (x + 0.044715 * x * x * x)));
    case Activation::quick_gelu: return x * sigmoid(1.702 * x);
    case Activation::silu: return x * sigmoid(x);
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return std::tanh(x);
  }
  return x;
}

template <std::same_as<double> Double>
void activate(Context&, Activation activation, MatrixView<Double> x) {
  for (Index r = 0; r < x.rows(); ++r) {
    for (Index c = 0; c < x.cols(); ++c) x(r, c) = activate(activation, x(r, c));
  }
}

template <std::same_as<double> Double>
void softmax(Context&, MatrixView<Double> x) {
  for (Index r = 0; r < x.rows(); ++r) {
    auto row = as_eigen(x).row(r).array();
    row = (row - row.maxCoeff()).exp().eval();
    row /= row.sum();
  }
}

template <std::same_as<double> Double>
void log_softmax(Context&, MatrixView<Double> x) {
  for (Index r = 0; r < x.rows(); ++r) {
    auto row = as_eigen(x).row(r).array();
    const double max = row.maxCoeff();
    row -= max + std::log((row - max).exp().sum());
  }
}

template <std::same_as<double> Double>
void add(Context&, Input<Double> x, MatrixView<Double> y) {
  as_eigen(y) += as_eigen(x);
}

template <std::same_as<double> Double>
void multiply(Context&, Input<Double> x, MatrixView<Double> y) {
  as_eigen(y).array() *= as_eigen(x).array();
}

template <std::same_as<double> Double>
void scale(Context&, Input<Double> x, double factor, MatrixView<Double> y) {
  as_eigen(y) = as_eigen(x) * factor;
}

template <std::same_as<double> Double>
void add_scaled(Context&, Input<Double> x, double factor, MatrixView<Double> y) {
  as_eigen(y) += as_eigen(x) * factor;
}

}  // namespace kernels
}  // namespace eigenformer::inline v0
