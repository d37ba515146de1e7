// SPDX-License-Identifier: MIT
// Any bytes as a pytorch_model.bin, in both of torch's layouts, and as a pickle: refused, or
// tensors.
#include "eigenformer/io/torch_checkpoint.hpp"

#include "fuzz.hpp"

using namespace eigenformer;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::bytes_of(fuzz::text_of(data, size));
  fuzz::expect_file_errors([&] {
    const io::Tensors tensors = io::parse_torch_checkpoint(bytes, "file");
    std::size_t sum = 0;
    for (const auto& [name, tensor] : tensors) {
      fuzz::require(io::byte_size(tensor.type, tensor.shape) ==
                        static_cast<std::int64_t>(tensor.bytes.size()),
                    "a tensor has the bytes of its shape");
      for (const std::byte byte : tensor.bytes) sum += std::to_integer<std::size_t>(byte);
    }
    fuzz::require(sum <= 255 * 2 * size, "tensors take no more than twice the file");
  });
  return 0;
}
