// SPDX-License-Identifier: MIT
/// The model of "Attention is all you need" (Vaswani et al., 2017), and state dicts of torch's
/// nn.Transformer with embeddings and a generator around it. docs/vaswani.md has the folder's
/// format.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "eigenformer/architectures/bind.hpp"
#include "eigenformer/architectures/torch_names.hpp"
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/json_value.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/models/transformer.hpp"

namespace eigenformer::inline v0 {

/// What config.json says.
struct VaswaniConfig {
  TransformerConfig transformer;
  bool norm_first = false;  ///< PreNorm's wiring, else PostNorm's
  TokenId bos = 0, eos = 0, pad = 0;
  NameTable names;
};

/// The paper's base model for a vocabulary: 6 + 6 layers, d_model 512, 8 heads, d_ff 2,048, one
/// table for both embeddings and the output.
inline TransformerConfig vaswani_base(Index vocab) {
  TransformerConfig config;
  config.vocab = vocab;
  config.shared_embedding = true;
  config.tied_output = true;
  config.output_bias = false;
  config.embedding_scale = std::sqrt(512.0);
  return config;
}

namespace detail {

inline Activation vaswani_activation(const io::Json& value) {
  if (value.string() == "relu") return Activation::relu;
  if (value.string() == "gelu") return Activation::gelu;
  throw value.error(ErrorCode::unsupported,
                    "expected \"relu\" or \"gelu\", got " + value.description());
}

inline NameTable vaswani_names(const io::Json& tensors, bool tied, std::size_t most_bytes) {
  const auto text = [&](const char* key) {
    const io::Json name = tensors.at(key);
    if (name.string().size() > most_bytes) {
      throw name.expected("at most " + std::to_string(most_bytes) + " bytes");
    }
    return std::string(name.string());
  };
  NameTable names;
  names.rules.push_back({"source_embedding.weight", text("source_embedding")});
  names.rules.push_back({"target_embedding.weight", text("target_embedding")});
  add_torch_encoder(names, "encoder.", text("transformer") + "encoder.");
  add_torch_decoder(names, "decoder.", text("transformer") + "decoder.");
  if (!tied) names.rules.push_back({"output.", text("generator")});
  return names;
}

}  // namespace detail

/// Reads config.json. Throws Error(format) and Error(unsupported) with the place in the file.
inline VaswaniConfig read_vaswani_config(const io::Json& json, const io::LoadLimits& limits = {}) {
  const FloatingPointGuard guard;
  if (json.at("model_type").string() != "vaswani") {
    throw json.at("model_type").expected("\"vaswani\"");
  }
  VaswaniConfig config;
  TransformerConfig& t = config.transformer;
  t.d_model = json.at("d_model").integer(1, limits.hidden);
  t.heads = json.at("attention_heads").integer(1, limits.heads);
  if (t.d_model % t.heads != 0) throw json.at("attention_heads").expected("a divisor of d_model");
  t.d_ff = json.at("d_ff").integer(1, limits.feed_forward);
  t.encoder_layers = json.at("encoder_layers").integer(1, limits.layers);
  t.decoder_layers = json.at("decoder_layers").integer(1, limits.layers);
  t.activation = detail::vaswani_activation(json.at("activation"));
  t.bias = json.at("bias").boolean();
  t.norm_epsilon = json.at("layer_norm_eps").number(1e-30, 1.0);
  t.final_norm = true;  // nn.Transformer always has one
  t.vocab = json.at("vocab_size").integer(1, limits.vocabulary);
  t.target_vocab = json.at("target_vocab_size").integer(1, limits.vocabulary);
  t.shared_embedding = t.tied_output = json.at("tie_embeddings").boolean();
  if (t.shared_embedding && t.target_vocab != t.vocab) {
    throw json.at("target_vocab_size").expected("vocab_size, because embeddings are tied");
  }
  t.output_bias = !t.tied_output;
  if (json.at("scale_embedding").boolean()) {
    t.embedding_scale = std::sqrt(static_cast<double>(t.d_model));
  }
  t.positions = json.at("max_positions").integer(1, limits.positions);
  if (json.at("positions").string() != "interleaved") {
    throw json.at("positions")
        .error(ErrorCode::unsupported,
               "expected \"interleaved\", got " + json.at("positions").description());
  }
  config.norm_first = json.at("norm_first").boolean();
  config.bos = static_cast<TokenId>(json.at("bos_token_id").integer(0, t.target_vocab - 1));
  config.eos = static_cast<TokenId>(json.at("eos_token_id").integer(0, t.target_vocab - 1));
  config.pad = static_cast<TokenId>(json.at("pad_token_id").integer(0, t.target_vocab - 1));
  config.names = detail::vaswani_names(json.at("tensors"), t.tied_output, limits.tensor_name_bytes);
  return config;
}

/// The model with its weights; Wiring is PreNorm if config.norm_first, else PostNorm. Throws
/// Error(invalid_argument) for the other one, Error(out_of_memory), and what bind() throws.
template <class Scalar, class Wiring>
Transformer<Scalar, Wiring> make_vaswani(const VaswaniConfig& config, const io::Tensors& tensors) {
  if (config.norm_first != std::is_same_v<Wiring, PreNorm>) {
    throw Error(ErrorCode::invalid_argument, std::string("this model needs make_vaswani<Scalar, ") +
                                                 (config.norm_first ? "PreNorm" : "PostNorm") +
                                                 ">");
  }
  expect_size(config.transformer, tensors);
  return io::or_out_of_memory(tensors.file(), [&] {
    Transformer<Scalar, Wiring> model(config.transformer);
    bind(model, tensors, config.names);
    return model;
  });
}

}  // namespace eigenformer::inline v0
