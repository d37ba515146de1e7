// SPDX-License-Identifier: MIT
/// The library's matrices: Eigen's to calculate with, in memory that any translation unit may free.
#pragma once

#include "eigenformer/core/macros.hpp"
// macros.hpp first: it keeps Eigen to its permissively licensed part.
#include <Eigen/Core>
#include <algorithm>
#include <initializer_list>
#include <limits>
#include <new>

#include "eigenformer/core/aligned_buffer.hpp"
#include "eigenformer/core/error.hpp"
#include "eigenformer/core/matrix_view.hpp"

namespace eigenformer::inline v0 {

/// Eigen's own type of our order; for expressions, not for passing between translation units.
template <class Scalar>
using EigenMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A row-major matrix [rows, cols] that owns its 64-byte aligned memory and is, to Eigen, a Map:
/// all of Eigen's operations apply. An Eigen matrix of its own would be freed wrongly where
/// translation units were compiled for different instruction sets.
template <class Scalar>
class Matrix : public Eigen::Map<EigenMatrix<Scalar>> {
  using Map = Eigen::Map<EigenMatrix<Scalar>>;

 public:
  Matrix() : Map(nullptr, 0, 0) {}
  /// Zeros; rows and cols 0 or more. Throws std::bad_alloc.
  Matrix(Index rows, Index cols) : Matrix(AlignedBuffer<Scalar>(area(rows, cols)), rows, cols) {}

  /// Row by row: Matrix<float>{{1, 2}, {3, 4}}. Throws Error(shape_mismatch) for unlike rows.
  Matrix(std::initializer_list<std::initializer_list<Scalar>> rows)
      : Matrix(static_cast<Index>(rows.size()),
               rows.size() == 0 ? 0 : static_cast<Index>(rows.begin()->size())) {
    Index r = 0;
    for (const auto& row : rows) {
      if (static_cast<Index>(row.size()) != this->cols()) {
        throw Error(ErrorCode::shape_mismatch, "Matrix: row " + std::to_string(r) + ": expected " +
                                                   std::to_string(this->cols()) + " numbers, got " +
                                                   std::to_string(row.size()));
      }
      Index c = 0;
      for (const Scalar value : row) (*this)(r, c++) = value;
      ++r;
    }
  }

  template <class Derived>
  Matrix(const Eigen::MatrixBase<Derived>& expression)
      : Matrix(expression.rows(), expression.cols()) {
    map() = expression;
  }
  explicit Matrix(MatrixView<const Scalar> view) : Matrix(view.rows(), view.cols()) {
    for (Index r = 0; r < view.rows(); ++r) {
      std::copy(view.row(r), view.row(r) + view.cols(), buffer_.data() + r * view.cols());
    }
  }

  Matrix(const Matrix& other) : Matrix(other.buffer_, other.rows(), other.cols()) {}
  Matrix(Matrix&& other) noexcept : Matrix(std::move(other.buffer_), other.rows(), other.cols()) {
    other.look_at_buffer(0, 0);
  }
  Matrix& operator=(Matrix other) noexcept {
    const Index rows = other.rows(), cols = other.cols();
    buffer_ = std::move(other.buffer_);
    look_at_buffer(rows, cols);
    other.look_at_buffer(0, 0);
    return *this;
  }
  /// Takes the expression's shape; it may refer to this matrix.
  template <class Derived>
  Matrix& operator=(const Eigen::MatrixBase<Derived>& expression) {
    return *this = Matrix(expression);
  }

  operator MatrixView<Scalar>() { return {buffer_.data(), this->rows(), this->cols()}; }
  operator MatrixView<const Scalar>() const { return {buffer_.data(), this->rows(), this->cols()}; }
  MatrixView<Scalar> view() { return *this; }
  MatrixView<const Scalar> view() const { return *this; }

 private:
  Matrix(AlignedBuffer<Scalar> buffer, Index rows, Index cols)
      : Map(buffer.data(), rows, cols), buffer_(std::move(buffer)) {}

  static Index area(Index rows, Index cols) {
    if (rows < 0 || cols < 0) throw std::bad_array_new_length();
    if (cols > 0 && rows > std::numeric_limits<Index>::max() / cols) {
      throw std::bad_array_new_length();
    }
    return rows * cols;
  }
  Map& map() { return *this; }
  /// Eigen's documented way to point a Map elsewhere.
  void look_at_buffer(Index rows, Index cols) {
    new (static_cast<Map*>(this)) Map(buffer_.data(), rows, cols);
  }

  AlignedBuffer<Scalar> buffer_;
};

/// A view as Eigen sees it: [rows, cols], for expressions.
template <class Scalar>
auto as_eigen(MatrixView<Scalar> view) {
  using Plain = EigenMatrix<std::remove_const_t<Scalar>>;
  using Mapped = std::conditional_t<std::is_const_v<Scalar>, const Plain, Plain>;
  return Eigen::Map<Mapped, Eigen::Unaligned, Eigen::OuterStride<>>(
      view.data(), view.rows(), view.cols(), Eigen::OuterStride<>(view.stride()));
}

}  // namespace eigenformer::inline v0
