// SPDX-License-Identifier: MIT
// The kernels, written once over F32x16 and included into each instruction set's namespace, after
// its vector type. Each equals its twin in reference/ bit for bit, where fma() is fused.

// In this order: each builds on those before it.
// clang-format off
#include "eigenformer/kernels/simd/math.inl"
#include "eigenformer/kernels/simd/elementwise.inl"
#include "eigenformer/kernels/simd/norm.inl"
#include "eigenformer/kernels/simd/softmax.inl"
#include "eigenformer/kernels/simd/product.inl"
#include "eigenformer/kernels/simd/attention.inl"
// clang-format on

inline constexpr KernelTable table = {
    .isa = isa,
    .product = {all_tiles<FloatTile<float>>, all_tiles<FloatTile<Half>>,
                all_tiles<FloatTile<Bfloat16>>, product_int8},
    .quantize = quantize,
    .pack_block = pack_block,
    .attention = attention,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .softmax = softmax,
    .log_sum_exp = log_sum_exp,
    .exp_sum = exp_sum,
    .find_above = find_above,
    .log_softmax = log_softmax,
    .activation = {map<Relu>, map<Gelu>, map<GeluTanh>, map<QuickGelu>, map<Silu>, map<Sigmoid>,
                   map<Tanh>},
    .exp = map<Exp>,
    .erf = map<Erf>,
    .add = combine<Add>,
    .multiply = combine<Multiply>,
    .scale = scale,
    .scale_add = scale_add,
    .widen_half = widen_row<Half>,
    .widen_bfloat16 = widen_row<Bfloat16>,
    .narrow_half = narrow_row<Half>,
    .narrow_bfloat16 = narrow_row<Bfloat16>,
};
