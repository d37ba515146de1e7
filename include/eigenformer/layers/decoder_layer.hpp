// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/layers/transformer_config.hpp"
#include "eigenformer/layers/wiring.hpp"

namespace eigenformer::inline v0 {

/// What a decoder remembers of rows that grow: its own keys and values, and the encoder output's.
/// Every layer has its place in both.
struct DecoderCache {
  KeyValueCache past;
  KeyValueCache memory;
};

inline GrowingPast past_of(DecoderCache& cache) { return {cache.past}; }
inline KnownMemory memory_of(const DecoderCache& cache) { return {cache.memory}; }
template <class Scalar>
NoPast past_of(const Memory<Scalar>&) {
  return {};
}
template <class Scalar>
const Memory<Scalar>& memory_of(const Memory<Scalar>& memory) {
  return memory;
}

/// One block of a Transformer decoder: masked self-attention, attention to the encoder's output,
/// the feed-forward network, each with add and norm. Vaswani et al., section 3.1.
///
/// Parameters: self_attention's, self_attention_residual's, cross_attention's,
/// cross_attention_residual's, feed_forward's, feed_forward_residual's.
template <class Scalar, class Wiring = PostNorm>
class DecoderLayer : public Module<DecoderLayer<Scalar, Wiring>, Scalar> {
 public:
  static constexpr AttentionKind stack = AttentionKind::decoder;

  /// `layer` is its number in its stack: where its keys are in a cache, and what observers are
  /// told. Throws Error(invalid_argument).
  explicit DecoderLayer(const TransformerConfig& config, Index layer = 0)
      : self_attention_(config.attention(config.decoder_scope, {AttentionKind::decoder, layer})),
        self_attention_residual_(config.norm()),
        cross_attention_(config.attention(AttentionScope::all(), {AttentionKind::cross, layer})),
        cross_attention_residual_(config.norm()),
        feed_forward_(config.feed_forward()),
        feed_forward_residual_(config.norm()) {}

  /// x [tokens, d_model] is replaced by the block's output. Throws Error(shape_mismatch).
  void forward(MatrixView<Scalar> x, const Batch& batch, const Memory<Scalar>& memory,
               Context& context) const {
    run(x, batch, memory, context);
  }
  /// The same for rows that grow: x are their new tokens.
  void forward(MatrixView<Scalar> x, const Batch& batch, DecoderCache& cache,
               Context& context) const {
    run(x, batch, cache, context);
  }

  /// Keys and values of the encoder's output into cache.memory.
  void remember(const Memory<Scalar>& memory, DecoderCache& cache, Context& context) const {
    cross_attention_.remember(memory, cache.memory, context);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    self.self_attention_.visit(self.self_attention_, prefix + "self_attention.", visitor);
    self.self_attention_residual_.visit(self.self_attention_residual_,
                                        prefix + "self_attention_residual.", visitor);
    self.cross_attention_.visit(self.cross_attention_, prefix + "cross_attention.", visitor);
    self.cross_attention_residual_.visit(self.cross_attention_residual_,
                                         prefix + "cross_attention_residual.", visitor);
    self.feed_forward_.visit(self.feed_forward_, prefix + "feed_forward.", visitor);
    self.feed_forward_residual_.visit(self.feed_forward_residual_,
                                      prefix + "feed_forward_residual.", visitor);
  }

 private:
  /// `sources`: what the block looks at besides x, a Memory or a DecoderCache.
  template <class Sources>
  void run(MatrixView<Scalar> x, const Batch& batch, Sources& sources, Context& context) const {
    self_attention_residual_(x, context, [&](Rows<Scalar> in, MatrixView<Scalar> out) {
      self_attention_(in, batch, past_of(sources), context, out);
    });
    cross_attention_residual_(x, context, [&](Rows<Scalar> in, MatrixView<Scalar> out) {
      cross_attention_(in, batch, memory_of(sources), context, out);
    });
    feed_forward_residual_(x, context, [&](Rows<Scalar> in, MatrixView<Scalar> out) {
      feed_forward_(in, context, out);
    });
  }

  using Residual = typename Wiring::template Residual<Scalar>;

  MultiHeadAttention<Scalar> self_attention_;
  Residual self_attention_residual_;
  MultiHeadAttention<Scalar> cross_attention_;
  Residual cross_attention_residual_;
  typename Wiring::template FeedForward<Scalar> feed_forward_;
  Residual feed_forward_residual_;
};

#if !EIGENFORMER_DEFINES(EIGENFORMER_PART_LAYERS)
extern template class DecoderLayer<float, PostNorm>;
extern template class DecoderLayer<float, PreNorm>;
#endif

}  // namespace eigenformer::inline v0
