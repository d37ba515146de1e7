// SPDX-License-Identifier: MIT
/// Which keys a query may look at.
#pragma once

#include <algorithm>
#include <limits>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// A band of positions: a query at position p sees the keys at [p - back, p + ahead]. Takes the
/// place of mask matrices.
struct AttentionScope {
  static constexpr Index unlimited = std::numeric_limits<Index>::max() / 4;

  Index back = unlimited;   ///< positions before its own, >= 0
  Index ahead = unlimited;  ///< positions after its own, >= 0

  /// Every key: encoders and cross-attention.
  static constexpr AttentionScope all() { return {}; }
  /// Itself and what came before: decoders.
  static constexpr AttentionScope causal() { return {unlimited, 0}; }
  /// Itself and the `size` - 1 positions before it, size >= 1.
  static constexpr AttentionScope window(Index size) { return {size - 1, 0}; }

  /// The first of `keys` keys that `position` sees.
  constexpr Index begin(Index position) const { return std::max<Index>(0, position - back); }
  /// One past the last of `keys` keys that `position` sees.
  constexpr Index end(Index position, Index keys) const {
    return std::min(keys, position + ahead + 1);
  }

  friend constexpr bool operator==(AttentionScope, AttentionScope) = default;
};

}  // namespace eigenformer::inline v0
