// SPDX-License-Identifier: MIT
/// A layer or a model in a file: safetensors, under the names that it gives its parameters, or that
/// a table gives them.
#pragma once

#include <string>

#include "eigenformer/architectures/bind.hpp"
#include "eigenformer/architectures/stored_tensors.hpp"
#include "eigenformer/io/safetensors.hpp"
#include "eigenformer/io/safetensors_writer.hpp"

namespace eigenformer::inline v0 {

/// Writes all parameters, in the form that StoredTensors gives them, so that they come back with
/// their bits; the file appears whole or not at all. Throws Error(io), and what StoredTensors
/// throws.
template <class Derived, class Scalar>
void save(const Module<Derived, Scalar>& module, const std::string& path,
          const NameTable& names = own_names(), const io::Metadata& metadata = {}) {
  StoredTensors tensors(names);
  module.for_each_parameter(
      [&](const std::string& parameter, const auto& value) { tensors.add(parameter, value); });
  io::write_safetensors(path, tensors.list(), metadata);
}

/// Reads what save() wrote into a layer made from the same config. Throws Error(io), Error(format),
/// and what bind() throws.
template <class Derived, class Scalar>
void load(Module<Derived, Scalar>& module, const std::string& path) {
  bind(module, io::read_safetensors(path), own_names());
}

}  // namespace eigenformer::inline v0
