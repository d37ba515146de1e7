// SPDX-License-Identifier: MIT
/// A tensor's bytes, in memory or still in their file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "eigenformer/core/macros.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/file.hpp"

namespace eigenformer::inline v0::io {

/// Bytes that somebody else keeps: in memory, or in a file, from which each in() reads them.
class TensorBytes {
 public:
  TensorBytes() = default;

  /// Of memory.
  template <std::size_t Extent>
  TensorBytes(std::span<const std::byte, Extent> memory)  // NOLINT(google-explicit-constructor)
      : begin_(memory.data()), size_(memory.size()) {}

  /// `size` bytes of the file from `offset` on.
  TensorBytes(const InputFile& file, std::uint64_t offset, std::size_t size)
      : file_(&file), offset_(offset), size_(size) {}
  TensorBytes(const InputFile&& temporary, std::uint64_t offset, std::size_t size) = delete;

  std::size_t size() const noexcept { return size_; }

  /// The `count` bytes from `offset` on, all of which are there.
  TensorBytes subspan(std::size_t offset, std::size_t count) const {
    EIGENFORMER_ASSERT(offset <= size_ && count <= size_ - offset);
    if (file_) return {*file_, offset_ + offset, count};
    return std::span(begin_ + offset, count);
  }
  TensorBytes first(std::size_t count) const { return subspan(0, count); }

  /// The bytes; those of a file in `buffer`, which is made as large. Throws Error(out_of_memory),
  /// and what InputFile::read_at() throws.
  std::span<const std::byte> in(ByteBuffer& buffer) const {
    if (!file_) return {begin_, size_};
    if (buffer.size() != size_) {
      buffer = ByteBuffer();
      buffer = allocate_for(file_->path(), size_);
    }
    file_->read_at(offset_, buffer.span());
    return buffer.span();
  }

  /// Where they begin: a file or the memory, and the byte in it. Bytes with a place in common are
  /// the same.
  std::pair<std::uintptr_t, std::uint64_t> place() const noexcept {
    if (file_) return {reinterpret_cast<std::uintptr_t>(file_), offset_};
    return {0, reinterpret_cast<std::uintptr_t>(begin_)};
  }

 private:
  const InputFile* file_ = nullptr;
  std::uint64_t offset_ = 0;          ///< in the file
  const std::byte* begin_ = nullptr;  ///< of memory
  std::size_t size_ = 0;
};

/// All of the file from `begin` on. Throws Error(out_of_memory) where no size is so large.
inline TensorBytes bytes_from(const InputFile& file, std::uint64_t begin) {
  const std::uint64_t size = file.size() - begin;
  if (size > std::numeric_limits<std::size_t>::max()) detail::refuse_for_memory(file.path());
  return {file, begin, static_cast<std::size_t>(size)};
}

/// Whether the same bytes stand in both, of which some are in memory at a time.
inline bool same_bytes(const TensorBytes& a, const TensorBytes& b) {
  constexpr std::size_t most = std::size_t{1} << 16;
  if (a.size() != b.size()) return false;
  ByteBuffer of_a, of_b;
  for (std::size_t at = 0; at < a.size(); at += most) {
    const std::size_t count = std::min(most, a.size() - at);
    if (!std::ranges::equal(a.subspan(at, count).in(of_a), b.subspan(at, count).in(of_b))) {
      return false;
    }
  }
  return true;
}

}  // namespace eigenformer::inline v0::io
