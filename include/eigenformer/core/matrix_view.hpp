// SPDX-License-Identifier: MIT
/// A view of a row-major matrix in somebody else's memory.
#pragma once

#include <type_traits>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// [rows, cols], row-major, rows `stride` elements apart (stride >= cols). Copied like a pointer:
/// assigning a view makes it look elsewhere and moves no number. MatrixView<const Scalar> reads.
template <class Scalar>
class MatrixView {
 public:
  MatrixView() = default;
  MatrixView(Scalar* data, Index rows, Index cols) : MatrixView(data, rows, cols, cols) {}
  MatrixView(Scalar* data, Index rows, Index cols, Index stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {
    EIGENFORMER_ASSERT(rows >= 0 && cols >= 0 && stride >= cols);
  }

  /// A view that writes is also one that reads.
  template <class Other>
  requires(std::is_same_v<Scalar, const Other>) MatrixView(const MatrixView<Other>& other)
      : MatrixView(other.data(), other.rows(), other.cols(), other.stride()) {}

  Scalar* data() const { return data_; }
  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stride() const { return stride_; }
  bool empty() const { return rows_ == 0 || cols_ == 0; }

  Scalar* row(Index r) const {
    EIGENFORMER_ASSERT(r >= 0 && r < rows_);
    return data_ + r * stride_;
  }
  Scalar& operator()(Index r, Index c) const {
    EIGENFORMER_ASSERT(c >= 0 && c < cols_);
    return row(r)[c];
  }

  /// `count` rows from `first`.
  MatrixView middle_rows(Index first, Index count) const {
    EIGENFORMER_ASSERT(first >= 0 && count >= 0 && first + count <= rows_);
    return {data_ + first * stride_, count, cols_, stride_};
  }
  /// `count` columns from `first`.
  MatrixView middle_cols(Index first, Index count) const {
    EIGENFORMER_ASSERT(first >= 0 && count >= 0 && first + count <= cols_);
    return {data_ + first, rows_, count, stride_};
  }

 private:
  Scalar* data_ = nullptr;
  Index rows_ = 0;
  Index cols_ = 0;
  Index stride_ = 0;
};

}  // namespace eigenformer::inline v0
