// SPDX-License-Identifier: MIT
/// Recorded outputs of reference implementations, as matrices.
#pragma once

#include <string>

#include "eigenformer/core/matrix.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/io/safetensors.hpp"
#include "eigenformer/io/tensor_values.hpp"

namespace eigenformer::test {

/// NAME.safetensors and, beside it, NAME.json, below tests/data.
class Golden {
 public:
  explicit Golden(const std::string& name)
      : tensors_(io::read_safetensors(path(name + ".safetensors"))) {}

  static std::string path(const std::string& name) {
    return std::string(EIGENFORMER_TEST_DATA) + "/" + name;
  }
  static io::Json json(const std::string& name) { return io::read_json(path(name + ".json")); }

  const io::Tensors& tensors() const { return tensors_; }

  /// Dimensions before the last one are joined: [2, 3, 4] is a matrix [6, 4], [5] is [1, 5].
  template <class Scalar>
  Matrix<Scalar> matrix(const std::string& name) const {
    const io::Shape& shape = tensors_.at(name).shape;
    const std::vector<Scalar> numbers = io::values<Scalar>(tensors_, name);
    const Index cols = shape.empty() ? 1 : shape.back();
    return Matrix<Scalar>(MatrixView<const Scalar>(
        numbers.data(), static_cast<Index>(numbers.size()) / std::max<Index>(cols, 1), cols));
  }

  std::vector<TokenId> ids(const std::string& name) const {
    std::vector<TokenId> out;
    for (const std::int64_t id : io::values<std::int64_t>(tensors_, name)) {
      out.push_back(static_cast<TokenId>(id));
    }
    return out;
  }

  /// The tensors whose names begin with `prefix`, without it: a module's state.
  io::Tensors state(const std::string& prefix) const {
    std::vector<io::NamedTensor> out;
    for (const io::NamedTensor& entry : tensors_) {
      if (entry.name.starts_with(prefix)) {
        out.push_back({entry.name.substr(prefix.size()), entry.tensor});
      }
    }
    return io::Tensors("state", out, io::ByteBuffer());
  }

 private:
  io::Tensors tensors_;
};

}  // namespace eigenformer::test
