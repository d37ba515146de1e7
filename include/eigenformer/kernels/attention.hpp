// SPDX-License-Identifier: MIT
/// Attention of all heads of a ragged batch: softmax(Q K^T / sqrt(d_head)) V, for each sequence and
/// head on its own. Vaswani et al., "Attention is all you need" (2017), section 3.2.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>

#include "eigenformer/core/attention_scope.hpp"
#include "eigenformer/core/batch.hpp"
#include "eigenformer/core/context.hpp"
#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/reference/attention.hpp"

namespace eigenformer::inline v0 {
namespace kernels {

/// What attention reads. Heads are neighbouring columns; `heads` / `kv_heads` query heads share a
/// key/value head.
template <class Scalar>
struct Attention {
  MatrixView<const Scalar> queries;  ///< [query tokens, heads * d_head]
  MatrixView<const Scalar> keys;     ///< [key tokens, kv_heads * d_head]
  MatrixView<const Scalar> values;   ///< [key tokens, kv_heads * d_head]
  const Batch& query_batch;
  const Batch& key_batch;  ///< as many sequences
  Index heads;             ///< a multiple of kv_heads
  Index kv_heads;
  /// Positions are aligned at the sequences' ends: the last query stands at the last key.
  AttentionScope scope = AttentionScope::all();
  Scalar scale;  ///< 1 / sqrt(d_head) in the paper
  /// Added to the scores: [heads, 2 distance + 1], column distance + key position - query position;
  /// distance at least the longest sequence's length - 1. Empty: none.
  MatrixView<const Scalar> relative_bias = {};
  AttentionPlace place = {};  ///< for an observer

  Index d_head() const { return queries.cols() / heads; }
  Index kv_head(Index head) const { return head / (heads / kv_heads); }
  Index first_position(Index sequence) const {
    return key_batch.length(sequence) - query_batch.length(sequence);
  }
  /// The bias of a head, so that [key position - query position] is its element; or nullptr.
  const Scalar* bias(Index head) const {
    return relative_bias.empty() ? nullptr : relative_bias.row(head) + relative_bias.cols() / 2;
  }
};

/// A sequence's keys and values in blocks of 16, one list of blocks for each key/value head.
class KeyValueBlocks {
 public:
  KeyValueBlocks(Context& context, const Attention<float>& in, Index sequence)
      : per_head_(divide_up(in.key_batch.length(sequence), lanes)),
        pointers_(context.arena().take<const float*>(in.kv_heads * per_head_)) {
    const Index d_head = in.d_head(), floats = block_floats(d_head);
    float* const blocks = context.arena().take<float>(in.kv_heads * per_head_ * floats);
    const Index first = in.key_batch.begin(sequence), keys = in.key_batch.length(sequence);
    const auto pack = context.kernels().pack_block;
    context.executor().run(in.kv_heads, [&](Index head, Index) {
      for (Index b = 0; b < per_head_; ++b) {
        float* const block = blocks + (head * per_head_ + b) * floats;
        const Index token = first + b * lanes;
        pack({in.keys.row(token) + head * d_head, in.keys.stride(),
              in.values.row(token) + head * d_head, in.values.stride(),
              std::min(lanes, keys - b * lanes), d_head, block});
        pointers_[head * per_head_ + b] = block;
      }
    });
  }

  /// ceil(keys / 16) blocks.
  const float* const* of_head(Index kv_head) const { return pointers_ + kv_head * per_head_; }

 private:
  Index per_head_;
  const float** pointers_;
};

/// Tile number `number` of a head: its queries, and where their contexts go.
inline AttentionTile make_tile(const Attention<float>& in, Index sequence, Index head, Index number,
                               MatrixView<float> out) {
  const Index d_head = in.d_head(), first = number * tile_queries;
  const Index row = in.query_batch.begin(sequence) + first;
  AttentionTile tile{};
  tile.query = in.queries.row(row) + head * d_head;
  tile.query_stride = in.queries.stride();
  tile.queries = std::min(tile_queries, in.query_batch.length(sequence) - first);
  tile.d_head = d_head;
  tile.keys = in.key_batch.length(sequence);
  tile.first_position = in.first_position(sequence) + first;
  tile.back = in.scope.back;
  tile.ahead = in.scope.ahead;
  tile.scale = in.scale;
  tile.bias = in.bias(head);
  tile.out = out.row(row) + head * d_head;
  tile.out_stride = out.stride();
  return tile;
}

/// Tells the observer a head's weights, recomputed from its statistics.
inline void report(Context& context, const Attention<float>& in, Index sequence, Index head,
                   const KeyValueBlocks& blocks, const AttentionStatistics* statistics,
                   MatrixView<float> out) {
  const FloatingPointGuard guard;
  const Index queries = in.query_batch.length(sequence), keys = in.key_batch.length(sequence);
  Matrix<double> weights(queries, keys);
  for (Index first = 0; first < queries; first += tile_queries) {
    AttentionTile tile = make_tile(in, sequence, head, first / tile_queries, out);
    tile.blocks = blocks.of_head(in.kv_head(head));
    AttentionStatistics copy[tile_queries];
    std::copy(statistics + first, statistics + first + tile.queries, copy);
    tile.statistics = copy;
    reference::attention_weights(tile, weights.data() + first * keys);
  }
  context.observer()->observe({in.place, head, sequence, weights});
}

/// One sequence: heads x tiles of 48 queries are the tasks.
inline void attend_sequence(Context& context, const Attention<float>& in, Index sequence,
                            MatrixView<float> out) {
  const Index queries = in.query_batch.length(sequence), d_head = in.d_head();
  if (queries == 0) return;
  const Arena::Scope scope(context.arena());
  const KeyValueBlocks blocks(context, in, sequence);
  const Index tiles = divide_up(queries, tile_queries), scratch_size = attention_scratch(d_head);
  float* const scratch = context.arena().take<float>(scratch_size * context.executor().workers());
  AttentionStatistics* const statistics =
      context.observer() ? context.arena().take<AttentionStatistics>(in.heads * queries) : nullptr;
  context.executor().run(in.heads * tiles, [&](Index task, Index worker) {
    const FloatingPointGuard guard;
    const Index head = task / tiles, number = task % tiles;
    AttentionTile tile = make_tile(in, sequence, head, number, out);
    tile.blocks = blocks.of_head(in.kv_head(head));
    tile.scratch = scratch + worker * scratch_size;
    if (statistics) tile.statistics = statistics + head * queries + number * tile_queries;
    context.kernels().attention(tile);
  });
  for (Index head = 0; statistics && head < in.heads; ++head) {
    if (!context.observer()->wants(in.place, head)) continue;
    report(context, in, sequence, head, blocks, statistics + head * queries, out);
  }
}

/// out [query tokens, heads * d_head].
inline void attention(Context& context, const Attention<float>& in, MatrixView<float> out) {
  for (Index sequence = 0; sequence < in.query_batch.sequences(); ++sequence) {
    attend_sequence(context, in, sequence, out);
  }
}

/// The textbook's form, for the oracle: all scores, then softmax, then values.
template <std::same_as<double> Double>
void attention(Context& context, const Attention<Double>& in, MatrixView<Double> out) {
  const Index d_head = in.d_head();
  for (Index task = 0; task < in.query_batch.sequences() * in.heads; ++task) {
    const Index sequence = task / in.heads, head = task % in.heads;
    const Index queries = in.query_batch.length(sequence), keys = in.key_batch.length(sequence);
    const auto of = [&](MatrixView<const double> matrix, const Batch& batch, Index h) {
      return as_eigen(matrix.middle_rows(batch.begin(sequence), batch.length(sequence))
                          .middle_cols(h * d_head, d_head));
    };
    const auto key = of(in.keys, in.key_batch, in.kv_head(head));
    Matrix<double> weights = of(in.queries, in.query_batch, head) * key.transpose() * in.scale;
    for (Index q = 0; q < queries; ++q) {
      const Index position = in.first_position(sequence) + q;
      const Index begin = in.scope.begin(position), end = in.scope.end(position, keys);
      double max = -HUGE_VAL, sum = 0;
      for (Index k = 0; k < keys; ++k) {
        double& score = weights(q, k);
        score = begin <= k && k < end ? score : -HUGE_VAL;
        if (in.bias(head) && begin <= k && k < end) score += in.bias(head)[k - position];
        max = std::max(max, score);
      }
      for (Index k = 0; k < keys; ++k) {
        weights(q, k) = begin < end ? std::exp(weights(q, k) - max) : 0.0;
        sum += weights(q, k);
      }
      if (begin < end) weights.row(q) /= sum;
    }
    as_eigen(out.middle_rows(in.query_batch.begin(sequence), queries)
                 .middle_cols(head * d_head, d_head)) =
        weights * of(in.values, in.key_batch, in.kv_head(head));
    if (context.observer() && context.observer()->wants(in.place, head)) {
      context.observer()->observe({in.place, head, sequence, weights});
    }
  }
}

}  // namespace kernels
}  // namespace eigenformer::inline v0
