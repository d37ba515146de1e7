// SPDX-License-Identifier: MIT
// Any bytes as a safetensors file, in memory, read and mapped: refused, or tensors that lie inside
// it. An input that begins with { is a header, up to its last }, with data behind it: the length in
// front, which no mutation would keep right, is made here.
#include <cstring>
#include <vector>

#include "eigenformer/io/safetensors.hpp"
#include "tensors.hpp"

namespace {

using namespace eigenformer;
using namespace eigenformer::fuzz;

std::string file_of(std::string_view input) {
  if (!input.starts_with('{')) return std::string(input);
  const std::uint64_t size = std::min(input.rfind('}'), input.size() - 1) + 1;
  std::string file(sizeof(size), '\0');
  std::memcpy(file.data(), &size, sizeof(size));
  return file.append(input);
}

bool lies_in(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_file(std::span<const std::byte> file) {
  using enum ErrorCode;
  const auto viewed = expect_file_errors([&] { return io::view_safetensors(file, "f"); });
  if (!viewed) return;
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof(header));
  require(check(*viewed) + header + sizeof(header) == file.size(), "tensors cover the file");
  io::ByteBuffer unused;
  for (const auto& [name, tensor] : *viewed)
    require(lies_in(tensor.bytes.in(unused), file), "a view is inside");
  require(equal(*viewed, io::parse_safetensors(file, "f")), "a copy has the same tensors");
}

/// The same by path, which is another way through the header.
void check_path(std::string_view content) {
  using enum ErrorCode;
  static MemoryFile file;
  file.fill(content);
  const auto read = expect_file_errors([&] { return io::read_safetensors(file.path()); });
  const auto mapped = expect_file_errors([&] { return io::map_safetensors(file.path()); });
  const auto parsed =
      expect_file_errors([&] { return io::parse_safetensors(bytes_of(content), "f"); });
  require(read.has_value() == parsed.has_value() && mapped.has_value() == parsed.has_value(),
          "all readers accept the same files");
  if (!parsed) return;
  require(equal(*read, *parsed) && equal(*mapped, *parsed), "all readers give the same tensors");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = text_of(data, size);
  const std::string file = file_of(input);
  // Of exactly that size, so that a sanitizer sees what is read behind it.
  const std::span<const std::byte> bytes = bytes_of(file);
  check_file(std::vector<std::byte>(bytes.begin(), bytes.end()));
  if (size % 16 == 0) check_path(file);
  return 0;
}
