// SPDX-License-Identifier: MIT
// Any bytes as a pytorch_model.bin, in both of torch's layouts: refused, or tensors. A pickle alone
// is put into an archive here, because no mutation would keep its CRC-32 right.
#include <array>
#include <vector>

#include "eigenformer/io/torch_checkpoint.hpp"
#include "tensors.hpp"

namespace {

using namespace eigenformer;
using namespace eigenformer::fuzz;

struct Entry {
  std::string_view name, content;
  std::uint32_t crc;
};

void append(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (; bytes > 0; --bytes, value >>= 8) out += static_cast<char>(value);
}

/// What a local header and the directory say alike.
void append_fields(std::string& out, const Entry& entry) {
  append(out, 0, 4);   // flags, method
  append(out, 33, 4);  // time, date
  append(out, entry.crc, 4);
  append(out, entry.content.size(), 4);
  append(out, entry.content.size(), 4);
  append(out, entry.name.size(), 2);
  append(out, 0, 2);
}

std::string archive_of(std::string_view pickle) {
  static const std::string data(64, '\x3F');
  const std::array<Entry, 3> entries = {
      {{"a/data.pkl", pickle, io::detail::crc32(bytes_of(pickle))},
       {"a/data/0", std::string_view(data).substr(0, 8), 0},
       {"a/data/1", data, 0}}};
  std::string out, directory;
  for (const Entry& entry : entries) {
    append(directory, 0x02014B50, 4);
    append(directory, 0x140014, 4);
    append_fields(directory, entry);
    append(directory, 0, 10);
    append(directory, out.size(), 4);
    directory += entry.name;
    append(out, 0x04034B50, 4);
    append(out, 20, 2);
    append_fields(out, entry);
    out.append(entry.name).append(entry.content);
  }
  const std::size_t begin = out.size();
  out += directory;
  append(out, 0x06054B50, 4);
  append(out, 0, 4);
  append(out, entries.size() * 0x10001, 4);
  append(out, directory.size(), 4);
  append(out, begin, 4);
  append(out, 0, 2);
  return out;
}

void check_file(std::string_view content) {
  using enum ErrorCode;
  // Of exactly that size, so that a sanitizer sees what is read behind it.
  const auto bytes = bytes_of(content);
  const std::vector<std::byte> file(bytes.begin(), bytes.end());
  const auto tensors = expect_file_errors([&] { return io::parse_torch_checkpoint(file, "f"); });
  if (!tensors) return;
  check(*tensors);
  static MemoryFile memory;
  memory.fill(content);
  require(equal(*tensors, io::read_torch_checkpoint(memory.path())), "the same by path");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = text_of(data, size);
  check_file(input);
  if (input.starts_with('\x80')) check_file(archive_of(input));
  return 0;
}
