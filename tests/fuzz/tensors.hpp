// SPDX-License-Identifier: MIT
/// What holds of all tensors that a reader gives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/tensor_values.hpp"
#include "fuzz.hpp"

namespace eigenformer::fuzz {

inline bool equal(const io::Tensors& a, const io::Tensors& b) {
  const auto same = [](const auto& x, const auto& y) {
    return x.name == y.name && x.tensor.type == y.tensor.type && x.tensor.shape == y.tensor.shape &&
           same_bytes(x.tensor.bytes, y.tensor.bytes);
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same) && a.metadata() == b.metadata();
}

/// Reads every byte. Returns how many there are.
inline std::size_t check(const io::Tensors& tensors) {
  std::size_t bytes = 0;
  const std::string* before = nullptr;
  for (const auto& [name, tensor] : tensors) {
    require(before == nullptr || *before < name, "tensors are ordered by name");
    before = &name;
    const auto size = byte_size(tensor.type, tensor.shape);
    require(size && *size == static_cast<std::int64_t>(tensor.bytes.size()),
            "a tensor has the bytes of its shape");
    require(tensors.find(name) == &tensor, "a tensor is found by its name");
    if (is_float(tensor.type)) io::values<float>(tensors, name);
    bytes += tensor.bytes.size();
  }
  return bytes;
}

}  // namespace eigenformer::fuzz
