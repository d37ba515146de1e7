// SPDX-License-Identifier: MIT
// Any bytes as a safetensors file: refused, or tensors that lie inside it.
#include "eigenformer/io/safetensors.hpp"

#include "fuzz.hpp"

using namespace eigenformer;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::bytes_of(fuzz::text_of(data, size));
  fuzz::expect_file_errors([&] {
    const io::Tensors seen = io::view_safetensors(bytes, "file");
    const io::Tensors read = io::parse_safetensors(bytes, "file");
    fuzz::require(seen.size() == read.size(), "a copy has the same tensors");
    for (const auto& [name, tensor] : seen) {
      const auto* const begin = reinterpret_cast<const std::uint8_t*>(tensor.bytes.data());
      fuzz::require(
          tensor.bytes.empty() || (begin >= data && begin + tensor.bytes.size() <= data + size),
          "a tensor lies inside the file");
      const io::TensorView* const copy = read.find(name);
      fuzz::require(copy != nullptr && copy->shape == tensor.shape &&
                        std::equal(tensor.bytes.begin(), tensor.bytes.end(), copy->bytes.begin(),
                                   copy->bytes.end()),
                    "a copy has the same numbers");
    }
  });
  return 0;
}
