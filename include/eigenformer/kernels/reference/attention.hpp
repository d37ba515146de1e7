// SPDX-License-Identifier: MIT
/// softmax(Q K^T / sqrt(d_head)) V by an online softmax (Milakov and Gimelshein, "Online normalizer
/// calculation for softmax", 2018), the definition.
#pragma once

#include <algorithm>
#include <cmath>

#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/reference/math.hpp"
#include "eigenformer/kernels/reference/reduction.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

inline void pack_block(const BlockPacking& p) {
  std::fill(p.block, p.block + block_floats(p.d_head), 0.0f);
  float* const values = p.block + p.d_head * lanes;
  for (Index k = 0; k < p.count; ++k) {
    for (Index d = 0; d < p.d_head; ++d) {
      p.block[d * lanes + k] = p.keys[k * p.key_stride + d];
      values[k * round_up(p.d_head, lanes) + d] = p.values[k * p.value_stride + d];
    }
  }
}

/// (scale q) k, fused, features ascending; then + bias.
inline float attention_score(const AttentionTile& tile, Index q, Index key) {
  const float* const query = tile.query + q * tile.query_stride;
  const float* const panel = tile.blocks[key / lanes] + key % lanes;
  float score = 0.0f;
  for (Index d = 0; d < tile.d_head; ++d) {
    score = std::fma(query[d] * tile.scale, panel[d * lanes], score);
  }
  return tile.bias ? score + tile.bias[key - (tile.first_position + q)] : score;
}

/// What a query has gathered from the tiles so far.
struct OnlineSoftmax {
  float max = -__builtin_huge_valf();
  float sum[lanes] = {};   ///< of exp(score - max), by key modulo 16
  float* weighted_values;  ///< [d_head], sums of exp(score - max) value
};

/// Adds the keys [begin, end) of one tile to what query q has gathered.
inline void attend_tile(const AttentionTile& tile, Index q, Index begin, Index end,
                        OnlineSoftmax& state) {
  const Index first = begin / tile_keys * tile_keys;
  float score[tile_keys], weight[tile_keys] = {};
  for (float& value : score) value = -__builtin_huge_valf();
  for (Index key = begin; key < end; ++key) score[key - first] = attention_score(tile, q, key);
  const float max = larger(maximum(score, tile_keys), state.max);
  for (Index key = begin; key < end; ++key) weight[key - first] = exp(score[key - first] - max);

  const float correction = max != state.max ? exp(state.max - max) : 1.0f;
  state.max = max;
  for (Index k = 0; k < lanes; ++k) state.sum[k] = std::fma(state.sum[k], correction, weight[k]);
  for (Index k = lanes; k < tile_keys; ++k) state.sum[k % lanes] += weight[k];
  for (Index d = 0; d < tile.d_head; ++d) state.weighted_values[d] *= correction;
  for (Index key = begin; key < end; ++key) {
    const float* const value =
        tile.blocks[key / lanes] + tile.d_head * lanes + key % lanes * round_up(tile.d_head, lanes);
    for (Index d = 0; d < tile.d_head; ++d) {
      state.weighted_values[d] = std::fma(weight[key - first], value[d], state.weighted_values[d]);
    }
  }
}

inline void attention(const AttentionTile& tile) {
  for (Index q = 0; q < tile.queries; ++q) {
    OnlineSoftmax state;
    state.weighted_values = tile.scratch;
    std::fill(state.weighted_values, state.weighted_values + tile.d_head, 0.0f);
    const Index keys_begin = tile.keys_begin(q), keys_end = tile.keys_end(q);
    for (Index begin = keys_begin; begin < keys_end;) {
      const Index end = std::min(keys_end, begin / tile_keys * tile_keys + tile_keys);
      attend_tile(tile, q, begin, end, state);
      begin = end;
    }
    const float sum = tree_sum(state.sum);
    const float inverse = keys_begin < keys_end ? 1.0f / sum : 0.0f;
    for (Index d = 0; d < tile.d_head; ++d) {
      tile.out[q * tile.out_stride + d] = state.weighted_values[d] * inverse;
    }
    if (tile.statistics) tile.statistics[q] = {state.max, sum};
  }
}

/// The weights [queries, keys] that `attention` gave to the keys, from its statistics: for
/// watchers.
inline void attention_weights(const AttentionTile& tile, double* weights) {
  for (Index q = 0; q < tile.queries; ++q) {
    const AttentionStatistics& statistics = tile.statistics[q];
    const Index begin = tile.keys_begin(q), end = tile.keys_end(q);
    for (Index key = 0; key < tile.keys; ++key) {
      const bool seen = begin <= key && key < end;
      weights[q * tile.keys + key] =
          seen ? exp(attention_score(tile, q, key) - statistics.max) * (1.0f / statistics.sum)
               : 0.0f;
    }
  }
}

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
