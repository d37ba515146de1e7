// SPDX-License-Identifier: MIT
// Products: reference/product.hpp, a tile of Rows x Panels sums in registers.

/// What a tile multiplies: rows of inputs, and panels of weights.
template <int Panels, class Weight>
struct Operands {
  const float* x;
  Index x_stride;
  const Weight* panel[Panels];
  Index step;  ///< from one input's weights to the next one's
};

EIGENFORMER_OP F32x16 widen(const float* p) { return load(p); }

/// sum[r][p] += x[r, i] weight[p].
template <int Rows, int Panels, class Weight>
EIGENFORMER_OP void multiply_add(F32x16 (&sum)[Rows][Panels], const Operands<Panels, Weight>& in,
                                 Index i, const F32x16 (&weight)[Panels]) {
  EIGENFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    const F32x16 x = broadcast(in.x[r * in.x_stride + i]);
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) sum[r][p] = fma(x, weight[p], sum[r][p]);
  }
}

/// sum[r][p] += x[r, i] weight[p, i] for i in [begin, end), ascending.
template <int Rows, int Panels, class Weight>
EIGENFORMER_OP void accumulate(F32x16 (&sum)[Rows][Panels], const Operands<Panels, Weight>& in,
                               Index begin, Index end) {
  for (Index i = begin; i < end; ++i) {
    F32x16 weight[Panels];
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) weight[p] = widen(in.panel[p] + i * in.step);
    multiply_add(sum, in, i, weight);
  }
}

/// Pairs of inputs, so that one load serves two steps; `begin` is even.
template <int Rows, int Panels>
EIGENFORMER_OP void accumulate(F32x16 (&sum)[Rows][Panels], const Operands<Panels, Bfloat16>& in,
                               Index begin, Index end) {
  for (Index i = begin; i < end; i += 2) {
    F32x16 even[Panels], odd[Panels];
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) even[p] = widen_even(in.panel[p] + i * in.step);
    multiply_add(sum, in, i, even);
    if (i + 1 == end) return;
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) odd[p] = widen_odd(in.panel[p] + i * in.step);
    multiply_add(sum, in, i + 1, odd);
  }
}

template <int Rows, int Panels>
EIGENFORMER_OP void clear(F32x16 (&sum)[Rows][Panels]) {
  EIGENFORMER_UNROLL
  for (int r = 0; r < Rows; ++r) {
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) sum[r][p] = broadcast(0.0f);
  }
}

/// The same from the first input on, a cache line of weights at a time, while it asks for the
/// panels after those it reads.
template <int Panels, class Weight>
EIGENFORMER_OP void accumulate_ahead(F32x16 (&sum)[1][Panels], const Operands<Panels, Weight>& in,
                                     Index end, Index panel_elements) {
  constexpr Index step = 64 / (lanes * Index{sizeof(Weight)});
  for (Index i = 0; i < end; i += step) {
    EIGENFORMER_UNROLL
    for (int p = 0; p < Panels; ++p) {
      __builtin_prefetch(in.panel[p] + Panels * panel_elements + i * in.step, 0, 2);
    }
    accumulate(sum, in, i, std::min(i + step, end));
  }
}

template <class Weight, Ahead ahead = Ahead::no>
struct FloatTile {
  using Stream = FloatTile<Weight, Ahead::yes>;
  static constexpr int rows = tile_rows, panels = tile_panels, row_panels = tile_row_panels;

  template <int Rows, int Panels>
  EIGENFORMER_KERNEL static void run(const Product& p, Index row, Index panel) {
    const Index panel_elements = reference::panel_elements<Weight>(p.inputs);
    Operands<Panels, Weight> in{p.x + row * p.x_stride, p.x_stride, {}, lanes};
    EIGENFORMER_UNROLL
    for (int i = 0; i < Panels; ++i) {
      in.panel[i] = static_cast<const Weight*>(p.weight) + (panel + i) * panel_elements;
    }
    F32x16 sum[Rows][Panels];
    clear(sum);
    if constexpr (Rows == 1 && ahead == Ahead::yes) {
      accumulate_ahead(sum, in, p.inputs, panel_elements);
    } else {
      accumulate(sum, in, 0, p.inputs);
    }
    EIGENFORMER_UNROLL
    for (int i = 0; i < Panels; ++i) {
      const Index output = (panel + i) * lanes, count = std::min(lanes, p.outputs - output);
      const F32x16 bias = p.bias ? load_first(p.bias + output, count) : broadcast(0.0f);
      EIGENFORMER_UNROLL
      for (int r = 0; r < Rows; ++r) {
        const F32x16 out = p.bias ? add(sum[r][i], bias) : sum[r][i];
        store_first(p.out + (row + r) * p.out_stride + output, out, count);
      }
    }
  }
};
