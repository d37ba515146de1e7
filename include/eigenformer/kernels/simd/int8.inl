// SPDX-License-Identifier: MIT
// Products in int8: reference/int8.hpp, exact sums in any order. The including namespace has
// Int8Inputs (four inputs of a row), dot(), and int8_offset: what its activations have added, for
// instructions that multiply unsigned numbers with signed ones.

EIGENFORMER_KERNEL float quantize(const float* x, Index n, std::int8_t* q) {
  I32x16 largest = zero_sums();
  Index i = 0;
  for (; i + lanes <= n; i += lanes) largest = larger_magnitude(largest, load(x + i));
  if (i < n) largest = larger_magnitude(largest, load_first(x + i, n - i));
  const Int8Scale row = int8_scale(largest_lane(largest));
  const F32x16 inverse = broadcast(row.inverse);
  const F32x16 integers = broadcast(0x1.8p23f + int8_offset);  // above it, ulps are integers
  i = 0;
  for (; i + lanes <= n; i += lanes) store_low_bytes(q + i, fma(load(x + i), inverse, integers));
  for (; i < round_up(n, int8_step); i += lanes) {
    const F32x16 rest = load_first(x + i, std::max<Index>(n - i, 0));
    store_low_bytes(q + i, fma(rest, inverse, integers));
  }
  return row.scale;
}

/// The outputs of one panel: from sums to floats.
struct Int8Outputs {
  Index output, count;
  F32x16 scale, bias;

  EIGENFORMER_OP Int8Outputs(const Product& p, Index panel)
      : output(panel * lanes),
        count(std::min(lanes, p.outputs - output)),
        scale(load(p.int8.weight_scale + output)),
        bias(p.bias ? load_first(p.bias + output, count) : broadcast(0.0f)) {}

  EIGENFORMER_OP void write(const Product& p, Index row, I32x16 sum) const {
    const F32x16 scaled = multiply(to_float(sum), broadcast(p.int8.x_scale[row]));
    store_first(p.out + row * p.out_stride + output, fma(scaled, scale, bias), count);
  }
};

/// Several rows ask for the next panels, each tile for one of them; a single row where it is told
/// to.
template <Ahead ahead>
struct Int8Tile {
  using Stream = Int8Tile<Ahead::yes>;
  static constexpr int rows = int8_rows, panels = int8_panels, row_panels = int8_row_panels;

  template <int Rows, int Panels>
  EIGENFORMER_KERNEL static void run(const Product& p, Index row, Index panel) {
    const std::int8_t* const x = p.int8.x + row * p.int8.x_stride;
    const Index panel_bytes = lanes * round_up(p.inputs, int8_step);
    const std::int8_t* const first =
        static_cast<const std::int8_t*>(p.weight) + panel * panel_bytes;
    const std::int8_t* const later = first + (Panels + row / Rows % Panels) * panel_bytes;
    const std::int8_t* weight[Panels];
    I32x16 sum[Rows][Panels];
    EIGENFORMER_UNROLL
    for (int i = 0; i < Panels; ++i) {
      weight[i] = first + i * panel_bytes;
      EIGENFORMER_UNROLL
      for (int r = 0; r < Rows; ++r) {
        sum[r][i] =
            int8_offset == 0.0f ? zero_sums() : load_sums(p.int8.offsets + (panel + i) * lanes);
      }
    }
    for (Index k = 0; k < p.inputs; k += 4) {
      if constexpr (Rows > 1) __builtin_prefetch(later + k * lanes, 0, 2);
      Int8Weights of[Panels];
      EIGENFORMER_UNROLL
      for (int i = 0; i < Panels; ++i) {
        of[i] = load_int8(weight[i] + k * lanes);
        if constexpr (Rows == 1 && ahead == Ahead::yes) {
          __builtin_prefetch(weight[i] + Panels * panel_bytes + k * lanes, 0, 2);
        }
      }
      EIGENFORMER_UNROLL
      for (int r = 0; r < Rows; ++r) {
        const Int8Inputs in(x + r * p.int8.x_stride + k);
        EIGENFORMER_UNROLL
        for (int i = 0; i < Panels; ++i) sum[r][i] = dot(sum[r][i], in, of[i]);
      }
    }
    EIGENFORMER_UNROLL
    for (int i = 0; i < Panels; ++i) {
      const Int8Outputs outputs(p, panel + i);
      EIGENFORMER_UNROLL
      for (int r = 0; r < Rows; ++r) outputs.write(p, row + r, sum[r][i]);
    }
  }
};

EIGENFORMER_KERNEL void product_int8(const Product& p) { all_tiles<Int8Tile<Ahead::no>>(p); }
