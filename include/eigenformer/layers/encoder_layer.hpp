// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/layers/transformer_config.hpp"
#include "eigenformer/layers/wiring.hpp"

namespace eigenformer::inline v0 {

/// One block of a Transformer encoder: self-attention, then the feed-forward network, each with add
/// and norm. Vaswani et al., section 3.1.
///
/// Parameters: self_attention's, self_attention_residual's, feed_forward's,
/// feed_forward_residual's.
template <class Scalar, class Wiring = PostNorm>
class EncoderLayer : public Module<EncoderLayer<Scalar, Wiring>, Scalar> {
 public:
  static constexpr AttentionKind stack = AttentionKind::encoder;

  /// `layer` is its number in its stack: where its keys are in a cache, and what observers are
  /// told. Throws Error(invalid_argument).
  explicit EncoderLayer(const TransformerConfig& config, Index layer = 0)
      : self_attention_(config.attention(config.encoder_scope, {AttentionKind::encoder, layer})),
        self_attention_residual_(config.norm()),
        feed_forward_(config.feed_forward()),
        feed_forward_residual_(config.norm()) {}

  /// x [tokens, d_model] is replaced by the block's output. Throws Error(shape_mismatch).
  void forward(MatrixView<Scalar> x, const Batch& batch, Context& context) const {
    self_attention_residual_(x, context, [&](Rows<Scalar> in, MatrixView<Scalar> out) {
      self_attention_(in, batch, context, out);
    });
    feed_forward_residual_(x, context, [&](Rows<Scalar> in, MatrixView<Scalar> out) {
      feed_forward_(in, context, out);
    });
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    self.self_attention_.visit(self.self_attention_, prefix + "self_attention.", visitor);
    self.self_attention_residual_.visit(self.self_attention_residual_,
                                        prefix + "self_attention_residual.", visitor);
    self.feed_forward_.visit(self.feed_forward_, prefix + "feed_forward.", visitor);
    self.feed_forward_residual_.visit(self.feed_forward_residual_,
                                      prefix + "feed_forward_residual.", visitor);
  }

 private:
  using Residual = typename Wiring::template Residual<Scalar>;

  MultiHeadAttention<Scalar> self_attention_;
  Residual self_attention_residual_;
  typename Wiring::template FeedForward<Scalar> feed_forward_;
  Residual feed_forward_residual_;
};

#if !EIGENFORMER_DEFINES(EIGENFORMER_PART_LAYERS)
extern template class EncoderLayer<float, PostNorm>;
extern template class EncoderLayer<float, PreNorm>;
#endif

}  // namespace eigenformer::inline v0
