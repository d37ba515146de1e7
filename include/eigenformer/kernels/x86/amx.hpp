// SPDX-License-Identifier: MIT
/// The kernels with AMX: AVX-512 VNNI's, but for products of 16 rows and more in int8.
#pragma once

#include "eigenformer/kernels/x86/avx512vnni.hpp"

#if EIGENFORMER_X86_64
#define EIGENFORMER_TARGET                                                      \
  __attribute__((                                                               \
      target("amx-tile,amx-int8,avx512vnni,avx512f,avx512bw,avx512dq,avx512vl," \
             "avx2,fma,f16c")))

namespace eigenformer::inline v0 {
namespace kernels::amx {

using avx512::I32x16, avx512::load_sums, avx512vnni::Int8Outputs;

/// Rows of a tile. Sixteen rows of 64 inputs with 128 added; 64 inputs, in fours, of a panel's 16
/// outputs; or 16 x 16 sums: all have 16 rows of 64 bytes.
inline constexpr Index tile = 16;

/// All eight tiles as large as they can be.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);
/// Not on a stack, where g++ 12 would write no more of it than it thinks an instruction reads.
inline constexpr TileConfig whole_tiles;

/// Where a product's tiles are.
struct TileOperands {
  const std::int8_t* x;  ///< rows from here on
  Index x_stride;
  const std::int8_t* weight;  ///< panels from here on
  Index panel_bytes;
};

/// The sums of 16 rows and 16 outputs, for Rows x Panels such squares: up to 2 x 2, in tiles 0 to 3
/// (tile numbers are part of the instructions), to sum[Rows][Panels][16 rows][16 outputs].
template <int Rows, int Panels>
EIGENFORMER_KERNEL void multiply_tiles(const TileOperands& in, std::int32_t* sum) {
  _tile_zero(0);
  if constexpr (Panels > 1) _tile_zero(1);
  if constexpr (Rows > 1) _tile_zero(2);
  if constexpr (Rows > 1 && Panels > 1) _tile_zero(3);
  for (Index k = 0; k < in.panel_bytes / lanes; k += int8_step) {
    const std::int8_t* const x = in.x + k;
    const std::int8_t* const weight = in.weight + k * lanes;
    _tile_loadd(4, x, in.x_stride);
    _tile_loadd(6, weight, int8_step);
    _tile_dpbusd(0, 4, 6);
    if constexpr (Panels > 1) {
      _tile_loadd(7, weight + in.panel_bytes, int8_step);
      _tile_dpbusd(1, 4, 7);
    }
    if constexpr (Rows > 1) {
      _tile_loadd(5, x + tile * in.x_stride, in.x_stride);
      _tile_dpbusd(2, 5, 6);
    }
    if constexpr (Rows > 1 && Panels > 1) _tile_dpbusd(3, 5, 7);
  }
  _tile_stored(0, sum, int8_step);
  if constexpr (Panels > 1) _tile_stored(1, sum + tile * tile, int8_step);
  if constexpr (Rows > 1) _tile_stored(2, sum + Panels * tile * tile, int8_step);
  if constexpr (Rows > 1 && Panels > 1) _tile_stored(3, sum + 3 * tile * tile, int8_step);
}

/// Rows [row, row + 16 Rows) of panels [panel, panel + Panels).
template <int Rows, int Panels>
EIGENFORMER_KERNEL void run(const Product& p, Index row, Index panel) {
  alignas(64) std::int32_t sum[Rows][Panels][tile][lanes];
  const Index panel_bytes = lanes * round_up(p.inputs, int8_step);
  multiply_tiles<Rows, Panels>(
      {p.int8.x + row * p.int8.x_stride, p.int8.x_stride,
       static_cast<const std::int8_t*>(p.weight) + panel * panel_bytes, panel_bytes},
      &sum[0][0][0][0]);
  for (int i = 0; i < Panels; ++i) {
    const Int8Outputs outputs(p, panel + i);
    const __m512i offsets = load_sums(p.int8.offsets + (panel + i) * lanes).v;
    for (int r = 0; r < Rows * tile; ++r) {
      const std::int32_t* const of_row = sum[r / tile][i][r % tile];
      outputs.write(p, row + r, {_mm512_add_epi32(load_sums(of_row).v, offsets)});
    }
  }
}

/// All rows of some panels. The last tile may begin among rows that are done: they come out the
/// same.
template <int Panels>
EIGENFORMER_KERNEL void all_rows(const Product& p, Index panel) {
  Index row = 0;
  for (; row + 2 * tile <= p.rows; row += 2 * tile) run<2, Panels>(p, row, panel);
  for (; row < p.rows; row += tile) run<1, Panels>(p, std::min(row, p.rows - tile), panel);
}

EIGENFORMER_KERNEL void product_int8(const Product& p) {
  if (p.rows < tile) return avx512vnni::product_int8(p);
  _tile_loadconfig(&whole_tiles);
  asm volatile("" ::: "memory");  // g++ 12 does not know that a tile's load reads memory
  Index panel = 0;
  for (; panel + 2 <= p.panels(); panel += 2) all_rows<2>(p, panel);
  if (panel < p.panels()) all_rows<1>(p, panel);
  _tile_release();
}

inline constexpr KernelTable table =
    avx512vnni::table.with_int8(Isa::amx, product_int8, avx512vnni::quantize);

}  // namespace kernels::amx
}  // namespace eigenformer::inline v0

#undef EIGENFORMER_TARGET
#endif  // EIGENFORMER_X86_64
