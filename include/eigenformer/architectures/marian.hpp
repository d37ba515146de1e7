// SPDX-License-Identifier: MIT
/// MarianMT as transformers runs it: the OPUS-MT models.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "eigenformer/architectures/bind.hpp"
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/json_value.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/models/transformer.hpp"

namespace eigenformer::inline v0 {

/// The paper's Transformer, norm after each residual, with sinusoids in halves.
template <class Scalar>
using Marian = Transformer<Scalar, PostNorm>;

namespace detail {

inline Activation marian_activation(const io::Json& value) {
  if (value.string() == "swish" || value.string() == "silu") return Activation::silu;
  if (value.string() == "relu") return Activation::relu;
  if (value.string() == "gelu") return Activation::gelu;
  throw value.error(ErrorCode::unsupported,
                    R"(expected "swish", "silu", "relu" or "gelu", got )" + value.description());
}

inline bool boolean_or(const io::Json& json, const char* key, bool absent) {
  const auto value = json.find(key);
  return value ? value->boolean() : absent;
}

/// Keys of early configs. transformers' Marian has one wiring, whatever they say: one that says
/// something else wants another model.
inline void expect_marian_wiring(const io::Json& json) {
  struct Key {
    const char* name;
    bool implied;
  };
  for (const Key key : {Key{"normalize_before", false}, Key{"normalize_embedding", false},
                        Key{"add_final_layer_norm", false}, Key{"add_bias_logits", false},
                        Key{"layernorm_embedding", false}, Key{"static_position_embeddings", true},
                        Key{"is_encoder_decoder", true}}) {
    const auto value = json.find(key.name);
    if (!value || value->boolean() == key.implied) continue;
    throw value->error(ErrorCode::unsupported,
                       std::string("expected ") + (key.implied ? "true" : "false") +
                           ", as transformers' Marian has it, got " + value->description());
  }
}

/// The heads of one side, which divide d_model.
inline Index marian_heads(const io::Json& heads, Index d_model, const io::LoadLimits& limits) {
  const Index count = heads.integer(1, limits.heads);
  if (d_model % count != 0) {
    throw heads.expected("a divisor of d_model, " + std::to_string(d_model));
  }
  return count;
}

}  // namespace detail

/// Reads config.json. Throws Error(format) and Error(unsupported) with the place in the file.
inline TransformerConfig read_marian_config(const io::Json& json,
                                            const io::LoadLimits& limits = {}) {
  const FloatingPointGuard guard;
  if (json.at("model_type").string() != "marian")
    throw json.at("model_type").expected("\"marian\"");
  detail::expect_marian_wiring(json);
  TransformerConfig config;
  config.d_model = json.at("d_model").integer(2, limits.hidden);
  config.heads = detail::marian_heads(json.at("encoder_attention_heads"), config.d_model, limits);
  config.decoder_heads =
      detail::marian_heads(json.at("decoder_attention_heads"), config.d_model, limits);
  config.d_ff = json.at("encoder_ffn_dim").integer(1, limits.feed_forward);
  config.decoder_d_ff = json.at("decoder_ffn_dim").integer(1, limits.feed_forward);
  config.encoder_layers = json.at("encoder_layers").integer(1, limits.layers);
  config.decoder_layers = json.at("decoder_layers").integer(1, limits.layers);
  config.activation = detail::marian_activation(json.at("activation_function"));
  config.vocab = config.target_vocab = json.at("vocab_size").integer(1, limits.vocabulary);
  config.shared_embedding = detail::boolean_or(json, "share_encoder_decoder_embeddings", true);
  config.tied_output = detail::boolean_or(json, "tie_word_embeddings", true);
  if (const auto target = json.find("decoder_vocab_size")) {
    config.target_vocab = target->integer(1, limits.vocabulary);
    if (config.shared_embedding && config.target_vocab != config.vocab) {
      throw target->expected("vocab_size, because source and target share their embeddings");
    }
  }
  if (detail::boolean_or(json, "scale_embedding", false)) {
    config.embedding_scale = std::sqrt(static_cast<double>(config.d_model));
  }
  config.positions = json.at("max_position_embeddings").integer(1, limits.positions);
  config.sinusoids = SinusoidLayout::half_split;
  return config;
}

/// The names of a file. Old files have tied tensors again and again, newer ones once: the first of
/// them that is there serves.
inline NameTable marian_names(const TransformerConfig& config, const io::Tensors& tensors) {
  NameTable names;
  const std::string shared = "model.shared.weight", head = "lm_head.weight",
                    source = "model.encoder.embed_tokens.weight",
                    target = "model.decoder.embed_tokens.weight";
  const auto first_of = [&](std::initializer_list<std::string> candidates) {
    for (const std::string& name : candidates) {
      if (tensors.find(name)) return name;
    }
    return *candidates.begin();
  };
  if (config.shared_embedding) {
    names.rules.push_back({"source_embedding.weight", config.tied_output
                                                          ? first_of({shared, source, target, head})
                                                          : first_of({shared, source, target})});
    names.ignored.insert(names.ignored.end(), {shared, source, target});
  } else {
    names.rules.push_back({"source_embedding.weight", source});
    names.rules.push_back(
        {"target_embedding.weight", config.tied_output ? first_of({target, head}) : target});
  }
  if (config.tied_output) {
    names.ignored.insert(names.ignored.end(), {target, head});
  } else {
    names.rules.push_back({"output.weight", head});
  }
  names.rules.push_back(
      {.parameter = "output.bias", .tensor = "final_logits_bias", .as_row = true});
  const auto add = [&](const std::string& ours, const std::string& theirs) {
    for (const std::string stack : {"encoder.", "decoder."}) {
      names.rules.push_back({stack + "layers.*." + ours, "model." + stack + "layers.*." + theirs});
    }
  };
  for (const auto& [ours, theirs] :
       {std::pair<std::string, std::string>{"self_", "self_"}, {"cross_", "encoder_"}}) {
    add(ours + "attention.query.", theirs + "attn.q_proj.");
    add(ours + "attention.key.", theirs + "attn.k_proj.");
    add(ours + "attention.value.", theirs + "attn.v_proj.");
    add(ours + "attention.output.", theirs + "attn.out_proj.");
    add(ours + "attention_residual.norm.", theirs + "attn_layer_norm.");
  }
  add("feed_forward.up.", "fc1.");
  add("feed_forward.down.", "fc2.");
  add("feed_forward_residual.norm.", "final_layer_norm.");
  names.ignored.push_back("model.encoder.embed_positions.weight");
  names.ignored.push_back("model.decoder.embed_positions.weight");
  return names;
}

/// Throws Error(unsupported) where old files store positions that are not the sinusoids, to the
/// precision of half floats.
inline void expect_marian_positions(const io::Tensors& tensors, Index d_model) {
  for (const char* const name :
       {"model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"}) {
    const io::TensorView* const stored = tensors.find(name);
    if (!stored) continue;
    const auto values = io::values<float>(tensors, name);
    const auto rows = static_cast<Index>(values.size()) / d_model;
    bool equal = stored->shape.size() == 2 && stored->shape[1] == d_model;
    if (equal && rows > 0) {
      const SinusoidalPositions<float> sinusoids(
          {.positions = rows, .d_model = d_model, .layout = SinusoidLayout::half_split});
      for (std::size_t i = 0; i < values.size() && equal; ++i) {
        equal = std::abs(values[i] - sinusoids.table().data()[i]) < 1e-3f;
      }
    }
    if (equal) continue;
    throw Error(ErrorCode::unsupported, tensors.file() + ": " + name + ": expected sinusoids of " +
                                            std::to_string(d_model) + " features, got " +
                                            io::text(*stored) + " with other values");
  }
}

/// Throws Error(unsupported) where tensors that the config ties have different values: the
/// reference does not tie such ones.
inline void expect_tied_tensors(const TransformerConfig& config, const io::Tensors& tensors) {
  std::vector<const char*> tied;
  if (config.shared_embedding) {
    tied = {"model.shared.weight", "model.encoder.embed_tokens.weight"};
  }
  if (config.shared_embedding || config.tied_output) {
    tied.push_back("model.decoder.embed_tokens.weight");
  }
  if (config.tied_output) tied.push_back("lm_head.weight");
  const char* first = nullptr;
  for (const char* const name : tied) {
    if (!tensors.find(name)) continue;
    if (first == nullptr) first = name;
    if (same_numbers(tensors, first, name)) continue;
    throw Error(ErrorCode::unsupported, tensors.file() + ": " + name +
                                            ": expected the numbers of the tensors that the config "
                                            "ties it with, got others");
  }
}

/// The model with its weights. Throws Error(out_of_memory), Error(unsupported), and what bind()
/// throws.
template <class Scalar>
Marian<Scalar> make_marian(TransformerConfig config, const io::Tensors& tensors) {
  config.output_bias = tensors.find("final_logits_bias") != nullptr;
  expect_size(config, tensors);
  return io::or_out_of_memory(tensors.file(), [&] {
    expect_marian_positions(tensors, config.d_model);
    expect_tied_tensors(config, tensors);
    Marian<Scalar> model(config);
    bind(model, tensors, marian_names(config, tensors));
    return model;
  });
}

}  // namespace eigenformer::inline v0
