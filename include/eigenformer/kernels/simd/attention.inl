// SPDX-License-Identifier: MIT
// Attention: reference/attention.hpp, tiles of 64 keys x tile_rows queries.

EIGENFORMER_KERNEL void pack_block(const BlockPacking& p) {
  const Index padded = round_up(p.d_head, lanes);
  for (Index d = 0; d < p.d_head; d += lanes) {
    const Index count = std::min(lanes, p.d_head - d);
    F32x16 row[lanes];
    EIGENFORMER_UNROLL
    for (int k = 0; k < lanes; ++k) {
      row[k] = k < p.count ? load_first(p.keys + k * p.key_stride + d, count) : broadcast(0.0f);
    }
    transpose(row);
    if (count == lanes) {
      EIGENFORMER_UNROLL
      for (int i = 0; i < lanes; ++i) store(p.block + (d + i) * lanes, row[i]);
    } else {
      for (Index i = 0; i < count; ++i) store(p.block + (d + i) * lanes, row[i]);
    }
  }
  float* const values = p.block + p.d_head * lanes;
  for (Index k = 0; k < lanes; ++k) {
    for (Index d = 0; d < padded; d += lanes) {
      const Index count = k < p.count ? std::min(lanes, p.d_head - d) : 0;
      store(values + k * padded + d, load_first(p.values + (k * p.value_stride + d), count));
    }
  }
}

/// What the queries of a tile have gathered so far.
struct AttentionState {
  const AttentionTile& tile;
  float* query;    ///< scaled, [48][padded]
  float* context;  ///< of weights exp(score - max), [48][padded]
  Index padded;    ///< d_head rounded up to 16
  float max[tile_queries];
  alignas(64) float sum[tile_queries][lanes];
};

/// Keys of one tile that one query sees, counted from the tile's first.
struct KeyRange {
  Index begin, end;

  bool whole() const { return begin == 0 && end == tile_keys; }
};

EIGENFORMER_OP KeyRange seen_in_tile(const AttentionTile& tile, Index q, Index first) {
  const Index begin = std::max<Index>(tile.keys_begin(q) - first, 0);
  return {begin, std::max(begin, std::min(tile.keys_end(q) - first, tile_keys))};
}

/// Blocks of keys that Rows queries take at once; a single one has registers for all of a tile's.
template <int Rows>
inline constexpr int score_panels = Rows == 1 ? static_cast<int>(tile_keys / lanes) : tile_panels;

/// The products of Rows queries with Panels blocks of keys, to score [Rows, 64].
template <int Rows, int Panels>
EIGENFORMER_OP void scores(const AttentionTile& tile, const float* query, Index block,
                           float* score) {
  Operands<Panels, float> in{query, round_up(tile.d_head, lanes), {}, lanes};
  EIGENFORMER_UNROLL
  for (int p = 0; p < Panels; ++p) in.panel[p] = tile.blocks[block + p];
  F32x16 sum[Rows][Panels];
  clear(sum);
  if constexpr (Rows == 1) {
    // A single query waits for memory: for these keys' values, and for the keys of the next head.
    const Index values = tile.d_head * lanes, next = block_floats(tile.d_head);
    for (Index d = 0; d < tile.d_head; ++d) {
      EIGENFORMER_UNROLL
      for (int p = 0; p < Panels; ++p) {
        __builtin_prefetch(in.panel[p] + values + d * lanes, 0, 3);
        __builtin_prefetch(in.panel[p] + next + d * lanes, 0, 3);
      }
      accumulate(sum, in, d, d + 1);
    }
  } else {
    accumulate(sum, in, 0, tile.d_head);
  }
  EIGENFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) store(score + r * tile_keys + p * lanes, sum[r][p]);
  }
}

/// The last `panels` blocks, up to Most: for a single query all at once, because fewer sums would
/// wait for each other.
template <int Rows, int Most>
EIGENFORMER_OP void last_scores(const AttentionTile& tile, const float* query, Index block,
                                Index panels, float* score) {
  if constexpr (Rows > 1) {
    for (Index p = 0; p < panels; ++p) scores<Rows, 1>(tile, query, block + p, score + p * lanes);
  } else if constexpr (Most > 0) {
    if (panels == Most) return scores<Rows, Most>(tile, query, block, score);
    last_scores<Rows, Most - 1>(tile, query, block, panels, score);
  }
}

/// Adds a query's bias to the scores of the keys that it sees.
EIGENFORMER_OP void add_bias(const AttentionTile& tile, Index q, Index first, KeyRange seen,
                             float* score) {
  const float* const bias = tile.bias + (first - (tile.first_position + q));
  for (Index key = seen.begin; key < seen.end; ++key) score[key] += bias[key];
}

/// The largest of a query's 64 scores; those of keys that it does not see become -infinity.
EIGENFORMER_OP float mask_and_max(KeyRange seen, float* score) {
  const F32x16 lowest = broadcast(-__builtin_huge_valf());
  F32x16 max = lowest;
  EIGENFORMER_UNROLL
  for (int key = 0; key < tile_keys; key += lanes) {
    F32x16 s = load(score + key);
    if (!seen.whole()) {
      s = only_lanes(s, seen.begin - key, seen.end - key, lowest);
      store(score + key, s);
    }
    max = larger(s, max);
  }
  return tree_max(max);
}

/// A query's scores become weights exp(score - max), and join the sum so far.
EIGENFORMER_OP void weigh(float max, float correction, float* score, float* sum) {
  const F32x16 maxima = broadcast(max);
  F32x16 weight[tile_keys / lanes];
  EIGENFORMER_UNROLL
  for (int v = 0; v < tile_keys / lanes; ++v) {
    weight[v] = exp(subtract(load(score + v * lanes), maxima));
    store(score + v * lanes, weight[v]);
  }
  F32x16 total = fma(load(sum), broadcast(correction), weight[0]);
  EIGENFORMER_UNROLL
  for (int v = 1; v < tile_keys / lanes; ++v) total = add(total, weight[v]);
  store(sum, total);
}

/// The online softmax of one tile for Rows queries from q, step by step for all of them, so that
/// none waits for its own last step: maxima, corrections of what came before, weights.
template <int Rows>
EIGENFORMER_OP void online_softmax(AttentionState& state, Index q, Index first,
                                   const KeyRange (&seen)[Rows], float* score) {
  alignas(64) float max[lanes] = {}, correction[lanes];
  EIGENFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    if (state.tile.bias) add_bias(state.tile, q + r, first, seen[r], score + r * tile_keys);
    max[r] = mask_and_max(seen[r], score + r * tile_keys);
  }
  const F32x16 before = load_first(state.max + q, Rows), now = larger(load(max), before);
  store(correction, if_less(before, now, exp(subtract(before, now)), broadcast(1.0f)));
  store(max, now);
  store_first(state.max + q, now, Rows);
  EIGENFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    if (seen[r].begin == seen[r].end) continue;
    weigh(max[r], correction[r], score + r * tile_keys, state.sum[q + r]);
    if (correction[r] == 1.0f) continue;
    float* const context = state.context + (q + r) * state.padded;
    for (Index d = 0; d < state.padded; d += lanes) {
      store(context + d, multiply(load(context + d), broadcast(correction[r])));
    }
  }
}

/// Keys of a tile, seen by the queries from q on.
struct Stretch {
  Index q;
  Index block;  ///< the tile's first
  KeyRange keys;
};

/// context[r][column + 16 p..] += weights of the stretch's keys times their values.
template <int Rows, int Panels>
EIGENFORMER_OP void add_values(const AttentionState& state, const Stretch& stretch,
                               const float* weight, Index column) {
  float* const context = state.context + stretch.q * state.padded + column;
  F32x16 sum[Rows][Panels];
  EIGENFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) sum[r][p] = load(context + r * state.padded + p * lanes);
  }
  for (Index begin = stretch.keys.begin; begin < stretch.keys.end;) {
    const Index in_tile = begin / lanes, start = in_tile * lanes;
    const Index end = std::min(stretch.keys.end, start + lanes);
    const float* const block = state.tile.blocks[stretch.block + in_tile];
    const float* const values = block + state.tile.d_head * lanes + column;
    Operands<Panels, float> in{weight + start, tile_keys, {}, state.padded};
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) in.panel[p] = values + p * lanes;
    accumulate(sum, in, begin - start, end - start);
    begin = end;
  }
  EIGENFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) store(context + r * state.padded + p * lanes, sum[r][p]);
  }
}

/// All columns, as many at a time as a register tile takes; weight [Rows, 64].
template <int Rows>
EIGENFORMER_KERNEL void add_all_values(const AttentionState& state, const Stretch& stretch,
                                       const float* weight) {
  if (stretch.keys.begin >= stretch.keys.end) return;
  Index column = 0;
  for (; column + tile_panels * lanes <= state.padded; column += tile_panels * lanes) {
    add_values<Rows, tile_panels>(state, stretch, weight, column);
  }
  for (; column < state.padded; column += lanes) {
    add_values<Rows, 1>(state, stretch, weight, column);
  }
}

/// One tile of keys, from key `first`, for Rows queries from q.
template <int Rows>
EIGENFORMER_KERNEL void attend_tile(AttentionState& state, Index q, Index first) {
  KeyRange seen[Rows], common{0, tile_keys}, any{tile_keys, 0};
  for (int r = 0; r < Rows; ++r) {
    seen[r] = seen_in_tile(state.tile, q + r, first);
    common = {std::max(common.begin, seen[r].begin), std::min(common.end, seen[r].end)};
    if (seen[r].begin == seen[r].end) continue;
    any = {std::min(any.begin, seen[r].begin), std::max(any.end, seen[r].end)};
  }
  if (any.begin >= any.end) return;

  alignas(64) float score[Rows * tile_keys];  // [Rows, 64], then weights
  if (any.begin > 0 || any.end < tile_keys) std::fill(score, score + Rows * tile_keys, 0.0f);
  const float* const query = state.query + q * state.padded;
  const Index block = first / lanes, panels_end = divide_up(any.end, lanes);
  Index panel = any.begin / lanes;
  for (; panel + score_panels<Rows> <= panels_end; panel += score_panels<Rows>) {
    scores<Rows, score_panels<Rows>>(state.tile, query, block + panel, score + panel * lanes);
  }
  last_scores<Rows, score_panels<Rows> - 1>(state.tile, query, block + panel, panels_end - panel,
                                            score + panel * lanes);
  online_softmax(state, q, first, seen, score);

  // What all see goes through together, what only some see on its own: keys stay in order.
  if (common.begin >= common.end) common = {any.end, any.end};
  for (int r = 0; r < Rows; ++r) {
    const KeyRange before{seen[r].begin, std::min(seen[r].end, common.begin)};
    add_all_values<1>(state, {q + r, block, before}, score + r * tile_keys);
  }
  add_all_values<Rows>(state, {q, block, common}, score);
  for (int r = 0; r < Rows; ++r) {
    const KeyRange after{std::max(seen[r].begin, common.end), seen[r].end};
    add_all_values<1>(state, {q + r, block, after}, score + r * tile_keys);
  }
}

/// The queries of the tile from q on, over the keys from `first`: Rows at a time, then fewer.
template <int Rows>
EIGENFORMER_KERNEL void attend_queries(AttentionState& state, Index q, Index first) {
  for (; q + Rows <= state.tile.queries; q += Rows) attend_tile<Rows>(state, q, first);
  if constexpr (Rows > 1) attend_queries<(Rows > 4 ? 4 : 1)>(state, q, first);
}

/// context / sum; zeros where no key was seen.
EIGENFORMER_KERNEL void finish(const AttentionState& state) {
  const AttentionTile& tile = state.tile;
  for (Index q = 0; q < tile.queries; ++q) {
    const float sum = tree_sum(load(state.sum[q]));
    const bool saw = tile.keys_begin(q) < tile.keys_end(q);
    const F32x16 inverse = broadcast(saw ? 1.0f / sum : 0.0f);
    float* const out = tile.out + q * tile.out_stride;
    for (Index d = 0; d < tile.d_head; d += lanes) {
      const F32x16 context = load(state.context + q * state.padded + d);
      store_first(out + d, multiply(context, inverse), std::min(lanes, tile.d_head - d));
    }
    if (tile.statistics) tile.statistics[q] = {state.max[q], sum};
  }
}

EIGENFORMER_KERNEL void attention(const AttentionTile& tile) {
  const Index padded = round_up(tile.d_head, lanes);
  AttentionState state{tile, tile.scratch, tile.scratch + tile_queries * padded, padded, {}, {}};
  for (Index q = 0; q < tile.queries; ++q) {
    scale(tile.query + q * tile.query_stride, tile.scale, state.query + q * state.padded,
          tile.d_head);
    std::fill(state.sum[q], state.sum[q] + lanes, 0.0f);
    state.max[q] = -__builtin_huge_valf();
  }
  std::fill(state.context, state.context + tile.queries * state.padded, 0.0f);
  // The first query sees the first key that any sees, the last one the last.
  const Index end = tile.keys_end(tile.queries - 1);
  for (Index first = tile.keys_begin(0) / tile_keys * tile_keys; first < end; first += tile_keys) {
    attend_queries<tile_rows>(state, 0, first);
  }
  finish(state);
}
