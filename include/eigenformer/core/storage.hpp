// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {

/// How a weight's numbers are stored. Arithmetic is in float all the same, but for int8: sums of
/// products of integers, with a scale for each output and each token.
enum class Storage { f32, f16, bf16, int8 };
inline constexpr Storage all_storages[] = {Storage::f32, Storage::f16, Storage::bf16,
                                           Storage::int8};

constexpr const char* name(Storage storage) {
  switch (storage) {
    case Storage::f32: return "f32";
    case Storage::f16: return "f16";
    case Storage::bf16: return "bf16";
    case Storage::int8: return "int8";
  }
  return "unknown";
}

}  // namespace eigenformer::inline v0
