// SPDX-License-Identifier: MIT
/// What fuzz targets share. A target is one function of bytes, which libFuzzer calls, or
/// replay.cpp: whatever the bytes are, it may end in the errors that the interface under test
/// promises, and in nothing else.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace eigenformer::fuzz {

/// Ends the program: what must hold does not.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// Whether a text is fit for a terminal: bytes of a file never reach a message raw, nor by the
/// megabyte.
inline bool is_message(std::string_view text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == '\x7F';
  });
  return plain && !text.empty() && text.size() < 16384 && io::is_utf8(text);
}

/// What run() gives; nothing where it throws an Error with one of the codes, and a text.
template <class Run>
auto expect_only(std::initializer_list<ErrorCode> codes, Run run)
    -> std::optional<decltype(run())> {
  try {
    return run();
  } catch (const Error& error) {
    const bool promised = std::find(codes.begin(), codes.end(), error.code()) != codes.end();
    if (!promised) std::fprintf(stderr, "%s\n", error.what());
    require(promised, "an error has one of the codes that are promised");
    require(is_message(error.what()), "an error says what is wrong, in plain text");
    return std::nullopt;
  }
}

/// What a reader of files makes of bytes that are in memory.
template <class Run>
auto expect_file_errors(Run run) {
  return expect_only({ErrorCode::format, ErrorCode::unsupported}, run);
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

/// So many of the first bytes of the rest, or all.
inline std::string_view take(std::string_view& rest, std::size_t size) {
  const std::string_view out = rest.substr(0, size);
  rest.remove_prefix(out.size());
  return out;
}

/// A file in memory, for readers that take a path.
class MemoryFile {
 public:
  MemoryFile()
      : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)),
        path_("/proc/self/fd/" + std::to_string(descriptor_)) {}
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  /// Replaces the content, and stands at its beginning.
  void fill(std::string_view content) {
    const bool filled = ::ftruncate(descriptor_, 0) == 0 &&
                        ::pwrite(descriptor_, content.data(), content.size(), 0) ==
                            static_cast<ssize_t>(content.size()) &&
                        ::lseek(descriptor_, 0, SEEK_SET) == 0;
    require(filled, "a file in memory can be written");
  }

  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace eigenformer::fuzz
