// SPDX-License-Identifier: MIT
/// Writing safetensors files, with the bytes that the reference implementation would write.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/atomic_file.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

namespace detail {

/// Throws Error(invalid_argument) where no file could hold this tensor.
inline void check_writable(const NamedTensor& entry) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::invalid_argument, "tensor " + excerpt(entry.name) + ": " + what);
  };
  if (!is_utf8(entry.name)) fail("its name is not UTF-8");
  if (entry.name == "__metadata__") fail("the name is reserved");
  const std::optional<std::int64_t> bytes = byte_size(entry.tensor.type, entry.tensor.shape);
  if (!bytes || static_cast<std::uint64_t>(*bytes) != entry.tensor.bytes.size()) {
    fail(text(entry.tensor) + " does not take " + std::to_string(entry.tensor.bytes.size()) +
         " bytes");
  }
}

/// Widest elements first, so that all are aligned; then by name.
inline std::vector<const NamedTensor*> safetensors_order(std::span<const NamedTensor> tensors) {
  std::vector<const NamedTensor*> order;
  order.reserve(tensors.size());
  for (const NamedTensor& entry : tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    if (a->tensor.type != b->tensor.type) return a->tensor.type > b->tensor.type;
    return a->name < b->name;
  });
  return order;
}

inline std::string safetensors_metadata_text(const Metadata& metadata) {
  std::string out;
  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key) || !is_utf8(value)) {
      throw Error(ErrorCode::invalid_argument, "metadata " + json_quoted(key) + ": is not UTF-8");
    }
    out += (out.empty() ? "{" : ",") + json_quoted(key) + ":" + json_quoted(value);
  }
  return out + "}";
}

/// The JSON header, padded with spaces so that the data begins at a multiple of 8 bytes.
inline std::string safetensors_header_text(std::span<const NamedTensor* const> order,
                                           const Metadata& metadata) {
  std::string out;
  const auto member = [&](std::string_view key, const std::string& value) {
    out += out.empty() ? '{' : ',';
    out += json_quoted(key) + ":" + value;
  };
  if (!metadata.empty()) member("__metadata__", safetensors_metadata_text(metadata));
  std::uint64_t begin = 0;
  for (const NamedTensor* entry : order) {
    const TensorView& tensor = entry->tensor;
    std::string value = "{\"dtype\":\"" + std::string(name(tensor.type)) + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      if (i != 0) value += ',';
      value += std::to_string(tensor.shape[i]);
    }
    const std::uint64_t end = begin + tensor.bytes.size();
    value += "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
    member(entry->name, value);
    begin = end;
  }
  if (out.empty()) out = "{";
  out += '}';
  while (out.size() % 8 != 0) out += ' ';
  return out;
}

}  // namespace detail

/// Writes the tensors to a safetensors file, which appears whole or not at all. Their order in the
/// list does not matter. Throws Error(invalid_argument): two of one name, a name or metadata that
/// is not UTF-8, bytes that don't fit a shape; Error(io), also of a file that the tensors are in;
/// or Error(out_of_memory).
inline void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                              const Metadata& metadata = {}) {
  std::set<std::string_view> names;
  for (const NamedTensor& entry : tensors) {
    detail::check_writable(entry);
    if (!names.insert(entry.name).second) {
      throw Error(ErrorCode::invalid_argument, "tensor " + excerpt(entry.name) + ": occurs twice");
    }
  }
  const std::vector<const NamedTensor*> order = detail::safetensors_order(tensors);
  const std::string header = detail::safetensors_header_text(order, metadata);
  const std::uint64_t size = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&size, 1)));
  file.write(std::as_bytes(std::span(header)));
  ByteBuffer buffer;
  for (const NamedTensor* entry : order) file.write(entry->tensor.bytes.in(buffer));
  file.commit();
}

}  // namespace eigenformer::inline v0::io
