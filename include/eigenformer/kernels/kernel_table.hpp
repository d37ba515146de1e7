// SPDX-License-Identifier: MIT
/// What a set of kernels offers: plain functions on pointers, one table for each instruction set.
/// The functions in reference/ are the definition; all but the `portable` set equal it bit for bit.
#pragma once

#include <iterator>

#include "eigenformer/core/half.hpp"
#include "eigenformer/core/storage.hpp"
#include "eigenformer/core/types.hpp"
#include "eigenformer/kernels/activation.hpp"

namespace eigenformer::inline v0 {

/// Instruction sets, slowest first within each architecture.
enum class Isa {
  reference,   ///< plain C++, the definition; needs nothing
  portable,    ///< vectors without fused multiply-add: the same to a tolerance, needs nothing
  avx2,        ///< x86-64 with AVX2, FMA and F16C
  avxvnni,     ///< and AVX-VNNI
  avx512,      ///< x86-64 with AVX-512 F, BW, DQ and VL
  avx512vnni,  ///< and AVX-512 VNNI
  amx,         ///< and AMX's tiles, with int8
  neon,        ///< every aarch64
  neondot,     ///< and dot products in int8
};

inline constexpr Isa all_isas[] = {Isa::reference, Isa::portable, Isa::avx2,
                                   Isa::avxvnni,   Isa::avx512,   Isa::avx512vnni,
                                   Isa::amx,       Isa::neon,     Isa::neondot};

constexpr const char* name(Isa isa) {
  switch (isa) {
    case Isa::reference: return "reference";
    case Isa::portable: return "portable";
    case Isa::avx2: return "avx2";
    case Isa::avxvnni: return "avxvnni";
    case Isa::avx512: return "avx512";
    case Isa::avx512vnni: return "avx512vnni";
    case Isa::amx: return "amx";
    case Isa::neon: return "neon";
    case Isa::neondot: return "neondot";
  }
  return "unknown";
}

namespace kernels {

/// What a product in int8 has besides: rows as the same table's `quantize` wrote them.
struct Int8Operands {
  const std::int8_t* x;         ///< [rows, inputs up to a multiple of 64]
  Index x_stride;               ///< a multiple of 64
  const float* x_scale;         ///< [rows]
  const float* weight_scale;    ///< as WeightMatrix has them
  const std::int32_t* offsets;  ///< as WeightMatrix has them
};

/// out[r, o] = sum over i, ascending, of x[r, i] w[o, i]; then + bias[o].
/// In int8 the sum is of integers, and out[r, o] = fma(sum x_scale[r], weight_scale[o], bias[o] or
/// 0).
struct Product {
  const float* x;  ///< [rows, inputs]
  Index x_stride;
  Index rows;
  Index inputs;
  const void* weight;  ///< panels as WeightMatrix packs them
  const float* bias;   ///< [outputs], or nullptr
  Index outputs;
  float* out;  ///< [rows, outputs]
  Index out_stride;
  Int8Operands int8 = {};  ///< in place of x
  Index matrix_bytes = 0;  ///< of the whole matrix that the panels are of

  Index panels() const { return divide_up(outputs, lanes); }
  /// Whether a single row's weights come from memory: then it says early what it will read.
  /// Nearer caches are faster without.
  bool streams() const { return matrix_bytes >= Index{16} << 20; }
};

/// The parameters of a norm.
template <class Scalar>
struct NormWeights {
  const Scalar* weight;  ///< [features]
  const Scalar* bias;    ///< [features], or nullptr
  Scalar epsilon;        ///< added to the variance, or to the mean square
};

/// One row of LayerNorm or RMSNorm. y may be x.
struct NormRow {
  const float* x;       ///< [features]
  const float* weight;  ///< [features]
  const float* bias;    ///< [features], or nullptr
  float epsilon;        ///< added to the variance, or to the mean square
  float* y;             ///< [features]
  Index features;
};

/// log(sum of exp(x)) = max + log_sum: kept apart, because x - max is exact where it matters.
struct LogSumExp {
  float max;
  float log_sum;
};

/// Columns whose exponentials are summed before they are merged with those before them.
inline constexpr Index log_sum_exp_block = 1024;

/// The largest x of a block, and the sum of exp(x - max): of exp(x), where max is -infinity.
struct ExpSum {
  float max;
  float sum;
};

/// A block of 16 keys and values of one key/value head: keys [d_head][16], then values
/// [16][d_head rounded up to 16].
constexpr Index block_floats(Index d_head) { return lanes * (d_head + round_up(d_head, lanes)); }

/// Copies up to 16 keys and values into a block, and zeros into the rest of it.
struct BlockPacking {
  const float* keys;  ///< [count, d_head]
  Index key_stride;
  const float* values;  ///< [count, d_head]
  Index value_stride;
  Index count;  ///< 0 to 16
  Index d_head;
  float* block;  ///< block_floats(d_head), 64-byte aligned
};

/// The largest score of a query and the sum of exp(score - max) over its keys.
struct AttentionStatistics {
  float max;
  float sum;
};

/// Keys are taken 64 at a time, from key 0.
inline constexpr Index tile_keys = 64;
/// Queries of one call to an attention kernel: a larger head is cut into calls.
inline constexpr Index tile_queries = 48;

/// Up to 48 queries of one head of one sequence:
///     score[q, k] = sum over d, ascending, of (scale query[q, d]) key[k, d]; then + bias[k -
///     position] out[q] = softmax of the scores of the keys that q sees, times their values
/// by tiles of 64 keys (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018).
/// A query that sees no key gets zeros.
struct AttentionTile {
  const float* query;  ///< [queries, d_head]
  Index query_stride;
  Index queries;  ///< 1 to 48
  Index d_head;
  const float* const* blocks;  ///< ceil(keys / 16) blocks
  Index keys;
  Index first_position;  ///< of query 0, in the keys' count
  Index back, ahead;     ///< a query at position p sees the keys [p - back, p + ahead]
  float scale;
  const float* bias;  ///< bias[key - position], from the middle of its array; or nullptr
  float* out;         ///< [queries, d_head]
  Index out_stride;
  AttentionStatistics* statistics;  ///< [queries], or nullptr
  float* scratch;                   ///< attention_scratch(d_head), 64-byte aligned

  Index keys_begin(Index q) const {
    const Index begin = first_position + q - back;
    return begin > 0 ? begin : 0;
  }
  Index keys_end(Index q) const {
    const Index end = first_position + q + ahead + 1;
    return end < keys ? end : keys;
  }
};

/// Floats that one call to an attention kernel works in: scaled queries, and contexts so far.
constexpr Index attention_scratch(Index d_head) {
  return 2 * tile_queries * round_up(d_head, lanes);
}

/// One function a kernel. x and y of [n] elements may be the same; they need no alignment.
struct KernelTable {
  Isa isa;

  /// By Storage.
  void (*product[std::size(all_storages)])(const Product&);
  /// x [n] as product[int8] reads it, q [n up to a multiple of 64]; the scale. q's form is the
  /// table's own, its meaning quantize_row()'s.
  float (*quantize)(const float* x, Index n, std::int8_t* q);
  void (*pack_block)(const BlockPacking&);
  void (*attention)(const AttentionTile&);

  void (*layer_norm)(const NormRow&);
  void (*rms_norm)(const NormRow&);

  void (*softmax)(const float* x, float* y, Index n);
  /// Over blocks of 1,024 columns, merged in ascending order.
  LogSumExp (*log_sum_exp)(const float* x, Index n);
  /// Of one such block.
  ExpSum (*exp_sum)(const float* x, Index n);
  /// The least i >= begin with x[i] > threshold, or n.
  Index (*find_above)(const float* x, Index begin, Index n, float threshold);
  /// y = (x - max) - log_sum.
  void (*log_softmax)(const float* x, float* y, Index n);

  /// By Activation.
  void (*activation[activations])(const float* x, float* y, Index n);
  void (*exp)(const float* x, float* y, Index n);
  void (*erf)(const float* x, float* y, Index n);

  void (*add)(const float* a, const float* b, float* y, Index n);
  void (*multiply)(const float* a, const float* b, float* y, Index n);
  void (*scale)(const float* x, float factor, float* y, Index n);
  /// y = fma(x, factor, addend).
  void (*scale_add)(const float* x, float factor, const float* addend, float* y, Index n);

  void (*widen_half)(const Half* x, float* y, Index n);
  void (*widen_bfloat16)(const Bfloat16* x, float* y, Index n);
  void (*narrow_half)(const float* x, Half* y, Index n);
  void (*narrow_bfloat16)(const float* x, Bfloat16* y, Index n);

  /// The same table with other kernels for int8.
  constexpr KernelTable with_int8(Isa its_isa, void (*its_product)(const Product&),
                                  float (*its_quantize)(const float*, Index, std::int8_t*)) const {
    KernelTable table = *this;
    table.isa = its_isa;
    table.product[static_cast<int>(Storage::int8)] = its_product;
    table.quantize = its_quantize;
    return table;
  }
};

}  // namespace kernels
}  // namespace eigenformer::inline v0
