// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/kernels/double_operations.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/layers/module.hpp"

namespace eigenformer::inline v0 {

struct NormConfig {
  Index features;         ///< 1 and more
  double epsilon = 1e-5;  ///< added under the root, above 0
  bool bias = true;       ///< whether LayerNorm has one; RMSNorm never has
};

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, each row on its own. Ba, Kiros,
/// Hinton: "Layer normalization" (2016).
///
/// Parameters: weight [features], 1 at first; bias [features], 0 at first.
template <class Scalar>
class LayerNorm : public Module<LayerNorm<Scalar>, Scalar> {
 public:
  explicit LayerNorm(const NormConfig& config)
      : epsilon_(static_cast<Scalar>(config.epsilon)),
        weight_(config.features),
        bias_(config.bias ? config.features : 0) {
    std::fill(weight_.begin(), weight_.end(), Scalar{1});
  }

  /// x and y [tokens, features]; y may be x. Throws Error(shape_mismatch).
  void operator()(Rows<Scalar> x, Context& context, MatrixView<Scalar> y) const {
    expect_shape(x.values(), x.tokens(), weight_.size(), "LayerNorm: x");
    expect_shape(y, x.tokens(), weight_.size(), "LayerNorm: y");
    const Scalar* const bias = bias_.size() > 0 ? bias_.data() : nullptr;
    kernels::layer_norm(context, x.values(), weight_.data(), bias, epsilon_, y);
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
