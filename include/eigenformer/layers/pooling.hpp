// SPDX-License-Identifier: MIT
/// One vector for each sequence, from the vectors of its tokens.
#pragma once

#include <cmath>
#include <type_traits>

#include "eigenformer/core/batch.hpp"
#include "eigenformer/core/shape.hpp"
#include "eigenformer/kernels/double_operations.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/kernels/reference/reduction.hpp"

namespace eigenformer::inline v0 {

/// As sentence-transformers names them.
enum class Pooling {
  mean,              ///< the tokens' mean
  first,             ///< the first token's vector (BERT's [CLS])
  last,              ///< the last token's vector
  max,               ///< the largest of each feature
  mean_sqrt_length,  ///< the tokens' sum / sqrt(their number)
  weighted_mean,     ///< weights 1, 2, ..., n
};

/// x [tokens, features] -> pooled [sequences, features]; an empty sequence gives zeros. Throws
/// Error(shape_mismatch).
template <class Scalar>
void pool(Pooling pooling, std::type_identity_t<MatrixView<const Scalar>> x, const Batch& batch,
          Context& context, MatrixView<Scalar> pooled) {
  expect_shape(x, batch.tokens(), x.cols(), "pool: x");
  expect_shape(pooled, batch.sequences(), x.cols(), "pool: pooled");
  const FloatingPointGuard guard;
  for (Index s = 0; s < batch.sequences(); ++s) {
    const Index length = batch.length(s), begin = batch.begin(s), end = batch.end(s);
    const MatrixView<Scalar> row = pooled.middle_rows(s, 1);
    Scalar* const out = row.data();
    std::fill(out, out + x.cols(), Scalar{0});
    if (length == 0) continue;
    const auto count = static_cast<Scalar>(length);
    switch (pooling) {
      case Pooling::first: std::copy(x.row(begin), x.row(begin) + x.cols(), out); break;
      case Pooling::last: std::copy(x.row(end - 1), x.row(end - 1) + x.cols(), out); break;
      case Pooling::max:
        std::copy(x.row(begin), x.row(begin) + x.cols(), out);
        for (Index t = begin + 1; t < end; ++t) {
          for (Index f = 0; f < x.cols(); ++f) out[f] = x(t, f) > out[f] ? x(t, f) : out[f];
        }
        break;
      case Pooling::mean:
      case Pooling::mean_sqrt_length: {
        for (Index t = begin; t < end; ++t) {
          kernels::add(context, x.middle_rows(t, 1), row);
        }
        const Scalar divisor = pooling == Pooling::mean ? count : std::sqrt(count);
        kernels::scale(context, row, Scalar{1} / divisor, row);
        break;
      }
      case Pooling::weighted_mean:
        for (Index t = begin; t < end; ++t) {
          const auto weight = static_cast<Scalar>(t - begin + 1);
          kernels::add_scaled(context, x.middle_rows(t, 1), weight, row);
        }
        kernels::scale(context, row, Scalar{2} / (count * (count + Scalar{1})), row);
        break;
    }
  }
}

/// Each row of x [rows, features] divided by its Euclidean norm, or by 1e-12 where that is less.
template <class Scalar>
void normalize_rows(Context& context, MatrixView<Scalar> x) {
  const FloatingPointGuard guard;
  for (Index r = 0; r < x.rows(); ++r) {
    Scalar square[lanes] = {};
    for (Index f = 0; f < x.cols(); ++f) {
      square[f % lanes] = std::fma(x(r, f), x(r, f), square[f % lanes]);
    }
    const Scalar length = std::sqrt(kernels::reference::tree_sum(square));
    const Scalar inverse = Scalar{1} / std::max(length, static_cast<Scalar>(1e-12));
    kernels::scale(context, x.middle_rows(r, 1), inverse, x.middle_rows(r, 1));
  }
}

}  // namespace eigenformer::inline v0
