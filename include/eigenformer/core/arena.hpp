// SPDX-License-Identifier: MIT
/// Scratch memory that a step takes, and gives back when its scope ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "eigenformer/core/aligned_buffer.hpp"
#include "eigenformer/core/matrix_view.hpp"

namespace eigenformer::inline v0 {

/// A stack of memory blocks. It grows when it must and never shrinks before it dies, so that a step
/// like the last one allocates nothing. One thread at a time.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Gives back, at its end, all that was taken since its beginning. Scopes nest.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), block_(arena.block_), used_(arena.used_) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      arena_.block_ = block_;
      arena_.used_ = used_;
    }

   private:
    Arena& arena_;
    std::size_t block_;
    Index used_;
  };

  /// `count` uninitialised elements, on a cache line. Throws std::bad_alloc.
  template <class Element>
  Element* take(Index count) {
    static_assert(std::is_trivially_copyable_v<Element> && alignof(Element) <= alignment);
    EIGENFORMER_ASSERT(count >= 0);
    if (count > largest / Index{sizeof(Element)}) throw std::bad_array_new_length();
    const Index bytes = round_up(count * Index{sizeof(Element)}, Index{alignment});
    return reinterpret_cast<Element*>(take_bytes(bytes));
  }

  /// An uninitialised matrix [rows, cols].
  template <class Scalar>
  MatrixView<Scalar> matrix(Index rows, Index cols) {
    EIGENFORMER_ASSERT(rows >= 0 && cols >= 0);
    if (cols > 0 && rows > largest / cols) throw std::bad_array_new_length();
    return {take<Scalar>(rows * cols), rows, cols};
  }

  /// Bytes that the arena holds, taken or not.
  Index capacity() const {
    Index total = 0;
    for (const auto& block : blocks_) total += block.size();
    return total;
  }

 private:
  static constexpr Index smallest_block = Index{1} << 16;
  static constexpr Index largest_step = Index{1}
                                        << 24;  ///< that it grows by, unless more is needed
  static constexpr Index largest = Index{1} << 56;

  std::byte* take_bytes(Index bytes) {
    while (block_ < blocks_.size() && blocks_[block_].size() - used_ < bytes) {
      ++block_;  // what is left of this block stays unused until the scope ends
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      const Index last = blocks_.empty() ? smallest_block / 2 : blocks_.back().size();
      const Index size = std::max(bytes, std::min(2 * last, largest_step));
      blocks_.push_back(AlignedBuffer<std::byte>::uninitialized(size));
      used_ = 0;
    }
    std::byte* start = blocks_[block_].data() + used_;
    used_ += bytes;
    return start;
  }

  std::vector<AlignedBuffer<std::byte>> blocks_;
  std::size_t block_ = 0;  ///< the block that is being filled
  Index used_ = 0;         ///< bytes of it that are taken
};

}  // namespace eigenformer::inline v0
