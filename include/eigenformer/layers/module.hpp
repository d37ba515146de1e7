// SPDX-License-Identifier: MIT
/// What every layer can do because it can name its parameters.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/random.hpp"
#include "eigenformer/core/shape.hpp"
#include "eigenformer/core/weight_matrix.hpp"

namespace eigenformer::inline v0 {

/// A vector of parameters, [features].
template <class Scalar>
using Vector = AlignedBuffer<Scalar>;

/// A parameter as the matrix that a file or a caller has: vectors are [1, features].
struct ParameterShape {
  Index rows, cols;
  int rank;
};
template <class Scalar>
ParameterShape shape_of(const WeightMatrix<Scalar>& p) {
  return {p.outputs(), p.inputs(), 2};
}
template <class Scalar>
ParameterShape shape_of(const Matrix<Scalar>& p) {
  return {p.rows(), p.cols(), 2};
}
template <class Scalar>
ParameterShape shape_of(const Vector<Scalar>& p) {
  return {1, p.size(), 1};
}

/// p = value, of p's shape; a weight keeps its storage.
template <class Scalar>
void assign(WeightMatrix<Scalar>& p, MatrixView<const Scalar> value) {
  p = WeightMatrix<Scalar>(value, p.storage());
}
template <class Scalar>
void assign(Matrix<Scalar>& p, MatrixView<const Scalar> value) {
  p = Matrix<Scalar>(value);
}
template <class Scalar>
void assign(Vector<Scalar>& p, MatrixView<const Scalar> value) {
  std::copy(value.data(), value.data() + p.size(), p.data());
}

template <class Scalar>
Matrix<Scalar> value_of(const WeightMatrix<Scalar>& p) {
  return p.unpack();
}
template <class Scalar>
Matrix<Scalar> value_of(const Matrix<Scalar>& p) {
  return p;
}
template <class Scalar>
Matrix<Scalar> value_of(const Vector<Scalar>& p) {
  return Matrix<Scalar>(MatrixView<const Scalar>(p.data(), 1, p.size()));
}

/// The base of layers. A derived class has
///
///     template <class Self, class Visitor>
///     static void visit(Self& self, const std::string& prefix, Visitor& visitor);
///
/// which calls visitor(prefix + name, parameter) for each of its parameters, in a fixed order, and
/// visit() of each layer inside with a longer prefix. A parameter is a WeightMatrix [outputs,
/// inputs], a Matrix [rows, cols] or a Vector [features].
template <class Derived, class Scalar>
class Module {
 public:
  /// visitor(name, parameter), for reading.
  template <class Visitor>
  void for_each_parameter(Visitor visitor) const {
    Derived::visit(static_cast<const Derived&>(*this), std::string(), visitor);
  }
  /// visitor(name, parameter), for writing.
  template <class Visitor>
  void for_each_parameter(Visitor visitor) {
    Derived::visit(static_cast<Derived&>(*this), std::string(), visitor);
  }

  /// The number of weights, biases and the like.
  Index parameter_count() const {
    Index count = 0;
    for_each_parameter([&](const std::string&, const auto& parameter) {
      count += shape_of(parameter).rows * shape_of(parameter).cols;
    });
    return count;
  }

  /// Gives the parameter `name` ("query.weight") its value; a vector is [1, features]. Throws
  /// Error(missing_tensor) for a name that the layer lacks, Error(shape_mismatch).
  void set(std::string_view name, MatrixView<const Scalar> value) {
    bool found = false;
    for_each_parameter([&](const std::string& own, auto& parameter) {
      if (own != name) return;
      const auto shape = shape_of(parameter);
      expect_shape(value, shape.rows, shape.cols, own.c_str());
      assign(parameter, value);
      found = true;
    });
    if (!found) throw_unknown(name);
  }

  /// The same with numbers in braces, or any Eigen expression.
  void set(std::string_view name, const Matrix<Scalar>& value) { set(name, value.view()); }

  /// The value of the parameter `name`. Throws Error(missing_tensor).
  Matrix<Scalar> get(std::string_view name) const {
    Matrix<Scalar> value;
    bool found = false;
    for_each_parameter([&](const std::string& own, const auto& parameter) {
      if (own != name) return;
      value = value_of(parameter);
      found = true;
    });
    if (!found) throw_unknown(name);
    return value;
  }

  /// Random weights, the same for the same seed: matrices uniform in +-sqrt(6 / (rows + cols))
  /// (Glorot and Bengio, 2010). Biases and norms stay as they are: 0 and 1 in a new layer.
  void initialize(std::uint64_t seed) {
    const FloatingPointGuard guard;
    std::uint64_t number = 0;
    for_each_parameter([&](const std::string&, auto& parameter) {
      const auto shape = shape_of(parameter);
      if (shape.rank < 2) return;
      RandomStream stream(seed, number++, 0);
      const auto bound = static_cast<float>(std::sqrt(6.0 / double(shape.rows + shape.cols)));
      Matrix<Scalar> value(shape.rows, shape.cols);
      for (Index i = 0; i < value.size(); ++i) {
        value.data()[i] = static_cast<Scalar>((2.0f * stream.uniform() - 1.0f) * bound);
      }
      assign(parameter, MatrixView<const Scalar>(value));
    });
  }

 private:
  [[noreturn]] void throw_unknown(std::string_view name) const {
    constexpr int most = 16;
    std::string names;
    int count = 0;
    for_each_parameter([&](const std::string& own, const auto&) {
      if (count++ < most) names += (names.empty() ? "" : ", ") + own;
    });
    if (count > most) names += " and " + std::to_string(count - most) + " more";
    throw Error(ErrorCode::missing_tensor,
                "no parameter \"" + std::string(name) + "\"; there are " + names);
  }
};

}  // namespace eigenformer::inline v0
