// SPDX-License-Identifier: MIT
/// Memory on cache lines, always from the same allocator: whatever flags a translation unit has,
/// one may free what another made.
#pragma once

#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "eigenformer/core/types.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace eigenformer::inline v0 {

/// `size` elements of a trivial type, zeroed, 64-byte aligned. Throws std::bad_alloc.
template <class Element>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<Element>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(Index size) : data_(allocate(size)), size_(size) {
    if (size > 0) std::memset(static_cast<void*>(data_), 0, bytes());
  }
  /// The same without the zeros.
  static AlignedBuffer uninitialized(Index size) {
    AlignedBuffer buffer;
    buffer.data_ = allocate(size);
    buffer.size_ = size;
    return buffer;
  }
  AlignedBuffer(const AlignedBuffer& other) : data_(allocate(other.size_)), size_(other.size_) {
    if (size_ > 0) std::memcpy(static_cast<void*>(data_), other.data_, bytes());
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AlignedBuffer() { ::operator delete(data_, alignment_of(bytes())); }

  Element* data() { return data_; }
  const Element* data() const { return data_; }
  Index size() const { return size_; }
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(Element); }

  Element& operator[](Index i) {
    EIGENFORMER_ASSERT(i >= 0 && i < size_);
    return data_[i];
  }
  const Element& operator[](Index i) const {
    EIGENFORMER_ASSERT(i >= 0 && i < size_);
    return data_[i];
  }

  Element* begin() { return data_; }
  Element* end() { return data_ + size_; }
  const Element* begin() const { return data_; }
  const Element* end() const { return data_ + size_; }

 private:
  static Element* allocate(Index size) {
    if (size == 0) return nullptr;
    constexpr Index most = std::numeric_limits<Index>::max() / Index{sizeof(Element)};
    if (size < 0 || size > most) throw std::bad_array_new_length();
    const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(Element);
    void* const memory = ::operator new(bytes, alignment_of(bytes));
    ask_for_huge_pages(memory, bytes);
    return static_cast<Element*>(memory);
  }
  static std::align_val_t alignment_of(std::size_t bytes) {
    return std::align_val_t{bytes < huge_page ? alignment : huge_page};
  }
  /// Weights and caches of many megabytes are read all over, a page after the other: translating
  /// addresses is a tenth of a decoding step with pages of 4 KiB. Whole pages only, so that memory
  /// grows by nothing.
  static void ask_for_huge_pages(void* memory, std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
    if (bytes >= huge_page) ::madvise(memory, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#else
    (void)memory, (void)bytes;
#endif
  }

  static constexpr std::size_t huge_page = std::size_t{1} << 21;

  Element* data_ = nullptr;
  Index size_ = 0;
};

}  // namespace eigenformer::inline v0
