// SPDX-License-Identifier: MIT
/// What simd/kernels.inl needs before it is included into a namespace that has a vector type.
///
/// Such a namespace defines EIGENFORMER_TARGET (the attribute that lets a function use the
/// instruction set, whatever flags the including file is compiled with), isa,
/// tile_rows, tile_panels, tile_row_panels, F32x16 and its operations; the kernels are then written
/// once, in simd/.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/reference/int8.hpp"
#include "eigenformer/kernels/reference/product.hpp"
#include "eigenformer/kernels/reference/softmax.hpp"

namespace eigenformer::inline v0 {
namespace kernels {

/// Whether a tile of a single row asks early for the panels after those it reads.
enum class Ahead { no, yes };

}  // namespace kernels
}  // namespace eigenformer::inline v0
