// SPDX-License-Identifier: MIT
/// What a reader may make of a file in memory, as a share of the file's own size. Formats that
/// refer to earlier values need it: two bytes of such a file can stand for a hundred in memory.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "eigenformer/core/error.hpp"

namespace eigenformer::inline v0::io {

/// Bytes that may still be taken, beside those of the file itself.
class MemoryAllowance {
 public:
  /// Once more the file, and what even a tiny file may have.
  MemoryAllowance(std::string file, std::uint64_t file_size)
      : file_(std::move(file)), file_size_(file_size) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() - least;
    left_ = (file_size < most ? file_size : most) + least;
  }

  /// Throws Error(format) where that many bytes are not left; takes nothing.
  void check(std::uint64_t bytes) const {
    if (bytes > left_) {
      throw Error(ErrorCode::format, file_ + ": what it describes takes more memory than the " +
                                         std::to_string(file_size_) +
                                         " bytes of the file allow: twice as much and 1 MiB");
    }
  }

  /// Throws Error(format) where that many bytes are not left.
  void take(std::uint64_t bytes) {
    check(bytes);
    left_ -= bytes;
  }

 private:
  // The rest of the 1 MiB is for rounding in the allocator.
  static constexpr std::uint64_t least = std::uint64_t{768} << 10;

  std::string file_;
  std::uint64_t file_size_;
  std::uint64_t left_ = 0;
};

}  // namespace eigenformer::inline v0::io
