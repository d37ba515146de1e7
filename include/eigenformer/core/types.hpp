// SPDX-License-Identifier: MIT
/// The words that every header uses for numbers of things.
#pragma once

#include <cstddef>
#include <cstdint>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {

/// Numbers of rows, columns, tokens, heads: signed, 64 bits, as Eigen's own.
using Index = std::ptrdiff_t;

/// A token's number in its vocabulary.
using TokenId = std::int32_t;

/// Matrices and blocks start on a cache line.
inline constexpr std::size_t alignment = 64;

/// Kernels work on vectors of this many floats, whatever the machine's registers hold: panels are
/// this wide, and sums have this many partial accumulators.
inline constexpr Index lanes = 16;

/// ceil(count / size), both positive.
constexpr Index divide_up(Index count, Index size) { return (count + size - 1) / size; }

/// The smallest multiple of `size` that holds `count`.
constexpr Index round_up(Index count, Index size) { return divide_up(count, size) * size; }

}  // namespace eigenformer::inline v0
