// SPDX-License-Identifier: MIT
/// Which storage a file's numbers ask for.
#pragma once

#include <cmath>
#include <cstddef>

#include "eigenformer/architectures/int8_tensor.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/tensor_values.hpp"

namespace eigenformer::inline v0 {

namespace detail {

/// Whether no number becomes infinite in half precision.
inline bool all_fit_f16(const io::Tensors& tensors) {
  for (const io::NamedTensor& entry : tensors) {
    if (entry.tensor.type == io::DataType::f16 || !io::is_float(entry.tensor.type)) continue;
    // Scales stand for up to 127 times themselves.
    const float factor = tensor_scaled_by(tensors, entry.name) ? 127.0f : 1.0f;
    for (const float value : io::values<float>(tensors, entry.name)) {
      if (std::abs(value) * factor >= 65520.0f && std::isfinite(value)) return false;
    }
  }
  return true;
}

}  // namespace detail

/// The type that most numbers of the tensors have, unless it is too narrow for the others; else
/// f32. Integers are weights in int8 (docs/int8.md).
inline Storage storage_of(const io::Tensors& tensors) {
  std::size_t f16 = 0, bf16 = 0, int8 = 0, all = 0;
  for (const io::NamedTensor& entry : tensors) {
    const std::size_t elements = entry.tensor.elements();
    all += elements;
    if (entry.tensor.type == io::DataType::f16) f16 += elements;
    if (entry.tensor.type == io::DataType::bf16) bf16 += elements;
    if (entry.tensor.type == io::DataType::i8) int8 += elements;
  }
  if (int8 > all / 2) return Storage::int8;
  if (f16 > all / 2 && detail::all_fit_f16(tensors)) return Storage::f16;
  return bf16 > all / 2 ? Storage::bf16 : Storage::f32;
}

}  // namespace eigenformer::inline v0
