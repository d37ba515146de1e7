// SPDX-License-Identifier: MIT
/// Add and norm, in its three orders. Each is called with a sub-layer, sublayer(in, out), and
/// replaces x [tokens, features] by its output.
#pragma once

#include "eigenformer/layers/layer_norm.hpp"
#include "eigenformer/layers/rms_norm.hpp"

namespace eigenformer::inline v0 {

/// x = norm(x + sublayer(x)): the paper's.
///
/// Parameters: norm's.
template <class Scalar, template <class> class Norm = LayerNorm>
class ResidualNormAfter : public Module<ResidualNormAfter<Scalar, Norm>, Scalar> {
 public:
  explicit ResidualNormAfter(const NormConfig& config) : norm_(config) {}

  template <class Sublayer>
  void operator()(MatrixView<Scalar> x, Context& context, Sublayer sublayer) const {
    const Arena::Scope scope(context.arena());
    const auto y = context.arena().matrix<Scalar>(x.rows(), x.cols());
    sublayer(Rows<Scalar>(x), y);
    kernels::add(context, y, x);
    norm_(x, context, x);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    Norm<Scalar>::visit(self.norm_, prefix + "norm.", visitor);
  }

 private:
  Norm<Scalar> norm_;
};

/// x = x + sublayer(norm(x)): what most models since 2019 do.
///
/// Parameters: norm's.
template <class Scalar, template <class> class Norm = LayerNorm>
class ResidualNormBefore : public Module<ResidualNormBefore<Scalar, Norm>, Scalar> {
 public:
  explicit ResidualNormBefore(const NormConfig& config) : norm_(config) {}

  template <class Sublayer>
  void operator()(MatrixView<Scalar> x, Context& context, Sublayer sublayer) const {
    const Arena::Scope scope(context.arena());
    const auto in = context.arena().matrix<Scalar>(x.rows(), x.cols());
    const auto y = context.arena().matrix<Scalar>(x.rows(), x.cols());
    norm_(x, context, in);
    sublayer(Rows<Scalar>(in), y);
    kernels::add(context, y, x);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    Norm<Scalar>::visit(self.norm_, prefix + "norm.", visitor);
  }

 private:
  Norm<Scalar> norm_;
};

/// x = x + norm_after(sublayer(norm_before(x))): Gemma 2's.
///
/// Parameters: norm_before's and norm_after's.
template <class Scalar, template <class> class Norm = LayerNorm>
class ResidualNormAround : public Module<ResidualNormAround<Scalar, Norm>, Scalar> {
 public:
  explicit ResidualNormAround(const NormConfig& config)
      : norm_before_(config), norm_after_(config) {}

  template <class Sublayer>
  void operator()(MatrixView<Scalar> x, Context& context, Sublayer sublayer) const {
    const Arena::Scope scope(context.arena());
    const auto in = context.arena().matrix<Scalar>(x.rows(), x.cols());
    const auto y = context.arena().matrix<Scalar>(x.rows(), x.cols());
    norm_before_(x, context, in);
    sublayer(Rows<Scalar>(in), y);
    norm_after_(y, context, y);
    kernels::add(context, y, x);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    Norm<Scalar>::visit(self.norm_before_, prefix + "norm_before.", visitor);
    Norm<Scalar>::visit(self.norm_after_, prefix + "norm_after.", visitor);
  }

 private:
  Norm<Scalar> norm_before_, norm_after_;
};

}  // namespace eigenformer::inline v0
