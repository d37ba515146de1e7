// SPDX-License-Identifier: MIT
/// Work of uneven length, filled into batches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// Fewer tokens are no batch worth having, where there are more.
inline constexpr Index small_batch = 256;

/// Indices into `lengths`, longest first, in batches of at most `tokens` in all; what is longer by
/// itself is alone. Equal lengths stay in order. For several threads, which take one batch after
/// the other, there is one for each, and towards the end batches get smaller: no thread is left
/// with a long one.
inline std::vector<std::vector<std::size_t>> batches_by_tokens(std::span<const Index> lengths,
                                                               Index tokens, Index threads = 1) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<std::size_t>> batches;
  Index rest = std::accumulate(lengths.begin(), lengths.end(), Index{0});
  const Index least = std::min(small_batch, rest / threads + 1);
  Index filled = 0, limit = 0;
  for (const std::size_t i : order) {
    if (batches.empty() || filled + lengths[i] > limit) {
      batches.emplace_back();
      filled = 0;
      limit = threads == 1 ? tokens : std::min(tokens, std::max(rest / (2 * threads), least));
    }
    batches.back().push_back(i);
    filled += lengths[i];
    rest -= lengths[i];
  }
  return batches;
}

}  // namespace eigenformer::inline v0
