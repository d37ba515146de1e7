// SPDX-License-Identifier: MIT
/// Positions that are added to embeddings: sinusoids, or learned.
#pragma once

#include <cmath>
#include <span>

#include "eigenformer/core/batch.hpp"
#include "eigenformer/kernels/double_operations.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/kernels/reference/math64.hpp"
#include "eigenformer/layers/module.hpp"

namespace eigenformer::inline v0 {

enum class SinusoidLayout {
  interleaved,  ///< the paper's: sin, cos, sin, cos, ...; angle position / 10000^(2i/d)
  half_split,   ///< transformers' MarianMT: all sines, then all cosines; the same angles
  shifted,      ///< M2M-100's: half_split, with angles position * 10000^(-i/(d/2 - 1)) in float
};

struct PositionsConfig {
  Index positions;   ///< how many there are, 1 to 2^24
  Index d_model;     ///< 1 to 2^24; for shifted sinusoids from 4
  Index offset = 0;  ///< the row of a sequence's first token, from 0 (BART and M2M-100: 2)
  SinusoidLayout layout = SinusoidLayout::interleaved;  ///< of sinusoids

  /// Throws Error(invalid_argument) for what is out of range.
  const PositionsConfig& checked() const {
    const Index least = layout == SinusoidLayout::shifted ? 4 : 1;
    expect_range(positions, 1, most_features, "PositionsConfig.positions");
    expect_range(d_model, least, most_features, "PositionsConfig.d_model");
    expect_range(offset, 0, most_features, "PositionsConfig.offset");
    return *this;
  }
};

/// Which positions a batch's tokens have.
struct TokenPositions {
  /// past[s] tokens have come before those of sequence s; none, where it is empty.
  TokenPositions(const Batch& b, std::span<const Index> p = {}) : batch(b), past(p) {}

  const Batch& batch;
  std::span<const Index> past;

  Index first(Index sequence) const {
    return past.empty() ? 0 : past[static_cast<std::size_t>(sequence)];
  }
};

/// x += the rows of `table` [positions, d_model] that the tokens have. Throws
/// Error(shape_mismatch), and Error(out_of_range) for a sequence longer than the table.
template <class Scalar>
void add_positions(MatrixView<const Scalar> table, const TokenPositions& tokens, Context& context,
                   MatrixView<Scalar> x) {
  const Batch& batch = tokens.batch;
  expect_shape(x, batch.tokens(), table.cols(), "positions: x");
  const Profile::Scope scope(context.profile(), {"positions"});
  for (Index s = 0; s < batch.sequences(); ++s) {
    const Index first = tokens.first(s), length = batch.length(s);
    if (length > table.rows() - first) {
      throw Error(ErrorCode::out_of_range, "positions: sequence " + std::to_string(s) +
                                               ": expected at most " +
                                               std::to_string(table.rows()) + " tokens, got " +
                                               std::to_string(first + length));
    }
    kernels::add(context, table.middle_rows(first, length), x.middle_rows(batch.begin(s), length));
  }
}

/// Vaswani et al., section 3.5. No parameters.
template <class Scalar>
class SinusoidalPositions {
 public:
  /// Throws Error(invalid_argument).
  explicit SinusoidalPositions(const PositionsConfig& config)
      : offset_(config.checked().offset), table_(config.positions + config.offset, config.d_model) {
    const FloatingPointGuard guard;
    const Index d_model = config.d_model, half = d_model / 2;
    const bool interleaved = config.layout == SinusoidLayout::interleaved;
    const bool shifted = config.layout == SinusoidLayout::shifted;
    const Index sines = shifted ? half : d_model - half;
    for (Index i = 0; i < (shifted ? 2 * half : d_model); ++i) {  // an odd last column stays 0
      const bool cosine = interleaved ? i % 2 == 1 : i >= sines;
      const Index frequency = interleaved ? i / 2 : cosine ? i - sines : i;
      const double wave = paper_wave(frequency, d_model);
      const float rate = shifted ? shifted_rate(frequency, half) : 0.0f;
      for (Index position = 0; position < table_.rows(); ++position) {
        const double angle = shifted ? double{static_cast<float>(position) * rate}
                                     : static_cast<double>(position) / wave;
        table_(position, i) = static_cast<Scalar>(cosine ? kernels::reference::cos(angle)
                                                         : kernels::reference::sin(angle));
      }
    }
  }

  /// x [tokens, d_model] += positions. Throws Error(shape_mismatch), Error(out_of_range) for a
  /// position that it does not have.
  void operator()(const TokenPositions& tokens, Context& context, MatrixView<Scalar> x) const {
    const MatrixView<const Scalar> table = table_;
    add_positions(table.middle_rows(offset_, table.rows() - offset_), tokens, context, x);
  }

  /// [offset + positions, d_model].
  const Matrix<Scalar>& table() const { return table_; }

  /// Nothing is learned.
  template <class Self, class Visitor>
  static void visit(Self&, const std::string&, Visitor&) {}

 private:
  /// 10000^(2 frequency / d_model).
  static double paper_wave(Index frequency, Index d_model) {
    const double exponent = 2.0 * static_cast<double>(frequency) / static_cast<double>(d_model);
    return kernels::reference::pow(10000.0, exponent);
  }
  /// 10000^(-frequency / (half - 1)) and its angles are in float in the reference implementation.
  static float shifted_rate(Index frequency, Index half) {
    const auto step = static_cast<float>(-9.210340371976184 / static_cast<double>(half - 1));
    const float exponent = static_cast<float>(frequency) * step;
    return static_cast<float>(kernels::reference::exp(double{exponent}));
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
  /// Throws Error(invalid_argument).
  explicit LearnedPositions(const PositionsConfig& config)
      : offset_(config.checked().offset),
        weight_(config.positions + config.offset, config.d_model) {}

  /// x [tokens, d_model] += positions. Throws Error(shape_mismatch), Error(out_of_range) for a
  /// position that it does not have.
  void operator()(const TokenPositions& tokens, Context& context, MatrixView<Scalar> x) const {
    const MatrixView<const Scalar> table = weight_;
    add_positions(table.middle_rows(offset_, table.rows() - offset_), tokens, context, x);
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
