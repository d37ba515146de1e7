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

/// Rows [row, row + Rows), panels [panel, panel + Panels).
template <int Rows, int Panels, class Weight>
EIGENFORMER_KERNEL void product_tile(const Product& p, Index row, Index panel) {
  Operands<Panels, Weight> in{p.x + row * p.x_stride, p.x_stride, {}, lanes};
  EIGENFORMER_UNROLL
  for (int i = 0; i < Panels; ++i) {
    in.panel[i] = static_cast<const Weight*>(p.weight) +
                  (panel + i) * reference::panel_elements<Weight>(p.inputs);
  }
  F32x16 sum[Rows][Panels];
  clear(sum);
  accumulate(sum, in, 0, p.inputs);
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

/// The last `rows` rows of some panels, up to Most, all at once: fewer sums would wait for each
/// other, and read the weights again.
template <int Most, int Panels, class Weight>
EIGENFORMER_KERNEL void product_last_rows(const Product& p, Index row, Index panel) {
  if constexpr (Most > 0) {
    if (p.rows - row == Most) return product_tile<Most, Panels, Weight>(p, row, panel);
    product_last_rows<Most - 1, Panels, Weight>(p, row, panel);
  }
}

/// All rows of some panels.
template <int Panels, class Weight>
EIGENFORMER_KERNEL void product_rows(const Product& p, Index panel) {
  Index row = 0;
  for (; row + tile_rows <= p.rows; row += tile_rows) {
    product_tile<tile_rows, Panels, Weight>(p, row, panel);
  }
  product_last_rows<tile_rows - 1, Panels, Weight>(p, row, panel);
}

/// The last `panels` panels of a single row, up to Most, all at once: fewer sums would wait for
/// each other.
template <int Most, class Weight>
EIGENFORMER_KERNEL void product_rest_of_row(const Product& p, Index panel, Index panels) {
  if (panels == Most) return product_tile<1, Most, Weight>(p, 0, panel);
  if constexpr (Most > 1) product_rest_of_row<Most - 1, Weight>(p, panel, panels);
}

/// A single row: its sums are many panels wide.
template <class Weight>
EIGENFORMER_KERNEL void product_row(const Product& p) {
  Index panel = p.panel_begin;
  for (; panel + row_panels <= p.panel_end; panel += row_panels) {
    product_tile<1, row_panels, Weight>(p, 0, panel);
  }
  product_rest_of_row<row_panels - 1, Weight>(p, panel, p.panel_end - panel);
}

template <class Weight>
EIGENFORMER_KERNEL void product(const Product& p) {
  if (p.rows == 1) return product_row<Weight>(p);
  Index panel = p.panel_begin;
  if constexpr (tile_panels > 1) {
    for (; panel + tile_panels <= p.panel_end; panel += tile_panels) {
      product_rows<tile_panels, Weight>(p, panel);
    }
  }
  for (; panel < p.panel_end; ++panel) product_rows<1, Weight>(p, panel);
}
