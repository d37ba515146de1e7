// SPDX-License-Identifier: MIT
/// Positions that are added to embeddings: sinusoids, or learned.
#pragma once

#include <cmath>

#include "eigenformer/core/batch.hpp"
#include "eigenformer/kernels/double_operations.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/kernels/reference/math64.hpp"
#include "eigenformer/layers/module.hpp"

namespace eigenformer::inline v0 {

enum class SinusoidLayout {
  interleaved,  ///< the paper's: sin, cos, sin, cos, ...; angle position / 10000^(2i/d)
  half_split,   ///< Marian's: all sines, then all cosines; the same angles
  shifted,      ///< M2M-100's: half_split, with angles position * 10000^(-i/(d/2 - 1)) in float
};

struct PositionsConfig {
  Index positions;   ///< how many there are, 1 and more
  Index d_model;     ///< 1 and more
  Index offset = 0;  ///< the row of a sequence's first token (BART and M2M-100: 2)
  SinusoidLayout layout = SinusoidLayout::interleaved;  ///< of sinusoids
};

/// x += the rows of `table` [rows, d_model] for positions offset, offset + 1, ... of each sequence.
/// Throws Error(shape_mismatch), and Error(out_of_range) for a sequence longer than the table.
template <class Scalar>
void add_positions(MatrixView<const Scalar> table, Index offset, const Batch& batch,
                   Context& context, MatrixView<Scalar> x) {
  expect_shape(x, batch.tokens(), table.cols(), "positions: x");
  for (Index s = 0; s < batch.sequences(); ++s) {
    if (batch.length(s) > table.rows() - offset) {
      throw Error(ErrorCode::out_of_range, "positions: sequence " + std::to_string(s) +
                                               ": expected at most " +
                                               std::to_string(table.rows() - offset) +
                                               " tokens, got " + std::to_string(batch.length(s)));
    }
    kernels::add(context, table.middle_rows(offset, batch.length(s)),
                 x.middle_rows(batch.begin(s), batch.length(s)));
  }
}

/// Vaswani et al., section 3.5. No parameters.
template <class Scalar>
class SinusoidalPositions {
 public:
  explicit SinusoidalPositions(const PositionsConfig& config)
      : offset_(config.offset), table_(config.positions + config.offset, config.d_model) {
    const FloatingPointGuard guard;
    const Index d_model = config.d_model, half = d_model / 2;
    for (Index position = 0; position < table_.rows(); ++position) {
      for (Index i = 0; i < d_model; ++i) {
        if (config.layout == SinusoidLayout::shifted && i >= 2 * half) continue;  // stays 0
        const Index sines = config.layout == SinusoidLayout::shifted ? half : d_model - half;
        const bool interleaved = config.layout == SinusoidLayout::interleaved;
        const bool cosine = interleaved ? i % 2 == 1 : i >= sines;
        const Index frequency = interleaved ? i / 2 : cosine ? i - sines : i;
        const double angle = config.layout == SinusoidLayout::shifted
                                 ? shifted_angle(position, frequency, half)
                                 : paper_angle(position, frequency, d_model);
        table_(position, i) = static_cast<Scalar>(cosine ? kernels::reference::cos(angle)
                                                         : kernels::reference::sin(angle));
      }
    }
  }

  /// x [tokens, d_model] += positions, from the first of each sequence on.
  void operator()(const Batch& batch, Context& context, MatrixView<Scalar> x) const {
    add_positions(table_.view(), offset_, batch, context, x);
  }

  /// [offset + positions, d_model].
  const Matrix<Scalar>& table() const { return table_; }

  /// Nothing is learned.
  template <class Self, class Visitor>
  static void visit(Self&, const std::string&, Visitor&) {}

 private:
  static double paper_angle(Index position, Index frequency, Index d_model) {
    const double exponent = 2.0 * static_cast<double>(frequency) / static_cast<double>(d_model);
    return static_cast<double>(position) / kernels::reference::pow(10000.0, exponent);
  }
  /// The reference implementation calculates these in float.
  static double shifted_angle(Index position, Index frequency, Index half) {
    const auto step = static_cast<float>(-9.210340371976184 / static_cast<double>(half - 1));
    const float exponent = static_cast<float>(frequency) * step;
    const auto rate = static_cast<float>(kernels::reference::exp(double{exponent}));
    return double{static_cast<float>(position) * rate};
  }

  Index offset_;
  Matrix<Scalar> table_;  // [offset + positions, d_model]
};

/// A learned vector for each position (BERT, GPT-2; BART with an offset of 2).
///
/// Parameters: weight [offset + positions, d_model].
template <class Scalar>
class LearnedPositions : public Module<LearnedPositions<Scalar>, Scalar> {
 public:
  explicit LearnedPositions(const PositionsConfig& config)
      : offset_(config.offset), weight_(config.positions + config.offset, config.d_model) {}

  /// x [tokens, d_model] += positions, from the first of each sequence on.
  void operator()(const Batch& batch, Context& context, MatrixView<Scalar> x) const {
    add_positions(weight_.view(), offset_, batch, context, x);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    visitor(prefix + "weight", self.weight_);
  }

 private:
  Index offset_;
  Matrix<Scalar> weight_;  // [offset + positions, d_model]
};

}  // namespace eigenformer::inline v0
