// SPDX-License-Identifier: MIT
/// The definitions as a table.
#pragma once

#include "eigenformer/kernels/reference/attention.hpp"
#include "eigenformer/kernels/reference/elementwise.hpp"
#include "eigenformer/kernels/reference/int8.hpp"
#include "eigenformer/kernels/reference/norm.hpp"
#include "eigenformer/kernels/reference/product.hpp"
#include "eigenformer/kernels/reference/softmax.hpp"

namespace eigenformer::inline v0 {
namespace kernels::reference {

inline constexpr KernelTable table = {
    .isa = Isa::reference,
    .product = {product<float>, product<Half>, product<Bfloat16>, product_int8},
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
    .activation = {map<relu>, map<gelu>, map<gelu_tanh>, map<quick_gelu>, map<silu>, map<sigmoid>,
                   map<tanh>},
    .exp = map<exp>,
    .erf = map<erf>,
    .add = add,
    .multiply = multiply,
    .scale = scale,
    .scale_add = scale_add,
    .widen_half = widen<Half>,
    .widen_bfloat16 = widen<Bfloat16>,
    .narrow_half = narrow_half,
    .narrow_bfloat16 = narrow_bfloat16,
};

}  // namespace kernels::reference
}  // namespace eigenformer::inline v0
