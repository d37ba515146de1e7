// SPDX-License-Identifier: MIT
/// The numbers of a Transformer: everything that a wiring leaves open.
#pragma once

#include "eigenformer/core/attention_scope.hpp"
#include "eigenformer/layers/feed_forward.hpp"
#include "eigenformer/layers/layer_norm.hpp"
#include "eigenformer/layers/multi_head_attention.hpp"
#include "eigenformer/layers/positions.hpp"

namespace eigenformer::inline v0 {

/// The sizes of the paper's base model, where nothing else is said; its sharing, scale and
/// vocabulary are in vaswani_base().
struct TransformerConfig {
  Index d_model = 512;                       ///< features between layers
  Index heads = 8;                           ///< divides d_model, unless d_head is given
  Index kv_heads = 0;                        ///< divides heads; 0: as many as heads
  Index d_head = 0;                          ///< 0: d_model / heads
  Index d_ff = 2048;                         ///< features inside the feed-forward network
  Index decoder_heads = 0;                   ///< 0: as many as heads
  Index decoder_d_ff = 0;                    ///< 0: d_ff
  Index encoder_layers = 6;                  ///< 0 and more
  Index decoder_layers = 6;                  ///< 0 and more
  Activation activation = Activation::relu;  ///< of the feed-forward network
  AttentionScope encoder_scope = AttentionScope::all();     ///< what a source token may see
  AttentionScope decoder_scope = AttentionScope::causal();  ///< what a target token may see
  bool bias = true;                                         ///< of projections and norms
  double norm_epsilon = 1e-5;                               ///< above 0
  bool final_norm = false;        ///< a norm after the last layer of each stack
  Index vocab = 0;                ///< source tokens (and target's, if target_vocab is 0)
  Index target_vocab = 0;         ///< 0: one vocabulary for both
  bool shared_embedding = false;  ///< one table for source and target
  bool tied_output = false;       ///< the output projection is the target's table
  bool output_bias = true;        ///< of the output projection
  double embedding_scale = 1.0;   ///< sqrt(d_model) in the paper
  Index positions = 1024;         ///< the longest sequence
  SinusoidLayout sinusoids = SinusoidLayout::interleaved;
  Storage storage = Storage::f32;  ///< of weight matrices

  /// The part that a norm needs.
  NormConfig norm() const { return {d_model, norm_epsilon, bias}; }
  /// The part that an attention layer needs.
  AttentionConfig attention(AttentionScope scope, AttentionPlace place) const {
    return {d_model, heads, kv_heads, d_head, bias, scope, place, storage};
  }
  /// What a cache keeps for a stack of such layers.
  KeyValueShape key_values(Index layers) const {
    const Index own = d_head > 0 || heads < 1 ? d_head : d_model / heads;
    return {layers, kv_heads > 0 ? kv_heads : heads, own};
  }
  FeedForwardConfig feed_forward() const { return {d_model, d_ff, activation, bias, storage}; }

  /// The same, with the decoder's own sizes in the place of the encoder's.
  TransformerConfig of_decoder() const {
    TransformerConfig config = *this;
    if (decoder_heads > 0) config.heads = decoder_heads;
    if (decoder_d_ff > 0) config.d_ff = decoder_d_ff;
    return config;
  }

  /// Weights that such a model has at least: its matrices, without biases and norms. In double,
  /// which no config overflows; for a look at the size before anything is allocated.
  double least_parameter_count() const {
    const TransformerConfig decoder = of_decoder();
    const auto target = static_cast<double>(target_vocab > 0 ? target_vocab : vocab);
    const double tables =
        static_cast<double>(vocab) + (shared_embedding ? 0 : target) + (tied_output ? 0 : target);
    return static_cast<double>(encoder_layers) * (attention_weights() + network_weights()) +
           static_cast<double>(decoder_layers) *
               (2 * decoder.attention_weights() + decoder.network_weights()) +
           static_cast<double>(d_model) * tables;
  }

 private:
  double attention_weights() const {
    const auto d = static_cast<double>(d_model), queries = static_cast<double>(heads);
    const double head = d_head > 0 ? static_cast<double>(d_head) : d / queries;
    return 2 * d * head * (queries + (kv_heads > 0 ? static_cast<double>(kv_heads) : queries));
  }
  double network_weights() const {
    return 2 * static_cast<double>(d_model) * static_cast<double>(d_ff);
  }
};

}  // namespace eigenformer::inline v0
