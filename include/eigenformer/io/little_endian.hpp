// SPDX-License-Identifier: MIT
/// Numbers in a file's bytes, low byte first, at any address. Only little-endian machines compile
/// the library.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0::io {

/// The integer whose bytes begin at index `at`; the caller has checked that they are there.
template <class Integer>
Integer little_endian(std::span<const std::byte> bytes, std::size_t at) {
  Integer value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

}  // namespace eigenformer::inline v0::io
