// SPDX-License-Identifier: MIT
/// What fuzz targets share. A target is one function of bytes, which libFuzzer calls, or
/// replay.cpp: whatever the bytes are, it may end in the errors that the interface under test
/// promises, and in nothing else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "eigenformer/core/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace eigenformer::fuzz {

/// Ends the program: what must hold does not.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// run(), which may throw an Error with one of the codes, and a text.
template <class Run>
void expect_only(std::initializer_list<ErrorCode> codes, Run run) {
  try {
    run();
  } catch (const Error& error) {
    const bool promised = std::find(codes.begin(), codes.end(), error.code()) != codes.end();
    if (!promised) std::fprintf(stderr, "%s\n", error.what());
    require(promised, "an error has one of the codes that are promised");
    require(*error.what() != '\0', "an error says what is wrong");
  }
}

/// What a reader of files may say of bytes.
template <class Run>
void expect_file_errors(Run run) {
  expect_only({ErrorCode::format, ErrorCode::unsupported, ErrorCode::out_of_memory}, run);
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The first byte of the rest, 0 at its end.
inline unsigned take_byte(std::string_view& rest) {
  if (rest.empty()) return 0;
  const auto byte = static_cast<unsigned char>(rest.front());
  rest.remove_prefix(1);
  return byte;
}

}  // namespace eigenformer::fuzz
