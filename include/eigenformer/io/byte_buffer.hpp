// SPDX-License-Identifier: MIT
/// Memory for a file's content: on cache lines as core's AlignedBuffer, and not filled with zeros
/// first, which would cost a second pass over a model.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0::io {

/// A block of bytes of fixed size, owned, with indeterminate content until written. Moving it
/// leaves the bytes where they are.
class ByteBuffer {
 public:
  ByteBuffer() = default;

  /// Throws std::bad_alloc.
  explicit ByteBuffer(std::size_t size) : data_(allocate(size)), size_(size) {}

  ByteBuffer(ByteBuffer&& other) noexcept : data_(std::move(other.data_)), size_(other.size_) {
    other.size_ = 0;
  }

  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = other.size_;
    other.size_ = 0;
    return *this;
  }

  std::size_t size() const noexcept { return size_; }
  std::byte* data() noexcept { return data_.get(); }
  const std::byte* data() const noexcept { return data_.get(); }
  std::span<std::byte> span() noexcept { return {data_.get(), size_}; }
  std::span<const std::byte> span() const noexcept { return {data_.get(), size_}; }

 private:
  struct Release {
    void operator()(std::byte* data) const noexcept {
      ::operator delete (data, std::align_val_t{alignment});
    }
  };

  static std::byte* allocate(std::size_t size) {
    if (size == 0) return nullptr;
    return static_cast<std::byte*>(::operator new (size, std::align_val_t{alignment}));
  }

  std::unique_ptr<std::byte, Release> data_;
  std::size_t size_ = 0;
};

/// The bytes as text of no particular encoding.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace eigenformer::inline v0::io
