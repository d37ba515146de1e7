// SPDX-License-Identifier: MIT
/// A file's tensors as numbers of one type. Widening is exact; float from F64 rounds to nearest.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/half.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

namespace detail {

/// out[i] = convert(element i), whatever the alignment of the bytes; of a file, some at a time.
template <class Element, class Value, class Convert>
void convert_elements(const TensorBytes& bytes, std::span<Value> out, Convert convert) {
  constexpr std::size_t most = (std::size_t{1} << 16) / sizeof(Element);
  ByteBuffer buffer;
  for (std::size_t begin = 0; begin < out.size(); begin += most) {
    const auto part = out.subspan(begin, std::min(most, out.size() - begin));
    const auto piece = bytes.subspan(begin * sizeof(Element), part.size() * sizeof(Element));
    const std::byte* from = piece.in(buffer).data();
    for (Value& value : part) {
      Element element;
      std::memcpy(&element, from, sizeof(Element));
      from += sizeof(Element);
      value = convert(element);
    }
  }
}

/// Throws Error(shape_mismatch) unless out has a place for each element and no more.
template <class Value>
void check_size(const TensorView& tensor, std::span<Value> out) {
  if (tensor.elements() == out.size()) return;
  throw Error(ErrorCode::shape_mismatch, "a tensor " + text(tensor) + " does not fill " +
                                             std::to_string(out.size()) + " values");
}

[[noreturn]] inline void refuse_type(const TensorView& tensor, const char* expected) {
  throw Error(ErrorCode::unsupported,
              std::string("expected ") + expected + ", got a tensor " + text(tensor));
}

}  // namespace detail

/// The elements of a tensor of floating type, as float or double. Throws Error(shape_mismatch)
/// unless there are out.size() of them, Error(unsupported) for other types, Error(io) for a file
/// that cannot be read any more.
template <std::floating_point Real>
void copy_values(const TensorView& tensor, std::span<Real> out) {
  detail::check_size(tensor, out);
  const FloatingPointGuard guard;  // F64 is rounded, denormals are widened
  const auto cast = [](auto value) { return static_cast<Real>(value); };
  const auto widen = [](auto value) { return static_cast<Real>(to_float(value)); };
  switch (tensor.type) {
    case DataType::f64: return detail::convert_elements<double>(tensor.bytes, out, cast);
    case DataType::f32: return detail::convert_elements<float>(tensor.bytes, out, cast);
    case DataType::f16: return detail::convert_elements<Half>(tensor.bytes, out, widen);
    case DataType::bf16: return detail::convert_elements<Bfloat16>(tensor.bytes, out, widen);
    default: detail::refuse_type(tensor, "F64, F32, F16 or BF16");
  }
}

/// The elements of a tensor of integers or booleans (then 0 and 1). Throws Error(shape_mismatch)
/// unless there are out.size() of them, Error(unsupported) for other types, U64 included: int64_t
/// does not hold it; Error(io) for a file that cannot be read any more.
inline void copy_values(const TensorView& tensor, std::span<std::int64_t> out) {
  detail::check_size(tensor, out);
  const auto cast = [](auto value) { return static_cast<std::int64_t>(value); };
  const auto truth = [](std::uint8_t value) { return std::int64_t{value != 0}; };
  switch (tensor.type) {
    case DataType::i64: return detail::convert_elements<std::int64_t>(tensor.bytes, out, cast);
    case DataType::i32: return detail::convert_elements<std::int32_t>(tensor.bytes, out, cast);
    case DataType::u32: return detail::convert_elements<std::uint32_t>(tensor.bytes, out, cast);
    case DataType::i16: return detail::convert_elements<std::int16_t>(tensor.bytes, out, cast);
    case DataType::u16: return detail::convert_elements<std::uint16_t>(tensor.bytes, out, cast);
    case DataType::i8: return detail::convert_elements<std::int8_t>(tensor.bytes, out, cast);
    case DataType::u8: return detail::convert_elements<std::uint8_t>(tensor.bytes, out, cast);
    case DataType::boolean: return detail::convert_elements<std::uint8_t>(tensor.bytes, out, truth);
    default: detail::refuse_type(tensor, "an integer type or BOOL");
  }
}

/// All elements of the tensor of that name, in row-major order, as float, double or int64_t. Throws
/// Error(missing_tensor), Error(unsupported) for a type that copy_values refuses, Error(io) or
/// Error(out_of_memory).
template <class Value>
std::vector<Value> values(const Tensors& tensors, std::string_view name) {
  const TensorView& tensor = tensors.at(name);
  return or_out_of_memory(tensors.file(), [&] {
    std::vector<Value> out(tensor.elements());
    try {
      copy_values(tensor, std::span<Value>(out));
    } catch (const Error& error) {
      // What a file says names it.
      if (error.code() == ErrorCode::io || error.code() == ErrorCode::out_of_memory) throw;
      throw Error(error.code(), tensors.file() + ": tensor " + excerpt(name) + ": " + error.what());
    }
    return out;
  });
}

}  // namespace eigenformer::inline v0::io
