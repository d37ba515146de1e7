// SPDX-License-Identifier: MIT
/// The work of attention over a ragged batch: heads x tiles of 48 queries of each sequence.
#pragma once

#include <algorithm>
#include <span>

#include "eigenformer/core/attention_scope.hpp"
#include "eigenformer/core/batch.hpp"
#include "eigenformer/core/context.hpp"
#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/key_value_cache.hpp"
#include "eigenformer/kernels/reference/attention.hpp"

namespace eigenformer::inline v0 {
namespace kernels {

/// What asks, and how.
struct AttentionQueries {
  MatrixView<const float> queries;  ///< [query tokens, heads * d_head]
  Index heads;                      ///< a multiple of the key/value heads
  AttentionScope scope;
  float scale;
  MatrixView<const float> relative_bias;  ///< as in Attention
  AttentionPlace place;

  Index d_head() const { return queries.cols() / heads; }
};

/// Keys and values of a batch in blocks of 16, and the tasks over them: a head and up to 48 queries
/// each, of one sequence or of neighbours that ask the same keys, as beams ask the encoder's
/// output. What it takes from the arena, the caller's scope gives back.
class AttentionTasks {
 public:
  AttentionTasks(Context& context, const Batch& query_batch, Index kv_heads)
      : context_(context),
        query_batch_(query_batch),
        kv_heads_(kv_heads),
        keys_(context.arena().take<SequenceKeys>(query_batch.sequences())) {}

  /// Packs keys and values, both [tokens, kv_heads * d_head].
  void pack(MatrixView<const float> keys, MatrixView<const float> values, const Batch& batch) {
    const Index d_head = keys.cols() / kv_heads_, floats = block_floats(d_head);
    Index blocks = 0;
    for (Index s = 0; s < batch.sequences(); ++s) blocks += divide_up(batch.length(s), lanes);
    float* next = context_.arena().take<float>(blocks * kv_heads_ * floats);
    float** const packed = context_.arena().take<float*>(batch.sequences());
    for (Index s = 0; s < batch.sequences(); ++s) {
      const SequenceKeys& sequence = add(s, batch.length(s));
      packed[s] = next;
      for (Index b = 0; b < kv_heads_ * sequence.per_head; ++b, next += floats) {
        sequence.blocks[b] = next;
      }
    }
    const auto pack_block = context_.kernels().pack_block;
    context_.executor().run(batch.sequences() * kv_heads_, [&](Index task, Index) {
      const Index s = task / kv_heads_, head = task % kv_heads_, column = head * d_head;
      const Index per_head = keys_[s].per_head;
      for (Index b = 0; b < per_head; ++b) {
        const Index token = batch.begin(s) + b * lanes;
        pack_block({keys.row(token) + column, keys.stride(), values.row(token) + column,
                    values.stride(), std::min(lanes, keys_[s].keys - b * lanes), d_head,
                    packed[s] + (head * per_head + b) * floats});
      }
    });
  }

  /// Uses the blocks that a cache has already.
  void point_to(const KeyValueCache& cache, Index layer) {
    for (Index s = 0; s < cache.rows(); ++s) {
      if (s > 0 && cache.same_blocks(s - 1, s)) {
        keys_[s] = keys_[s - 1];
        continue;
      }
      SequenceKeys& sequence = add(s, cache.length(s));
      for (Index head = 0; head < kv_heads_; ++head) {
        for (Index b = 0; b < sequence.per_head; ++b) {
          sequence.blocks[head * sequence.per_head + b] = cache.block(s, b, layer, head);
        }
      }
    }
  }

  /// What run() has to do, were all keys and values in a cache: those of neighbours that share
  /// them once, and of scores and contexts those that are seen.
  Profile::Work work(const AttentionQueries& in) const {
    const Index size = in.queries.rows() * in.queries.cols();
    Profile::Work work{.activations = 2 * size * Index{sizeof(float)}};
    for (Index s = 0; s < query_batch_.sequences(); ++s) {
      const Index queries = query_batch_.length(s), keys = keys_[s].keys;
      if (s == 0 || keys_[s].blocks != keys_[s - 1].blocks) {
        work.memory += 2 * keys * kv_heads_ * in.d_head() * Index{sizeof(float)};
      }
      for (Index q = 0; q < queries; ++q) {
        const Index position = keys - queries + q;
        const Index seen = in.scope.end(position, keys) - in.scope.begin(position);
        work.operations += 4 * in.heads * in.d_head() * std::max<Index>(seen, 0);
      }
    }
    return work;
  }

  /// out [query tokens, heads * d_head]; then tells the observer.
  void run(const AttentionQueries& in, MatrixView<float> out) {
    AttentionObserver* const observer = context_.observer();  // it may leave while it is told
    if (observer) {
      statistics_ = context_.arena().take<AttentionStatistics>(in.heads * query_batch_.tokens());
    }
    const std::span<const Group> groups = group(in);
    const Index scratch_size = attention_scratch(in.d_head());
    float* const scratch =
        context_.arena().take<float>(scratch_size * context_.executor().workers());
    context_.executor().run(groups.back().tasks_end, [&](Index task, Index worker) {
      const FloatingPointGuard guard;
      const auto of = std::upper_bound(groups.begin() + 1, groups.end(), task,
                                       [](Index t, const Group& g) { return t < g.tasks_end; });
      task -= (of - 1)->tasks_end;
      const Index head = task / of->tiles(), first = task % of->tiles() * tile_queries;
      AttentionTile tile = make_tile(in, *of, head, first);
      tile.out = out.row(query_batch_.begin(of->sequence) + first) + head * in.d_head();
      tile.out_stride = out.stride();
      tile.scratch = scratch + worker * scratch_size;
      context_.kernels().attention(tile);
    });
    if (observer) report(*observer, in);
  }

 private:
  /// A sequence's blocks, one list of them for each key/value head.
  struct SequenceKeys {
    const float** blocks;  // [kv_heads][per_head]
    Index per_head;
    Index keys;

    const float* const* of_head(Index kv_head) const { return blocks + kv_head * per_head; }
  };

  /// Neighbouring queries that ask the same keys.
  struct Group {
    Index sequence;   // the first
    Index queries;    // of all its sequences
    Index tasks_end;  // of this group and those before

    Index tiles() const { return divide_up(queries, tile_queries); }
  };

  /// An empty group, then all of them.
  std::span<const Group> group(const AttentionQueries& in) const {
    Group* const groups = context_.arena().take<Group>(query_batch_.sequences() + 1);
    groups[0] = {};
    Index last = 0;
    for (Index s = 0; s < query_batch_.sequences(); ++s) {
      const Index queries = query_batch_.length(s);
      // Where everything is seen, positions don't matter.
      const bool joins = last > 0 && keys_[s].blocks == keys_[s - 1].blocks && queries == 1 &&
                         query_batch_.length(s - 1) == 1 && in.scope == AttentionScope::all() &&
                         in.relative_bias.empty();
      if (joins) {
        ++groups[last].queries;
      } else {
        groups[++last] = {s, queries, 0};
      }
    }
    for (Index g = 1; g <= last; ++g) {
      groups[g].tasks_end = groups[g - 1].tasks_end + in.heads * groups[g].tiles();
    }
    return {groups, static_cast<std::size_t>(last + 1)};
  }

  SequenceKeys& add(Index sequence, Index keys) {
    const Index per_head = divide_up(keys, lanes);
    keys_[sequence] = {context_.arena().take<const float*>(kv_heads_ * per_head), per_head, keys};
    return keys_[sequence];
  }

  /// Up to 48 queries of a head, from the group's query `first`; without an output.
  AttentionTile make_tile(const AttentionQueries& in, const Group& group, Index head,
                          Index first) const {
    const Index keys = keys_[group.sequence].keys;
    AttentionTile tile{};
    tile.query = in.queries.row(query_batch_.begin(group.sequence) + first) + head * in.d_head();
    tile.query_stride = in.queries.stride();
    tile.queries = std::min(tile_queries, group.queries - first);
    tile.d_head = in.d_head();
    tile.blocks = keys_[group.sequence].of_head(head / (in.heads / kv_heads_));
    tile.keys = keys;
    tile.first_position = keys - group.queries + first;
    tile.back = in.scope.back;
    tile.ahead = in.scope.ahead;
    tile.scale = in.scale;
    if (!in.relative_bias.empty()) {
      tile.bias = in.relative_bias.row(head) + in.relative_bias.cols() / 2;
    }
    if (statistics_) {
      tile.statistics =
          statistics_ + head * query_batch_.tokens() + query_batch_.begin(group.sequence) + first;
    }
    return tile;
  }

  /// Each head's weights, recomputed from its statistics.
  void report(AttentionObserver& observer, const AttentionQueries& in) const {
    for (Index s = 0; s < query_batch_.sequences(); ++s) {
      const Index queries = query_batch_.length(s), keys = keys_[s].keys;
      for (Index head = 0; queries > 0 && head < in.heads; ++head) {
        if (context_.observer() != &observer) return;  // it has left
        if (!observer.wants(in.place, head)) continue;
        Matrix<double> weights(queries, keys);
        {
          const FloatingPointGuard guard;
          for (Index first = 0; first < queries; first += tile_queries) {
            reference::attention_weights(make_tile(in, {s, queries, 0}, head, first),
                                         weights.data() + first * keys);
          }
        }
        observer.observe({in.place, head, s, weights});
      }
    }
  }

  Context& context_;
  const Batch& query_batch_;
  Index kv_heads_;
  SequenceKeys* keys_;                         // [sequences]
  AttentionStatistics* statistics_ = nullptr;  // [heads, query tokens], if somebody watches
};

}  // namespace kernels
}  // namespace eigenformer::inline v0
