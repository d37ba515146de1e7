// SPDX-License-Identifier: MIT
/// Activations on their way into a layer.
#pragma once

#include "eigenformer/core/matrix_view.hpp"

namespace eigenformer::inline v0 {

/// Activations [tokens, features] that a layer reads: a view with a name of its own, because what
/// belongs to the same rows in another form travels with it, not beside it.
template <class Scalar>
class Rows {
 public:
  /// From a view or a matrix.
  template <class Values>
  requires std::is_convertible_v<const Values&, MatrixView<const Scalar>> Rows(const Values& values)
      : values_(values) {}

  MatrixView<const Scalar> values() const { return values_; }
  Index tokens() const { return values_.rows(); }
  Index features() const { return values_.cols(); }

 private:
  MatrixView<const Scalar> values_;
};

}  // namespace eigenformer::inline v0
