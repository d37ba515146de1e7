// SPDX-License-Identifier: MIT
/// The names of torch.nn's Transformer modules, whose attention joins query, key and value.
#pragma once

#include <string>

#include "eigenformer/architectures/names.hpp"

namespace eigenformer::inline v0 {

/// nn.MultiheadAttention; `ours` and `theirs` are what the names begin with.
inline void add_torch_attention(NameTable& names, const std::string& ours,
                                const std::string& theirs) {
  names.rules.push_back({ours + "query.", theirs + "in_proj_", 0, 3});
  names.rules.push_back({ours + "key.", theirs + "in_proj_", 1, 3});
  names.rules.push_back({ours + "value.", theirs + "in_proj_", 2, 3});
  names.rules.push_back({ours + "output.", theirs + "out_proj."});
}

/// nn.TransformerEncoder.
inline void add_torch_encoder(NameTable& names, const std::string& ours,
                              const std::string& theirs) {
  const std::string our = ours + "layers.*.", their = theirs + "layers.*.";
  add_torch_attention(names, our + "self_attention.", their + "self_attn.");
  names.rules.push_back({our + "self_attention_residual.norm.", their + "norm1."});
  names.rules.push_back({our + "feed_forward.up.", their + "linear1."});
  names.rules.push_back({our + "feed_forward.down.", their + "linear2."});
  names.rules.push_back({our + "feed_forward_residual.norm.", their + "norm2."});
  names.rules.push_back({ours + "final_norm.", theirs + "norm."});
}

/// nn.TransformerDecoder.
inline void add_torch_decoder(NameTable& names, const std::string& ours,
                              const std::string& theirs) {
  const std::string our = ours + "layers.*.", their = theirs + "layers.*.";
  add_torch_attention(names, our + "self_attention.", their + "self_attn.");
  add_torch_attention(names, our + "cross_attention.", their + "multihead_attn.");
  names.rules.push_back({our + "self_attention_residual.norm.", their + "norm1."});
  names.rules.push_back({our + "cross_attention_residual.norm.", their + "norm2."});
  names.rules.push_back({our + "feed_forward.up.", their + "linear1."});
  names.rules.push_back({our + "feed_forward.down.", their + "linear2."});
  names.rules.push_back({our + "feed_forward_residual.norm.", their + "norm3."});
  names.rules.push_back({ours + "final_norm.", theirs + "norm."});
}

}  // namespace eigenformer::inline v0
