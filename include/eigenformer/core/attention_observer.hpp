// SPDX-License-Identifier: MIT
/// Watching a model from the side: attention weights are recomputed for the watcher, hidden states
/// are shown as they pass, and nothing that is computed anyway changes by a bit.
#pragma once

#include "eigenformer/core/matrix_view.hpp"

namespace eigenformer::inline v0 {

enum class AttentionKind { encoder, decoder, cross };

constexpr const char* name(AttentionKind kind) {
  switch (kind) {
    case AttentionKind::encoder: return "encoder";
    case AttentionKind::decoder: return "decoder";
    case AttentionKind::cross: return "cross";
  }
  return "unknown";
}

/// Where in a model an attention layer stands.
struct AttentionPlace {
  AttentionKind kind = AttentionKind::encoder;
  Index layer = 0;  ///< from 0, in its own stack

  friend constexpr bool operator==(AttentionPlace, AttentionPlace) = default;
};

/// What an observer is told.
struct AttentionRecord {
  AttentionPlace place;
  Index head;
  Index sequence;                    ///< in its batch
  MatrixView<const double> weights;  ///< [queries, keys], rows sum to 1, 0 where nothing is seen
};

/// The hidden states between two blocks of a stack.
struct StatesRecord {
  AttentionKind stack;              ///< encoder or decoder
  Index layer;                      ///< 0: what enters the stack; L: what block L gives, from 1
  MatrixView<const double> states;  ///< [tokens, d_model]; the last after the final norm
};

class AttentionObserver {
 public:
  virtual ~AttentionObserver() = default;
  /// Whether this head is worth the recomputation.
  virtual bool wants(AttentionPlace place, Index head) const = 0;
  /// Called on the thread that runs the layer, sequence by sequence, head by head. The record's
  /// matrix dies with the call.
  virtual void observe(const AttentionRecord& record) = 0;
  /// Whether hidden states are worth a copy.
  virtual bool wants_states() const { return false; }
  /// Called like observe().
  virtual void observe_states(const StatesRecord&) {}
};

}  // namespace eigenformer::inline v0
