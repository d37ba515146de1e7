// SPDX-License-Identifier: MIT
/// Matrices to test with, and to compare.
#pragma once

#include <gtest/gtest.h>

#include "eigenformer/core/matrix.hpp"
#include "support/bits.hpp"

namespace eigenformer::test {

/// The largest difference of two matrices of one shape.
template <class A, class B>
double largest_difference(const A& a, const B& b) {
  EXPECT_EQ(a.rows(), b.rows());
  EXPECT_EQ(a.cols(), b.cols());
  if (a.rows() != b.rows() || a.cols() != b.cols()) return HUGE_VAL;
  double largest = 0;
  for (Index r = 0; r < a.rows(); ++r) {
    for (Index c = 0; c < a.cols(); ++c) {
      const double difference = std::fabs(double(a(r, c)) - double(b(r, c)));
      if (!(difference <= largest)) largest = difference;  // a NaN stays
    }
  }
  return largest;
}

template <class Scalar>
Matrix<Scalar> random_matrix(Index rows, Index cols, std::uint64_t seed) {
  const std::vector<float> numbers = random_floats(rows * cols, seed);
  Matrix<Scalar> matrix(rows, cols);
  for (Index i = 0; i < matrix.size(); ++i) {
    matrix.data()[i] = static_cast<Scalar>(numbers[static_cast<std::size_t>(i)]);
  }
  return matrix;
}

inline std::vector<TokenId> random_ids(Index n, TokenId vocab, std::uint64_t seed) {
  RandomStream stream(seed, 0, 0);
  std::vector<TokenId> ids(static_cast<std::size_t>(n));
  for (TokenId& id : ids) id = static_cast<TokenId>(stream.bits() % std::uint32_t(vocab));
  return ids;
}

inline Matrix<double> to_double(const Matrix<float>& matrix) { return matrix.cast<double>(); }

inline ::testing::AssertionResult same_bits(const Matrix<float>& expected,
                                            const Matrix<float>& got) {
  if (expected.rows() != got.rows() || expected.cols() != got.cols()) {
    return ::testing::AssertionFailure() << "other shapes";
  }
  return same_bits(expected.data(), got.data(), expected.size());
}

/// Copies the parameters of a layer of floats into its twin of doubles.
template <class From, class To>
void copy_parameters(const From& from, To& to) {
  from.for_each_parameter([&](const std::string& name, const auto& parameter) {
    to.set(name, to_double(value_of(parameter)));
  });
}

/// Every parameter, biases and norms too, gets random numbers: a test should notice each of them.
template <class Layer>
void randomize(Layer& layer, std::uint64_t seed) {
  layer.for_each_parameter([&](const std::string& name, auto& parameter) {
    const auto shape = shape_of(parameter);
    Matrix<float> value = random_matrix<float>(shape.rows, shape.cols, seed++);
    if (shape.rank == 2) value *= 1.0f / std::sqrt(float(shape.cols));
    if (shape.rank == 1 && name.ends_with("weight")) value.array() += 3.0f;
    assign(parameter, MatrixView<const float>(value));
  });
}

}  // namespace eigenformer::test
