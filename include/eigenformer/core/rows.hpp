// SPDX-License-Identifier: MIT
/// Activations on their way into a layer.
#pragma once

#include "eigenformer/core/matrix_view.hpp"

namespace eigenformer::inline v0 {

/// The same rows in int8, in the form of one set of kernels.
struct Int8Rows {
  const std::int8_t* values = nullptr;  ///< [tokens, stride]
  Index stride = 0;                     ///< features up to a multiple of 64
  const float* scales = nullptr;        ///< [tokens]
};

/// Activations [tokens, features] that a layer reads: a view with a name of its own, because what
/// belongs to the same rows in another form travels with it, not beside it.
template <class Scalar>
class Rows {
 public:
  /// From a view or a matrix.
  template <class Values>
  requires std::is_convertible_v<const Values&, MatrixView<const Scalar>> Rows(const Values& values)
      : values_(values) {}

  Rows(MatrixView<const Scalar> values, const Int8Rows& int8) : values_(values), int8_(int8) {}

  MatrixView<const Scalar> values() const { return values_; }
  /// Its `values` are nullptr as long as nobody has made them: kernels::with_twin().
  const Int8Rows& int8() const { return int8_; }
  Index tokens() const { return values_.rows(); }
  Index features() const { return values_.cols(); }

 private:
  MatrixView<const Scalar> values_;
  Int8Rows int8_;
};

}  // namespace eigenformer::inline v0
