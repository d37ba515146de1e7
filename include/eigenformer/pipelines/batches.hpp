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

/// Indices into `lengths`, longest first, in batches of at most `tokens` in all; what is longer by
/// itself is alone. Equal lengths stay in order.
inline std::vector<std::vector<std::size_t>> batches_by_tokens(std::span<const Index> lengths,
                                                               Index tokens) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<std::size_t>> batches;
  Index filled = 0;
  for (const std::size_t i : order) {
    if (batches.empty() || filled + lengths[i] > tokens) {
      batches.emplace_back();
      filled = 0;
    }
    batches.back().push_back(i);
    filled += lengths[i];
  }
  return batches;
}

}  // namespace eigenformer::inline v0
