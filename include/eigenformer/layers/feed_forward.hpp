// SPDX-License-Identifier: MIT
/// The position-wise feed-forward network, plain and gated.
#pragma once

#include "eigenformer/layers/linear.hpp"

namespace eigenformer::inline v0 {

struct FeedForwardConfig {
  Index d_model;  ///< features in and out
  Index d_ff;     ///< features between
  Activation activation = Activation::relu;
  bool bias = true;
  Storage storage = Storage::f32;
};

/// FFN(x) = activation(x W_1 + b_1) W_2 + b_2. Vaswani et al., section 3.3.
///
/// Parameters: up.weight [d_ff, d_model], down.weight [d_model, d_ff], and their biases.
template <class Scalar>
class FeedForward : public Module<FeedForward<Scalar>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit FeedForward(const FeedForwardConfig& config)
      : activation_(config.activation),
        up_({config.d_model, config.d_ff, config.bias, config.storage}),
        down_({config.d_ff, config.d_model, config.bias, config.storage}) {}

  /// x and y [tokens, d_model]. Throws Error(shape_mismatch).
  void operator()(Rows<Scalar> x, Context& context, MatrixView<Scalar> y) const {
    const Profile::Scope scope(context.profile(), {"feed-forward"});
    const Arena::Scope arena_scope(context.arena());
    const auto hidden = context.arena().matrix<Scalar>(x.tokens(), up_.outputs());
    up_(x, context, hidden);
    kernels::activate(context, activation_, hidden);
    down_(hidden, context, y);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    Linear<Scalar>::visit(self.up_, prefix + "up.", visitor);
    Linear<Scalar>::visit(self.down_, prefix + "down.", visitor);
  }

 private:
  Activation activation_;
  Linear<Scalar> up_;    // [d_ff, d_model]
  Linear<Scalar> down_;  // [d_model, d_ff]
};

/// FFN(x) = (activation(x W_gate) * (x W_up)) W_down, with or without biases. Shazeer: "GLU
/// variants improve Transformer" (2020).
///
/// Parameters: gate.weight and up.weight [d_ff, d_model], down.weight [d_model, d_ff], and their
/// biases.
template <class Scalar>
class GatedFeedForward : public Module<GatedFeedForward<Scalar>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit GatedFeedForward(const FeedForwardConfig& config)
      : activation_(config.activation),
        gate_({config.d_model, config.d_ff, config.bias, config.storage}),
        up_({config.d_model, config.d_ff, config.bias, config.storage}),
        down_({config.d_ff, config.d_model, config.bias, config.storage}) {}

  /// x and y [tokens, d_model]. Throws Error(shape_mismatch).
  void operator()(Rows<Scalar> x, Context& context, MatrixView<Scalar> y) const {
    const Profile::Scope scope(context.profile(), {"feed-forward"});
    const Arena::Scope arena_scope(context.arena());
    const auto gate = context.arena().matrix<Scalar>(x.tokens(), gate_.outputs());
    const auto hidden = context.arena().matrix<Scalar>(x.tokens(), up_.outputs());
    const Rows<Scalar> in = kernels::with_twin(context, x, gate_.weight().storage());
    gate_(in, context, gate);
    up_(in, context, hidden);
    kernels::activate(context, activation_, gate);
    kernels::multiply(context, gate, hidden);
    down_(hidden, context, y);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    Linear<Scalar>::visit(self.gate_, prefix + "gate.", visitor);
    Linear<Scalar>::visit(self.up_, prefix + "up.", visitor);
    Linear<Scalar>::visit(self.down_, prefix + "down.", visitor);
  }

 private:
  Activation activation_;
  Linear<Scalar> gate_;  // [d_ff, d_model]
  Linear<Scalar> up_;    // [d_ff, d_model]
  Linear<Scalar> down_;  // [d_model, d_ff]
};

#if !EIGENFORMER_DEFINES(EIGENFORMER_PART_LAYERS)
extern template class FeedForward<float>;
extern template class GatedFeedForward<float>;
#endif

}  // namespace eigenformer::inline v0
