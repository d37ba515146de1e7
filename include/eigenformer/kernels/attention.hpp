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
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/kernels/attention_tasks.hpp"
#include "eigenformer/kernels/key_value_cache.hpp"

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

/// What attention to cached keys reads.
struct CachedAttention {
  MatrixView<const float> queries;  ///< [query tokens, heads * d_head]
  const Batch& query_batch;         ///< as many sequences as the cache has rows
  const KeyValueCache& cache;
  Index layer;                                   ///< of the cache
  Index heads;                                   ///< a multiple of the cache's kv_heads
  AttentionScope scope = AttentionScope::all();  ///< positions are aligned at the rows' ends
  float scale;
  AttentionPlace place = {};  ///< for an observer
};

/// out [query tokens, heads * d_head].
inline void attention(Context& context, const Attention<float>& in, MatrixView<float> out) {
  in.check(out.rows(), out.cols());
  const Profile::Scope scope(context.profile(), {"attention"});
  const Arena::Scope arena_scope(context.arena());
  AttentionTasks tasks(context, in.query_batch, in.kv_heads);
  tasks.pack(in.keys, in.values, in.key_batch);
  const AttentionQueries queries{.queries = in.queries,
                                 .heads = in.heads,
                                 .scope = in.scope,
                                 .scale = in.scale,
                                 .relative_bias = in.relative_bias,
                                 .place = in.place};
  tasks.run(queries, out);
  if (!scope) return;
  const Profile::Work work = tasks.work(queries);
  scope.work({.activations = work.activations + work.memory, .operations = work.operations});
}

/// out [query tokens, heads * d_head]: the same bits as with the cached keys and values in a
/// matrix.
inline void attention(Context& context, const CachedAttention& in, MatrixView<float> out) {
  EIGENFORMER_ASSERT(in.queries.rows() == in.query_batch.tokens() && in.heads > 0);
  EIGENFORMER_ASSERT(in.cache.rows() == in.query_batch.sequences());
  EIGENFORMER_ASSERT(in.queries.cols() == in.heads * in.cache.shape().d_head);
  EIGENFORMER_ASSERT(in.heads % in.cache.shape().kv_heads == 0);
  EIGENFORMER_ASSERT(out.rows() == in.queries.rows() && out.cols() == in.queries.cols());
  const Profile::Scope scope(context.profile(), {"attention"});
  const Arena::Scope arena_scope(context.arena());
  AttentionTasks tasks(context, in.query_batch, in.cache.shape().kv_heads);
  tasks.point_to(in.cache, in.layer);
  const AttentionQueries queries{.queries = in.queries,
                                 .heads = in.heads,
                                 .scope = in.scope,
                                 .scale = in.scale,
                                 .relative_bias = {},
                                 .place = in.place};
  tasks.run(queries, out);
  if (scope) scope.work(tasks.work(queries));
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
