// SPDX-License-Identifier: MIT
/// Shapes at the door: a layer's caller hears what was expected and what came.
#pragma once

#include <string>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// "[3, 4]".
inline std::string shape_text(Index rows, Index cols) {
  return "[" + std::to_string(rows) + ", " + std::to_string(cols) + "]";
}

/// Throws Error(shape_mismatch) unless `matrix` is [rows, cols]; `what` says whose matrix it is.
template <class MatrixLike>
void expect_shape(const MatrixLike& matrix, Index rows, Index cols, const char* what) {
  if (matrix.rows() == rows && matrix.cols() == cols) return;
  throw Error(ErrorCode::shape_mismatch, std::string(what) + ": expected " +
                                             shape_text(rows, cols) + ", got " +
                                             shape_text(matrix.rows(), matrix.cols()));
}

/// Throws Error(invalid_argument) unless low <= value <= high; `what` names the option.
inline void expect_range(Index value, Index low, Index high, const char* what) {
  if (low <= value && value <= high) return;
  std::string range = std::to_string(low);
  if (low != high) range += " to " + std::to_string(high);
  throw Error(ErrorCode::invalid_argument,
              std::string(what) + ": expected " + range + ", got " + std::to_string(value));
}

/// More features, tokens of a vocabulary or positions than any model has: what a layer's config may
/// ask for at most.
inline constexpr Index most_features = Index{1} << 24;

}  // namespace eigenformer::inline v0
