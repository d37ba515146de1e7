// SPDX-License-Identifier: MIT
/// Parameters on their way into a file: what bind() reads, written.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigenformer/architectures/int8_tensor.hpp"
#include "eigenformer/architectures/names.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/layers/module.hpp"

namespace eigenformer::inline v0 {

/// The tensors of a file, from parameters and a table of names. A weight matrix is F32, F16, BF16,
/// or I8 with scales (docs/int8.md), as it is stored; everything else F32; of a layer of doubles,
/// all is F64.
class StoredTensors {
 public:
  explicit StoredTensors(NameTable names) : names_(std::move(names)) {}

  /// Throws Error(invalid_argument) where the table has no name for it, or has it already for
  /// something else; Error(not_a_number) where int8 could not hold what it was made of.
  void add(const std::string& parameter, const WeightMatrix<float>& value) {
    const TensorSource source = source_of(parameter);
    switch (value.storage()) {
      case Storage::f32: return add_rows<float>(source, value, [](float x) { return x; });
      case Storage::f16: return add_rows<Half>(source, value, to_half);
      case Storage::bf16: return add_rows<Bfloat16>(source, value, to_bfloat16);
      case Storage::int8: return add_integers(source, value);
    }
  }
  template <class Parameter>
  void add(const std::string& parameter, const Parameter& value) {
    const auto numbers = value_of(value);
    const ParameterShape shape = shape_of(value);
    const TensorSource source = source_of(parameter);
    io::Shape stored = {shape.rows, shape.cols};
    if (shape.rank == 1 && !source.as_row) stored = {shape.cols};
    const auto size = static_cast<std::size_t>(numbers.size());
    put(source, source.tensor, stored, std::span(numbers.data(), size));
  }

  /// They stay valid as long as this. Throws Error(invalid_argument) where a part of one is
  /// missing.
  std::vector<io::NamedTensor> list() const {
    std::vector<io::NamedTensor> out;
    for (const auto& [name, tensor] : tensors_) {
      if (std::count(tensor.filled.begin(), tensor.filled.end(), false) > 0) {
        refuse(name, "no parameter for a part of it");
      }
      out.push_back({name, {tensor.type, tensor.shape, tensor.bytes.span()}});
    }
    return out;
  }

 private:
  struct Tensor {
    io::DataType type;
    io::Shape shape;
    io::ByteBuffer bytes;
    std::vector<bool> filled;  ///< which parts
  };

  static constexpr io::DataType type_of(float) { return io::DataType::f32; }
  static constexpr io::DataType type_of(double) { return io::DataType::f64; }
  static constexpr io::DataType type_of(Half) { return io::DataType::f16; }
  static constexpr io::DataType type_of(Bfloat16) { return io::DataType::bf16; }
  static constexpr io::DataType type_of(std::int8_t) { return io::DataType::i8; }

  [[noreturn]] static void refuse(const std::string& tensor, const std::string& what) {
    throw Error(ErrorCode::invalid_argument, "tensor " + io::excerpt(tensor) + ": " + what);
  }
  TensorSource source_of(const std::string& parameter) const {
    if (const auto source = find_source(names_, parameter)) return *source;
    throw Error(ErrorCode::invalid_argument, "no line of the table names " + parameter);
  }

  template <class Element, class Convert>
  void add_rows(const TensorSource& source, const WeightMatrix<float>& value, Convert convert) {
    std::vector<Element> elements;
    elements.reserve(static_cast<std::size_t>(value.outputs() * value.inputs()));
    std::vector<float> row(static_cast<std::size_t>(value.inputs()));
    for (Index output = 0; output < value.outputs(); ++output) {
      value.copy_row(output, row.data());
      std::transform(row.begin(), row.end(), std::back_inserter(elements), convert);
    }
    put(source, source.tensor, {value.outputs(), value.inputs()},
        std::span<const Element>(elements));
  }
  void add_integers(const TensorSource& source, const WeightMatrix<float>& value) {
    const auto outputs = static_cast<std::size_t>(value.outputs());
    for (std::size_t row = 0; row < outputs; ++row) {
      if (std::isfinite(value.scales()[row])) continue;
      throw Error(ErrorCode::not_a_number, "tensor " + io::excerpt(source.tensor) + ": row " +
                                               std::to_string(row) +
                                               " had an infinity or a NaN, which int8 lacks");
    }
    std::vector<std::int8_t> integers(outputs * static_cast<std::size_t>(value.inputs()));
    for (Index output = 0; output < value.outputs(); ++output) {
      value.copy_integers(output, integers.data() + output * value.inputs());
    }
    put(source, source.tensor, {value.outputs(), value.inputs()},
        std::span<const std::int8_t>(integers));
    put(source, int8_scale_name(source.tensor), {value.outputs()},
        std::span<const float>(value.scales(), outputs));
  }

  /// A part of the tensor `name`: elements [part_shape].
  template <class Element>
  void put(const TensorSource& source, const std::string& name, io::Shape shape,
           std::span<const Element> elements) {
    const auto bytes = std::as_bytes(elements);
    const auto parts = static_cast<std::size_t>(source.parts);
    const auto part = static_cast<std::size_t>(source.part);
    shape[shape.size() == 2 && source.as_row ? 1 : 0] *= source.parts;
    auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      Tensor fresh{type_of(Element{}), shape, io::ByteBuffer(bytes.size() * parts),
                   std::vector<bool>(parts)};
      found = tensors_.emplace(name, std::move(fresh)).first;
    }
    Tensor& tensor = found->second;
    const auto place = tensor.bytes.span();
    if (tensor.type != type_of(Element{}) || tensor.shape != shape ||
        tensor.filled.size() != parts) {
      refuse(name, "parameters of several forms have this name");
    }
    const auto target = place.subspan(part * bytes.size(), bytes.size());
    if (tensor.filled[part] && !std::ranges::equal(target, bytes)) {
      refuse(name, "parameters with different numbers have this name");
    }
    std::ranges::copy(bytes, target.begin());
    tensor.filled[part] = true;
  }

  NameTable names_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace eigenformer::inline v0
