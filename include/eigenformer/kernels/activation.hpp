// SPDX-License-Identifier: MIT
/// The activation functions by name.
#pragma once

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {

enum class Activation {
  relu,        ///< 0 > x ? 0 : x: a NaN stays one, and -0 is -0, as in torch
  gelu,        ///< x Phi(x), Phi the normal distribution's, through erf
  gelu_tanh,   ///< the approximation of gelu with tanh: GPT-2's "gelu_new"
  quick_gelu,  ///< x sigmoid(1.702 x)
  silu,        ///< x sigmoid(x), also called swish
  sigmoid,     ///< 1 / (1 + exp(-x))
  tanh,
};
inline constexpr int activations = 7;

constexpr const char* name(Activation activation) {
  switch (activation) {
    case Activation::relu: return "relu";
    case Activation::gelu: return "gelu";
    case Activation::gelu_tanh: return "gelu_tanh";
    case Activation::quick_gelu: return "quick_gelu";
    case Activation::silu: return "silu";
    case Activation::sigmoid: return "sigmoid";
    case Activation::tanh: return "tanh";
  }
  return "unknown";
}

}  // namespace eigenformer::inline v0
