// SPDX-License-Identifier: MIT
/// The version, read by CMake from this file alone.
#pragma once

#define EIGENFORMER_VERSION_MAJOR 0
#define EIGENFORMER_VERSION_MINOR 1
#define EIGENFORMER_VERSION_PATCH 0

namespace eigenformer::inline v0 {

/// "major.minor.patch".
inline constexpr const char* version = "0.1.0";

}  // namespace eigenformer::inline v0
