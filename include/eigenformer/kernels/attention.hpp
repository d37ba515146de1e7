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
  /// The contract of attention() with an output [rows, cols].
  void check(Index rows, Index cols) const {
    EIGENFORMER_ASSERT(heads > 0 && kv_heads > 0 && heads % kv_heads == 0);
    EIGENFORMER_ASSERT(queries.cols() % heads == 0 && keys.cols() == kv_heads * d_head());
    EIGENFORMER_ASSERT(values.rows() == keys.rows() && values.cols() == keys.cols());
    EIGENFORMER_ASSERT(queries.rows() == query_batch.tokens() && keys.rows() == key_batch.tokens());
    EIGENFORMER_ASSERT(query_batch.sequences() == key_batch.sequences());
    EIGENFORMER_ASSERT(rows == queries.rows() && cols == queries.cols());
    EIGENFORMER_ASSERT(relative_bias.empty() || relative_bias.rows() == heads);
    (void)rows, (void)cols;
  }
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

/// One sequence's attention: heads x tiles of 48 queries are the tasks.
class SequenceAttention {
 public:
  /// Packs keys and values; what it takes from the arena, the caller's scope gives back.
  SequenceAttention(Context& context, const Attention<float>& in, Index sequence,
                    MatrixView<float> out)
      : context_(context),
        in_(in),
        sequence_(sequence),
        queries_(in.query_batch.length(sequence)),
        out_(out),
        blocks_(context, in, sequence) {}

  /// Fills the sequence's rows of out, and tells the observer about them.
  void run() {
    AttentionObserver* const observer = context_.observer();  // it may leave while it is told
    if (observer) {
      statistics_ = context_.arena().take<AttentionStatistics>(in_.heads * queries_);
    }
    const Index tiles = divide_up(queries_, tile_queries);
    const Index scratch_size = attention_scratch(in_.d_head());
    float* const scratch =
        context_.arena().take<float>(scratch_size * context_.executor().workers());
    context_.executor().run(in_.heads * tiles, [&](Index task, Index worker) {
      const FloatingPointGuard guard;
      AttentionTile tile = make_tile(task / tiles, task % tiles * tile_queries);
      tile.scratch = scratch + worker * scratch_size;
      context_.kernels().attention(tile);
    });
    for (Index head = 0; observer && head < in_.heads; ++head) {
      if (observer->wants(in_.place, head)) report(*observer, head);
    }
  }

 private:
  /// Up to 48 queries of a head, from query `first` of the sequence.
  AttentionTile make_tile(Index head, Index first) const {
    const Index d_head = in_.d_head(), row = in_.query_batch.begin(sequence_) + first;
    AttentionTile tile{};
    tile.query = in_.queries.row(row) + head * d_head;
    tile.query_stride = in_.queries.stride();
    tile.queries = std::min(tile_queries, queries_ - first);
    tile.d_head = d_head;
    tile.blocks = blocks_.of_head(in_.kv_head(head));
    tile.keys = in_.key_batch.length(sequence_);
    tile.first_position = in_.first_position(sequence_) + first;
    tile.back = in_.scope.back;
    tile.ahead = in_.scope.ahead;
    tile.scale = in_.scale;
    tile.bias = in_.bias(head);
    tile.out = out_.row(row) + head * d_head;
    tile.out_stride = out_.stride();
    if (statistics_) tile.statistics = statistics_ + head * queries_ + first;
    return tile;
  }

  /// A head's weights, recomputed from its statistics.
  void report(AttentionObserver& observer, Index head) const {
    const Index keys = in_.key_batch.length(sequence_);
    Matrix<double> weights(queries_, keys);
    {
      const FloatingPointGuard guard;
      for (Index first = 0; first < queries_; first += tile_queries) {
        reference::attention_weights(make_tile(head, first), weights.data() + first * keys);
      }
    }
    observer.observe({in_.place, head, sequence_, weights});
  }

  Context& context_;
  const Attention<float>& in_;
  Index sequence_;
  Index queries_;
  MatrixView<float> out_;
  KeyValueBlocks blocks_;
  AttentionStatistics* statistics_ = nullptr;  // [heads, queries], if somebody watches
};

/// out [query tokens, heads * d_head].
inline void attention(Context& context, const Attention<float>& in, MatrixView<float> out) {
  in.check(out.rows(), out.cols());
  for (Index sequence = 0; sequence < in.query_batch.sequences(); ++sequence) {
    if (in.query_batch.length(sequence) == 0) continue;
    const Arena::Scope scope(context.arena());
    SequenceAttention(context, in, sequence, out).run();
  }
}

/// The textbook's form, for the oracle: all scores, then softmax, then values.
template <std::same_as<double> Double>
void attention(Context& context, const Attention<Double>& in, MatrixView<Double> out) {
  in.check(out.rows(), out.cols());
  const Index d_head = in.d_head();
  for (Index task = 0; task < in.query_batch.sequences() * in.heads; ++task) {
    const Index sequence = task / in.heads, head = task % in.heads;
    const Index queries = in.query_batch.length(sequence), keys = in.key_batch.length(sequence);
    if (queries == 0) continue;
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
