// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/layers/layer_norm.hpp"

namespace eigenformer::inline v0 {

/// y = x / sqrt(mean of x^2 + epsilon) * weight, each row on its own. Zhang, Sennrich: "Root mean
/// square layer normalization" (2019).
///
/// Parameters: weight [features], 1 at first.
template <class Scalar>
class RmsNorm : public Module<RmsNorm<Scalar>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit RmsNorm(const NormConfig& config)
      : epsilon_(to_nearest<Scalar>(config.checked().epsilon)), weight_(config.features) {
    std::fill(weight_.begin(), weight_.end(), Scalar{1});
  }

  /// x and y [tokens, features]; y may be x. Throws Error(shape_mismatch).
  void operator()(Rows<Scalar> x, Context& context, MatrixView<Scalar> y) const {
    expect_shape(x.values(), x.tokens(), weight_.size(), "RmsNorm: x");
    expect_shape(y, x.tokens(), weight_.size(), "RmsNorm: y");
    kernels::rms_norm(context, x.values(), {weight_.data(), nullptr, epsilon_}, y);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    visitor(prefix + "weight", self.weight_);
  }

 private:
  Scalar epsilon_;
  Vector<Scalar> weight_;  // [features]
};

}  // namespace eigenformer::inline v0
