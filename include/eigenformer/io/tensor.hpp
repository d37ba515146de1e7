// SPDX-License-Identifier: MIT
/// Tensors as files hold them: an element type, a shape, bytes in row-major order, and a name.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/tensor_bytes.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

/// The type of a tensor's elements. In the order in which safetensors writers lay tensors out, last
/// first: never smaller than the one before, so that every tensor is aligned to its elements.
enum class DataType : std::uint8_t {
  boolean,  ///< one byte: 0 or 1
  u8,
  i8,
  i16,
  u16,
  f16,   ///< IEEE 754 binary16
  bf16,  ///< the upper half of binary32
  i32,
  u32,
  f32,
  f64,
  i64,
  u64,
};

inline constexpr std::size_t data_types = 13;

/// The type's name as safetensors spells it.
constexpr std::string_view name(DataType type) {
  switch (type) {
    case DataType::boolean: return "BOOL";
    case DataType::u8: return "U8";
    case DataType::i8: return "I8";
    case DataType::i16: return "I16";
    case DataType::u16: return "U16";
    case DataType::f16: return "F16";
    case DataType::bf16: return "BF16";
    case DataType::i32: return "I32";
    case DataType::u32: return "U32";
    case DataType::f32: return "F32";
    case DataType::f64: return "F64";
    case DataType::i64: return "I64";
    case DataType::u64: return "U64";
  }
  return "unknown";
}

/// Bytes of one element.
constexpr std::size_t size_of(DataType type) {
  switch (type) {
    case DataType::boolean:
    case DataType::u8:
    case DataType::i8: return 1;
    case DataType::i16:
    case DataType::u16:
    case DataType::f16:
    case DataType::bf16: return 2;
    case DataType::i32:
    case DataType::u32:
    case DataType::f32: return 4;
    case DataType::f64:
    case DataType::i64:
    case DataType::u64: return 8;
  }
  return 0;
}

/// Whether a model's numbers may have it.
constexpr bool is_float(DataType type) {
  return type == DataType::f16 || type == DataType::bf16 || type == DataType::f32 ||
         type == DataType::f64;
}

/// The type of that name in safetensors' spelling, or nothing.
constexpr std::optional<DataType> data_type_named(std::string_view wanted) {
  for (std::size_t i = 0; i < data_types; ++i) {
    const auto type = static_cast<DataType>(i);
    if (name(type) == wanted) return type;
  }
  return std::nullopt;
}

/// A tensor's dimensions, outermost first; empty for a single number.
using Shape = std::vector<std::int64_t>;

/// The shape for a message: "[3, 4]".
inline std::string text(const Shape& shape) {
  std::string out = "[";
  for (const std::int64_t dimension : shape) {
    if (out.size() > 1) out += ", ";
    out += std::to_string(dimension);
  }
  return out + "]";
}

/// Bytes of a tensor, or nothing where a dimension is negative or 63 bits don't hold the product of
/// those that aren't 0. So no product of some of the dimensions overflows either.
inline std::optional<std::int64_t> byte_size(DataType type, const Shape& shape) {
  auto product = static_cast<std::int64_t>(size_of(type));
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    empty = empty || dimension == 0;
    if (dimension == 0) continue;
    if (product > std::numeric_limits<std::int64_t>::max() / dimension) return std::nullopt;
    product *= dimension;
  }
  return empty ? 0 : product;
}

/// A tensor whose bytes somebody else owns, in memory or in a file: copy_values reads both.
struct TensorView {
  DataType type = DataType::f32;
  Shape shape;
  TensorBytes bytes;  ///< row-major, little-endian, as many as byte_size says; of any alignment

  std::size_t elements() const { return bytes.size() / size_of(type); }
};

/// The type and shape for a message: "F32 [3, 4]".
inline std::string text(const TensorView& tensor) {
  return std::string(name(tensor.type)) + " " + text(tensor.shape);
}

struct NamedTensor {
  std::string name;
  TensorView tensor;
};

/// What a file says about itself, such as {"format", "pt"}.
using Metadata = std::map<std::string, std::string, std::less<>>;

/// The tensors of a file, or of several that make one checkpoint, ordered by name, and what keeps
/// their bytes. Views stay valid as long as this, a copy of it, or what either was moved to.
class Tensors {
 public:
  /// Tensors whose bytes `bytes` keeps: any object, or none where somebody else keeps them. `file`
  /// names them in errors. Throws Error(format) where two have one name.
  Tensors(std::string file, std::vector<NamedTensor> tensors, std::shared_ptr<const void> bytes,
          Metadata metadata = {})
      : file_(std::move(file)), tensors_(std::move(tensors)), metadata_(std::move(metadata)) {
    owners_.push_back(std::move(bytes));
    sort();
  }

  /// Tensors whose bytes lie in a buffer. Throws the same.
  Tensors(std::string file, std::vector<NamedTensor> tensors, ByteBuffer bytes,
          Metadata metadata = {})
      : Tensors(std::move(file), std::move(tensors),
                std::make_shared<const ByteBuffer>(std::move(bytes)), std::move(metadata)) {}

  /// All tensors of the parts, with their bytes; of metadata that several have, the first's.
  /// Throws Error(format) where two tensors have one name.
  Tensors(std::string file, std::vector<Tensors> parts) : file_(std::move(file)) {
    for (Tensors& part : parts) {
      std::move(part.tensors_.begin(), part.tensors_.end(), std::back_inserter(tensors_));
      std::move(part.owners_.begin(), part.owners_.end(), std::back_inserter(owners_));
      metadata_.merge(part.metadata_);
    }
    sort();
  }

  /// The file's name, for messages.
  const std::string& file() const noexcept { return file_; }

  const Metadata& metadata() const noexcept { return metadata_; }

  std::size_t size() const noexcept { return tensors_.size(); }

  // Iteration gives NamedTensor in the order of names, compared as bytes.
  auto begin() const noexcept { return tensors_.begin(); }
  auto end() const noexcept { return tensors_.end(); }

  /// All names, in order. Valid as long as the views.
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> out;
    out.reserve(tensors_.size());
    for (const NamedTensor& entry : tensors_) out.push_back(entry.name);
    return out;
  }

  /// The tensor of that name, or a null pointer.
  const TensorView* find(std::string_view name) const noexcept {
    const auto found = std::lower_bound(
        tensors_.begin(), tensors_.end(), name,
        [](const NamedTensor& entry, std::string_view wanted) { return entry.name < wanted; });
    return found != tensors_.end() && found->name == name ? &found->tensor : nullptr;
  }

  /// The tensor of that name. Throws Error(missing_tensor).
  const TensorView& at(std::string_view name) const {
    if (const TensorView* tensor = find(name)) return *tensor;
    throw Error(ErrorCode::missing_tensor, file_ + ": tensor " + excerpt(name) +
                                               " is missing among " +
                                               std::to_string(tensors_.size()));
  }

 private:
  /// Orders the tensors by name. Throws Error(format) where two have the same.
  void sort() {
    std::sort(tensors_.begin(), tensors_.end(),
              [](const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; });
    const auto twin = std::adjacent_find(
        tensors_.begin(), tensors_.end(),
        [](const NamedTensor& a, const NamedTensor& b) { return a.name == b.name; });
    if (twin != tensors_.end()) {
      throw Error(ErrorCode::format, file_ + ": tensor " + excerpt(twin->name) + " occurs twice");
    }
  }

  std::string file_;
  std::vector<NamedTensor> tensors_;
  std::vector<std::shared_ptr<const void>> owners_;
  Metadata metadata_;
};

}  // namespace eigenformer::inline v0::io
