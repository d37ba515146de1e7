// SPDX-License-Identifier: MIT
/// A layer, or a model of one's own, in a file: safetensors, under the names that it gives its
/// parameters.
#pragma once

#include <string>
#include <vector>

#include "eigenformer/architectures/bind.hpp"
#include "eigenformer/io/safetensors.hpp"
#include "eigenformer/io/safetensors_writer.hpp"

namespace eigenformer::inline v0 {

/// Writes all parameters as F32, or F64 for a layer of doubles; the file appears whole or not at
/// all. Throws Error(io).
template <class Derived, class Scalar>
void save(const Module<Derived, Scalar>& module, const std::string& path) {
  std::vector<Matrix<Scalar>> values;
  std::vector<io::NamedTensor> tensors;
  module.for_each_parameter([&](const std::string& name, const auto& parameter) {
    const ParameterShape shape = shape_of(parameter);
    io::TensorView tensor;
    tensor.type = sizeof(Scalar) == sizeof(double) ? io::DataType::f64 : io::DataType::f32;
    tensor.shape = {shape.rows, shape.cols};
    if (shape.rank == 1) tensor.shape = {shape.cols};
    values.push_back(value_of(parameter));
    const Matrix<Scalar>& value = values.back();
    tensor.bytes = std::as_bytes(
        std::span<const Scalar>(value.data(), static_cast<std::size_t>(value.size())));
    tensors.push_back({name, tensor});
  });
  io::write_safetensors(path, tensors);
}

/// Reads what save() wrote into a layer made from the same config. Throws Error(io), Error(format),
/// and what bind() throws.
template <class Derived, class Scalar>
void load(Module<Derived, Scalar>& module, const std::string& path) {
  bind(module, io::read_safetensors(path), own_names());
}

}  // namespace eigenformer::inline v0
