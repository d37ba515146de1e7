// SPDX-License-Identifier: MIT
/// A ragged batch: the tokens of all its sequences stacked, and where each sequence begins.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// The lengths of stacked sequences: sequence s has the rows [begin(s), end(s)) of every activation
/// matrix [tokens, features]. No padding, so a sequence's numbers can't depend on its neighbours'.
class Batch {
 public:
  Batch() = default;
  /// One sequence.
  explicit Batch(Index length) { add(length); }
  /// Several sequences.
  explicit Batch(std::initializer_list<Index> lengths) {
    for (const Index length : lengths) add(length);
  }

  /// As many as there are lengths.
  explicit Batch(std::span<const Index> lengths) {
    for (const Index length : lengths) add(length);
  }

  /// One more sequence, of `length` >= 0 tokens; throws Error(invalid_argument).
  void add(Index length) {
    if (length < 0) {
      throw Error(ErrorCode::invalid_argument,
                  "Batch: expected a length of 0 or more, got " + std::to_string(length));
    }
    if (length > most_tokens - tokens()) {
      throw Error(ErrorCode::invalid_argument, "Batch: more than 2^56 tokens");
    }
    ends_.push_back(tokens() + length);
  }

  /// No sequences; keeps its memory.
  void clear() { ends_.clear(); }

  Index sequences() const { return static_cast<Index>(ends_.size()); }
  Index tokens() const { return ends_.empty() ? 0 : ends_.back(); }
  Index begin(Index sequence) const { return sequence == 0 ? 0 : end(sequence - 1); }
  Index end(Index sequence) const {
    EIGENFORMER_ASSERT(sequence >= 0 && sequence < sequences());
    return ends_[static_cast<std::size_t>(sequence)];
  }
  Index length(Index sequence) const { return end(sequence) - begin(sequence); }

 private:
  static constexpr Index most_tokens = Index{1} << 56;

  std::vector<Index> ends_;  ///< one past each sequence's last row
};

}  // namespace eigenformer::inline v0
