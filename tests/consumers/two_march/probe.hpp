// SPDX-License-Identifier: MIT
/// What one translation unit sees of the library and does with it. Each of plain.cpp, native.cpp
/// and avx2.cpp makes a probe with other flags; main.cpp crosses them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eigenformer/core/batch.hpp"
#include "eigenformer/core/context.hpp"
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/core/rows.hpp"
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/eigenformer.hpp"

struct Layout {
  std::string type;
  std::size_t size, alignment;
  bool operator==(const Layout&) const = default;
};

struct Probe {
  std::string name;
  std::vector<Layout> (*layouts)();
  void (*throws)();
  bool (*catches)(void (*throws)());
  /// [rows, cols], element (r, c) = r - c / 4.
  eigenformer::Matrix<float> (*makes)(eigenformer::Index rows, eigenformer::Index cols);
  /// The product, in memory that this unit allocates, after freeing `a` and `b`.
  eigenformer::Matrix<float> (*multiplies)(eigenformer::Matrix<float> a,
                                           eigenformer::Matrix<float> b);
  /// What an encoder block of weights from a seed makes of x [tokens, 16].
  eigenformer::Matrix<float> (*encodes)(eigenformer::Matrix<float> x);
};

Probe plain_probe();
Probe native_probe();
Probe avx2_probe();
