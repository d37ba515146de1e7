// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/kernels/double_operations.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/layers/module.hpp"

namespace eigenformer::inline v0 {

struct LinearConfig {
  Index inputs;      ///< features in, 1 to 2^24
  Index outputs;     ///< features out, 1 to 2^24
  bool bias = true;  ///< whether there is b
  Storage storage = Storage::f32;
};

/// y = x W^T + b, position by position.
///
/// Parameters: weight [outputs, inputs], bias [outputs].
template <class Scalar>
class Linear : public Module<Linear<Scalar>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit Linear(const LinearConfig& config)
      : weight_(checked(config).outputs, config.inputs, config.storage),
        bias_(config.bias ? config.outputs : 0) {}

  /// x [tokens, inputs], y [tokens, outputs], which do not overlap. Throws Error(shape_mismatch).
  void operator()(Rows<Scalar> x, Context& context, MatrixView<Scalar> y) const {
    expect_shape(x.values(), x.tokens(), inputs(), "Linear: x");
    expect_shape(y, x.tokens(), outputs(), "Linear: y");
    kernels::matmul(context, x, weight_, bias_.size() > 0 ? bias_.data() : nullptr, y);
  }

  Index inputs() const { return weight_.inputs(); }
  Index outputs() const { return weight_.outputs(); }
  const WeightMatrix<Scalar>& weight() const { return weight_; }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    visitor(prefix + "weight", self.weight_);
    if (self.bias_.size() > 0) visitor(prefix + "bias", self.bias_);
  }

 private:
  static const LinearConfig& checked(const LinearConfig& config) {
    expect_range(config.inputs, 1, most_features, "LinearConfig.inputs");
    expect_range(config.outputs, 1, most_features, "LinearConfig.outputs");
    return config;
  }

  WeightMatrix<Scalar> weight_;  // [outputs, inputs]
  Vector<Scalar> bias_;          // [outputs], or empty
};

#if !EIGENFORMER_DEFINES(EIGENFORMER_PART_LAYERS)
extern template class Linear<float>;
#endif

}  // namespace eigenformer::inline v0
