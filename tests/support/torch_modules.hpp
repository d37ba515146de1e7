// SPDX-License-Identifier: MIT
/// The fixtures of tools/record_torch.py as configs of ours.
#pragma once

#include "eigenformer/architectures/bind.hpp"
#include "eigenformer/architectures/torch_names.hpp"
#include "eigenformer/layers/stack.hpp"
#include "support/golden.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {

/// What the constructors of torch's layers have in common.
inline TransformerConfig torch_layer_config(const io::Json& arguments) {
  TransformerConfig config;
  config.d_model = arguments.at("d_model").integer();
  config.heads = arguments.at("nhead").integer();
  config.d_ff = arguments.at("dim_feedforward").integer();
  config.activation =
      arguments.at("activation").string() == "gelu" ? Activation::gelu : Activation::relu;
  config.norm_epsilon = arguments.at("layer_norm_eps").number();
  config.bias = arguments.at("bias").boolean();
  return config;
}

/// Names of nn.TransformerEncoder or nn.TransformerDecoder alone.
inline NameTable torch_encoder_names() {
  NameTable names;
  add_torch_encoder(names, "", "");
  return names;
}

}  // namespace eigenformer::test
