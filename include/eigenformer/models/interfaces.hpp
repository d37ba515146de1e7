// SPDX-License-Identifier: MIT
/// What decoding and programs see of a model: nothing of its layers.
#pragma once

#include <memory>
#include <span>

#include "eigenformer/core/batch.hpp"
#include "eigenformer/core/context.hpp"
#include "eigenformer/kernels/best_outputs.hpp"

namespace eigenformer::inline v0 {

/// Rows of tokens that grow. A row's numbers depend on its own tokens alone: not on other rows, nor
/// on the pieces in which its tokens came. One thread at a time; the model and the context outlive
/// it.
class DecodingSession {
 public:
  virtual ~DecodingSession() = default;

  /// The one that the session computes in; its arena and kernels are free between calls.
  virtual Context& context() = 0;
  virtual Index rows() const = 0;
  virtual Index vocab() const = 0;
  /// The most tokens that a row can have.
  virtual Index longest() const = 0;

  /// The next tokens of every row: batch.length(r) >= 1 of them for row r, stacked. Throws
  /// Error(out_of_range) for an id outside the vocabulary and a row that gets too long, and
  /// Error(invalid_argument); then nothing has changed.
  virtual void advance(std::span<const TokenId> tokens, const Batch& batch) = 0;

  /// After each row's last token: logits [rows, vocab] of the token that follows. This and what
  /// follows throw Error(invalid_argument) before the first advance() and for other sizes.
  virtual void logits(MatrixView<float> out) = 0;
  /// The same, without writing them; equal to logits() bit for bit. BestAnswer has the shapes.
  virtual void best(const BestQuery& query, const BestAnswer& answer) = 0;

  /// After every token of the last advance(): log_probabilities[t] of followers[t] to be the next
  /// one; both as many as those tokens.
  virtual void score(std::span<const TokenId> followers, std::span<float> log_probabilities) = 0;

  /// Row r becomes what row parents[r] was; parents.size() is the new number of rows. logits() and
  /// best() answer for their last tokens; score() has to wait for the next advance(). Throws
  /// Error(invalid_argument) for a parent that is no row.
  virtual void reorder(std::span<const Index> parents) = 0;
};

/// A model that reads a source and writes a target. Any number of threads may use one, each with a
/// context of its own.
class SequenceToSequenceModel {
 public:
  virtual ~SequenceToSequenceModel() = default;

  virtual Index d_model() const = 0;
  virtual Index source_vocab() const = 0;
  virtual Index target_vocab() const = 0;
  /// The most tokens that a source or a target can have.
  virtual Index longest() const = 0;

  /// source [batch.tokens()] -> states [batch.tokens(), d_model], the encoder's output. Throws
  /// Error(out_of_range) for an id outside the vocabulary and a sequence that is too long.
  virtual void encode(std::span<const TokenId> source, const Batch& batch, Context& context,
                      MatrixView<float> states) const = 0;

  /// A row, as yet without tokens, for each sequence of an encoder's output, states
  /// [batch.tokens(), d_model]. Throws Error(shape_mismatch). `context` outlives the session.
  virtual std::unique_ptr<DecodingSession> start(MatrixView<const float> states, const Batch& batch,
                                                 Context& context) const = 0;

  /// encode(), then start().
  std::unique_ptr<DecodingSession> start(std::span<const TokenId> source, const Batch& batch,
                                         Context& context) const {
    const Arena::Scope scope(context.arena());
    const auto states = context.arena().matrix<float>(batch.tokens(), d_model());
    encode(source, batch, context, states);
    return start(states, batch, context);
  }
};

}  // namespace eigenformer::inline v0
