// SPDX-License-Identifier: MIT
#pragma once

#include <utility>
#include <vector>

#include "eigenformer/core/aligned_buffer.hpp"

namespace eigenformer::inline v0 {

/// Memory of caches that come and go: what one gives back the next one takes, so that a system need
/// not make, zero and free the same pages for each translation. It never shrinks before it dies.
/// One thread at a time.
class SlabPool {
 public:
  SlabPool() = default;
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  /// At least `floats` of them, uninitialised: the smallest slab that suffices, or a new one.
  /// Throws std::bad_alloc.
  AlignedBuffer<float> take(Index floats) {
    AlignedBuffer<float>* smallest = nullptr;
    for (AlignedBuffer<float>& slab : free_) {
      if (slab.size() < floats || (smallest && smallest->size() <= slab.size())) continue;
      smallest = &slab;
    }
    if (smallest) {
      std::swap(*smallest, free_.back());
      AlignedBuffer<float> slab = std::move(free_.back());
      free_.pop_back();
      return slab;
    }
    free_.reserve(made_ + 1);  // so that give_back() cannot fail
    auto slab = AlignedBuffer<float>::uninitialized(floats);
    ++made_;
    return slab;
  }
  /// What take() gave.
  void give_back(AlignedBuffer<float> slab) noexcept { free_.push_back(std::move(slab)); }

  /// Slabs made so far.
  std::size_t made() const { return made_; }

 private:
  std::vector<AlignedBuffer<float>> free_;
  std::size_t made_ = 0;
};

}  // namespace eigenformer::inline v0
