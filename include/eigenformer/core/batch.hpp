// SPDX-License-Identifier: MIT
/// A ragged batch: the tokens of all its sequences stacked, and where each sequence begins.
#pragma once

#include <initializer_list>
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

  /// One more sequence, of `length` >= 0 tokens; throws Error(invalid_argument).
  void add(Index length) {
    if (length < 0) {
      throw Error(ErrorCode::invalid_argument,
                  "Batch: expected a length of 0 or more, got " + std::to_string(length));
    }
    offsets_.push_back(tokens() + length);
  }

  Index sequences() const { return static_cast<Index>(offsets_.size()) - 1; }
  Index tokens() const { return offsets_.back(); }
  Index begin(Index sequence) const { return offset(sequence); }
  Index end(Index sequence) const { return offset(sequence + 1); }
  Index length(Index sequence) const { return end(sequence) - begin(sequence); }

 private:
  Index offset(Index i) const {
    EIGENFORMER_ASSERT(i >= 0 && i < static_cast<Index>(offsets_.size()));
    return offsets_[static_cast<std::size_t>(i)];
  }

  std::vector<Index> offsets_{0};
};

}  // namespace eigenformer::inline v0
