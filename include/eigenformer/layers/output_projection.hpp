// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/kernels/best_outputs.hpp"
#include "eigenformer/kernels/double_operations.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/layers/module.hpp"

namespace eigenformer::inline v0 {

struct OutputProjectionConfig {
  Index d_model;       ///< 1 to 2^24
  Index vocab;         ///< 1 to 2^24
  bool tied = false;   ///< whether the weight is somebody else's: an embedding's
  bool bias = true;    ///< whether there is one
  double scale = 1.0;  ///< of the hidden states (T5: 1 / sqrt(d_model))
  Storage storage = Storage::f32;
};

/// logits = scale * hidden W^T + b, for every word of the vocabulary.
///
/// Parameters: weight [vocab, d_model], unless tied; bias [vocab].
template <class Scalar>
class OutputProjection : public Module<OutputProjection<Scalar>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit OutputProjection(const OutputProjectionConfig& config)
      : vocab_(checked(config).vocab),
        scale_(to_nearest<Scalar>(config.scale)),
        weight_(config.tied ? 0 : config.vocab, config.d_model, config.storage),
        bias_(config.bias ? config.vocab : 0) {}

  /// With the weight of its own. hidden [tokens, d_model], logits [tokens, vocab]. Throws
  /// Error(shape_mismatch), Error(invalid_argument) where it is tied, and so has none.
  void operator()(Rows<Scalar> hidden, Context& context, MatrixView<Scalar> logits) const {
    (*this)(hidden, weight_, context, logits);
  }

  /// With `weight` [vocab, d_model], the table of the embedding that it is tied to. Throws the
  /// same.
  void operator()(Rows<Scalar> hidden, const WeightMatrix<Scalar>& weight, Context& context,
                  MatrixView<Scalar> logits) const {
    check(hidden, weight);
    expect_shape(logits, hidden.tokens(), weight.outputs(), "OutputProjection: logits");
    with_scale(hidden, context, [&](Rows<Scalar> scaled) {
      kernels::matmul(context, scaled, weight, bias(), logits);
    });
  }

  /// The best of the logits, without writing them; bit for bit those of operator(). Throws the
  /// same.
  void best(Rows<Scalar> hidden, const WeightMatrix<Scalar>& weight, Context& context,
            const BestQuery& query, const BestAnswer& answer) const {
    check(hidden, weight);
    with_scale(hidden, context, [&](Rows<Scalar> scaled) {
      kernels::best_outputs(context, scaled, weight, bias(), query, answer);
    });
  }

  /// The projection's own; [0, d_model] where it is tied.
  const WeightMatrix<Scalar>& weight() const { return weight_; }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    if (self.weight_.outputs() > 0) visitor(prefix + "weight", self.weight_);
    if (self.bias_.size() > 0) visitor(prefix + "bias", self.bias_);
  }

 private:
  static const OutputProjectionConfig& checked(const OutputProjectionConfig& config) {
    expect_range(config.vocab, 1, most_features, "OutputProjectionConfig.vocab");
    expect_range(config.d_model, 1, most_features, "OutputProjectionConfig.d_model");
    return config;
  }

  const Scalar* bias() const { return bias_.size() > 0 ? bias_.data() : nullptr; }
  void check(Rows<Scalar> hidden, const WeightMatrix<Scalar>& weight) const {
    if (weight.outputs() == 0) {
      throw Error(ErrorCode::invalid_argument,
                  "OutputProjection: it is tied: call it with the embedding's weight");
    }
    expect_range(weight.outputs(), vocab_, vocab_, "OutputProjection: rows of the weight");
    expect_shape(hidden.values(), hidden.tokens(), weight.inputs(), "OutputProjection: hidden");
  }
  /// function(scale * hidden).
  template <class Function>
  void with_scale(Rows<Scalar> hidden, Context& context, Function function) const {
    if (scale_ == Scalar{1}) return function(hidden);
    const Arena::Scope scope(context.arena());
    const auto scaled = context.arena().matrix<Scalar>(hidden.tokens(), hidden.features());
    kernels::scale(context, hidden.values(), scale_, scaled);
    function(Rows<Scalar>(scaled));
  }

  Index vocab_;
  Scalar scale_;
  WeightMatrix<Scalar> weight_;  // [vocab, d_model], or [0, d_model]
  Vector<Scalar> bias_;          // [vocab], or empty
};

}  // namespace eigenformer::inline v0
