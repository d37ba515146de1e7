// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/kernels/double_operations.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/layers/module.hpp"

namespace eigenformer::inline v0 {

struct NormConfig {
  Index features;         ///< 1 to 2^24
  double epsilon = 1e-5;  ///< added under the root, above 0, at most 1e30
  bool bias = true;       ///< whether LayerNorm has one; RMSNorm never has

  /// Throws Error(invalid_argument) for what is out of range.
  const NormConfig& checked() const {
    expect_range(features, 1, most_features, "NormConfig.features");
    if (epsilon > 0 && epsilon <= 1e30) return *this;
    throw Error(ErrorCode::invalid_argument,
                "NormConfig.epsilon: expected a number above 0 and at most 1e30");
  }
};

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, each row on its own. Ba, Kiros,
/// Hinton: "Layer normalization" (2016).
///
/// Parameters: weight [features], 1 at first; bias [features], 0 at first.
template <class Scalar>
class LayerNorm : public Module<LayerNorm<Scalar>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit LayerNorm(const NormConfig& config)
      : epsilon_(to_nearest<Scalar>(config.checked().epsilon)),
        weight_(config.features),
        bias_(config.bias ? config.features : 0) {
    std::fill(weight_.begin(), weight_.end(), Scalar{1});
  }

  /// x and y [tokens, features]; y may be x. Throws Error(shape_mismatch).
  void operator()(Rows<Scalar> x, Context& context, MatrixView<Scalar> y) const {
    expect_shape(x.values(), x.tokens(), weight_.size(), "LayerNorm: x");
    expect_shape(y, x.tokens(), weight_.size(), "LayerNorm: y");
    const Scalar* const bias = bias_.size() > 0 ? bias_.data() : nullptr;
    kernels::layer_norm(context, x.values(), {weight_.data(), bias, epsilon_}, y);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    visitor(prefix + "weight", self.weight_);
    if (self.bias_.size() > 0) visitor(prefix + "bias", self.bias_);
  }

 private:
  Scalar epsilon_;
  Vector<Scalar> weight_;  // [features]
  Vector<Scalar> bias_;    // [features], or empty
};

}  // namespace eigenformer::inline v0
