// SPDX-License-Identifier: MIT
/// What code costs, in bytes from operator new. A program with a test that includes this has
/// peak_memory.cpp in it (tests/CMakeLists.txt), which replaces operator new for the whole of it.
#pragma once

#include <cstddef>

#include "eigenformer/core/error.hpp"

namespace eigenformer::test {

inline constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// Whether anything is counted. It isn't under the thread sanitizer, whose own operators can't be
/// replaced: tests must skip there.
bool memory_is_counted();

/// Bytes that the program has from operator new, all threads together.
std::size_t live_memory();

/// Lets the peak begin anew, at what is live.
void restart_peak_memory();

/// The most bytes that have been live at a time since the peak began.
std::size_t most_live_memory();

/// The most bytes that the function has at a time, an Error's text included. Other threads that
/// allocate meanwhile count too.
template <class Function>
std::size_t peak_memory(Function function) {
  const std::size_t before = live_memory();
  restart_peak_memory();
  try {
    function();
  } catch (const Error&) {
  }
  return most_live_memory() - before;
}

}  // namespace eigenformer::test
