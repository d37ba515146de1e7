// SPDX-License-Identifier: MIT
/// A file as memory, without a copy of it.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/file.hpp"

namespace eigenformer::inline v0::io {

/// A regular file's content, read-only, from the system's cache: pages come from the disk when they
/// are first touched, and programs that map the same file share them. Moving it leaves the bytes
/// where they are.
///
/// The file must be neither written nor truncated while this lives. A touched byte that the file no
/// longer has, or that the disk cannot give, ends the process (SIGBUS), which no exception can
/// replace. Who replaces a file that may be mapped writes another one and renames it.
class MappedFile {
 public:
  MappedFile() = default;

  /// As large as the file is now. Throws Error: io (also where the system cannot map the file, or
  /// its size changes meanwhile), or out_of_memory (no room among the addresses).
  explicit MappedFile(const std::string& path) : MappedFile() {
    const InputFile file(path);
    if (file.size() == 0) return;  // the system refuses to map nothing
    if (file.size() > std::numeric_limits<std::size_t>::max()) refuse_size(path);
    const auto size = static_cast<std::size_t>(file.size());
    void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
    if (data == MAP_FAILED) {
      if (errno == ENOMEM) refuse_size(path);
      throw detail::system_error(path, "cannot map");
    }
    data_ = static_cast<const std::byte*>(data);
    size_ = size;
    file.expect_same_size();
  }

  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  ~MappedFile() {
    if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
  }

  std::size_t size() const noexcept { return size_; }
  std::span<const std::byte> span() const noexcept { return {data_, size_}; }

 private:
  [[noreturn]] static void refuse_size(const std::string& path) {
    throw Error(ErrorCode::out_of_memory, path + ": the system has no room to map it");
  }

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace eigenformer::inline v0::io
