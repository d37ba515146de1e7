// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>

#include "eigenformer/layers/embedding.hpp"
#include "eigenformer/layers/output_projection.hpp"
#include "eigenformer/layers/stack.hpp"

namespace eigenformer::inline v0 {

/// The whole of figure 1 of "Attention is all you need": embeddings and positions, encoder,
/// decoder, output projection.
///
/// Parameters: source_embedding's; target_embedding's, unless shared; encoder's, decoder's,
/// output's.
template <class Scalar, class Wiring = PostNorm>
class Transformer : public Module<Transformer<Scalar, Wiring>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit Transformer(const TransformerConfig& config)
      : target_vocab_(target_vocab(config)),
        longest_(config.positions),
        tied_output_(config.tied_output),
        decoder_keys_(config.of_decoder().key_values(config.decoder_layers)),
        source_embedding_({config.vocab, config.d_model, config.embedding_scale, config.storage}),
        positions_({config.positions, config.d_model, 0, config.sinusoids}),
        encoder_(config),
        decoder_(config),
        output_({config.d_model, target_vocab(config), config.tied_output, config.output_bias, 1.0,
                 config.storage}) {
    if (!config.shared_embedding) {
      target_embedding_.emplace(
          EmbeddingConfig{target_vocab_, config.d_model, config.embedding_scale, config.storage});
    }
    if (config.shared_embedding && target_vocab(config) != config.vocab) {
      throw Error(ErrorCode::invalid_argument,
                  "TransformerConfig: a shared embedding needs one vocabulary, got " +
                      std::to_string(config.vocab) + " and " +
                      std::to_string(target_vocab(config)));
    }
  }

  /// source [batch.tokens()] -> memory [batch.tokens(), d_model]. Throws Error(shape_mismatch),
  /// Error(out_of_range) for ids beyond the vocabulary and sequences beyond the positions.
  void encode(std::span<const TokenId> source, const Batch& batch, Context& context,
              MatrixView<Scalar> memory) const {
    const Profile::Scope scope(context.profile(), {"encoder"});
    source_embedding_(source, context, memory);
    positions_(batch, context, memory);
    encoder_.forward(memory, batch, context);
  }

  /// target [batch.tokens()], shifted right: each sequence begins with the start token. hidden
  /// [batch.tokens(), d_model] tells about the token that follows. Throws like encode().
  void decode(std::span<const TokenId> target, const Batch& batch, const Memory<Scalar>& memory,
              Context& context, MatrixView<Scalar> hidden) const {
    const Profile::Scope scope(context.profile(), {"decoder"});
    target_embedding()(target, context, hidden);
    positions_(batch, context, hidden);
    decoder_.forward(hidden, batch, memory, context);
  }

  /// Rows that grow, one for each sequence of the encoder's output, as yet without tokens. Throws
  /// Error(shape_mismatch).
  DecoderCache remember(const Memory<Scalar>& memory, Context& context) const {
    const Profile::Scope scope(context.profile(), {"memory"});
    DecoderCache cache{{decoder_keys_, context}, {decoder_keys_, context}};
    cache.past.add_rows(memory.batch.sequences());
    decoder_.remember(memory, cache, context);
    return cache;
  }

  /// The next tokens of each row, target [batch.tokens()]; hidden as in the other decode(), bit for
  /// bit what the whole targets give. Throws like encode(); then the cache is as it was.
  void decode(std::span<const TokenId> target, const Batch& batch, DecoderCache& cache,
              Context& context, MatrixView<Scalar> hidden) const {
    expect_range(batch.sequences(), cache.past.rows(), cache.past.rows(),
                 "Transformer: rows of the batch");
    const Profile::Scope scope(context.profile(), {"decoder"});
    const Arena::Scope arena_scope(context.arena());
    Index* const past = context.arena().take<Index>(batch.sequences());
    for (Index row = 0; row < batch.sequences(); ++row) past[row] = cache.past.length(row);
    target_embedding()(target, context, hidden);
    positions_({batch, {past, static_cast<std::size_t>(batch.sequences())}}, context, hidden);
    extend(cache.past, batch, context);
    decoder_.forward(hidden, batch, cache, context);
  }

  /// hidden [tokens, d_model] -> logits [tokens, target vocabulary]. Throws Error(shape_mismatch).
  void project(Rows<Scalar> hidden, Context& context, MatrixView<Scalar> logits) const {
    const Profile::Scope scope(context.profile(), {"output"});
    output_(hidden, output_weight(), context, logits);
  }

  /// hidden [tokens, d_model] -> the best of the logits, without writing them. Throws
  /// Error(shape_mismatch).
  void best(Rows<Scalar> hidden, Context& context, const BestQuery& query,
            const BestAnswer& answer) const {
    const Profile::Scope scope(context.profile(), {"output"});
    output_.best(hidden, output_weight(), context, query, answer);
  }

  Index d_model() const { return source_embedding_.weight().inputs(); }
  Index source_vocab() const { return source_embedding_.weight().outputs(); }
  Index target_vocab() const { return target_vocab_; }
  /// The longest sequence.
  Index longest() const { return longest_; }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    self.source_embedding_.visit(self.source_embedding_, prefix + "source_embedding.", visitor);
    if (self.target_embedding_) {
      self.target_embedding_->visit(*self.target_embedding_, prefix + "target_embedding.", visitor);
    }
    self.positions_.visit(self.positions_, prefix + "positions.", visitor);
    self.encoder_.visit(self.encoder_, prefix + "encoder.", visitor);
    self.decoder_.visit(self.decoder_, prefix + "decoder.", visitor);
    self.output_.visit(self.output_, prefix + "output.", visitor);
  }

 private:
  static Index target_vocab(const TransformerConfig& config) {
    return config.target_vocab != 0 ? config.target_vocab : config.vocab;
  }
  /// Room for a batch's tokens: forked rows get open blocks of their own.
  static void extend(KeyValueCache& past, const Batch& batch, Context& context) {
    const Profile::Scope scope(context.profile(), {"cache extend"});
    past.extend(batch);
  }
  const WeightMatrix<Scalar>& output_weight() const {
    return tied_output_ ? target_embedding().weight() : output_.weight();
  }
  const Embedding<Scalar>& target_embedding() const {
    return target_embedding_ ? *target_embedding_ : source_embedding_;
  }

  Index target_vocab_;
  Index longest_;
  bool tied_output_;
  KeyValueShape decoder_keys_;
  Embedding<Scalar> source_embedding_;
  std::optional<Embedding<Scalar>> target_embedding_;  // unless shared
  typename Wiring::template Positions<Scalar> positions_;
  Encoder<Scalar, Wiring> encoder_;
  Decoder<Scalar, Wiring> decoder_;
  OutputProjection<Scalar> output_;
};

#if !EIGENFORMER_DEFINES(EIGENFORMER_PART_MODELS)
extern template class Transformer<float, PostNorm>;
extern template class Transformer<float, PreNorm>;
#endif

}  // namespace eigenformer::inline v0
