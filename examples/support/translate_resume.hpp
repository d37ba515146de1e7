// SPDX-License-Identifier: MIT
/// Where `translate --resume` goes on.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "files.hpp"
#include "translate_options.hpp"

namespace program {

/// What an interrupted run has written: all of so many of the input's lines, and `rest` of the one
/// after them, which may be all or a part.
struct Written {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;  ///< of those lines
  std::string rest = {};
};

namespace detail {

/// The input's line that a line of an n-best list is of; nothing where the number was cut off.
inline std::optional<std::uint64_t> n_best_number(std::string_view line, const File& output) {
  std::uint64_t number = 0;
  const char* const end = line.data() + line.size();
  const auto [after, error] = std::from_chars(line.data(), end, number);
  const std::string_view separator = " ||| ", rest(after, static_cast<std::size_t>(end - after));
  if (separator.starts_with(rest)) return std::nullopt;
  if (error != std::errc() || !rest.starts_with(separator)) throw not_resumable(output.name());
  return number;
}

/// Bytes [begin, end) of a file.
inline std::string read_bytes(const File& file, std::uint64_t begin, std::uint64_t end) {
  std::string bytes(static_cast<std::size_t>(end - begin), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::pread(file.descriptor(), bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw system_failure("cannot read " + file.name());
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace detail

/// What is in the output of a run with the same options, which then stands where it goes on. Throws
/// Failure.
inline Written read_written(const File& output, const Format& format) {
  if (!output.bytes_left()) {
    throw Failure(ExitStatus::usage, "--resume: " + output.name() + " is not a regular file");
  }
  Written written;
  LineReader reader(output, std::numeric_limits<std::size_t>::max() / 2);
  std::uint64_t begin = 0;
  while (const std::optional<std::string> line = reader.next()) {
    // Without "\r\n", which translate does not write.
    if (reader.bytes() - begin > line->size() + 1) throw not_resumable(output.name());
    const std::uint64_t index = reader.lines() - 1;
    const std::uint64_t number = format.n_best && !format.jsonl
                                     ? detail::n_best_number(*line, output).value_or(written.lines)
                                     : index;
    const std::uint64_t next = index == 0 ? 0 : written.lines + 1;
    if (number != written.lines && number != next) throw not_resumable(output.name());
    if (number != written.lines) {
      written.lines = number;
      written.bytes = begin;
    }
    begin = reader.bytes();
  }
  written.rest = detail::read_bytes(output, written.bytes, begin);
  if (::lseek(output.descriptor(), static_cast<off_t>(written.bytes), SEEK_SET) < 0) {
    throw system_failure("cannot resume " + output.name());
  }
  return written;
}

/// Passes over the lines whose output is there. Throws Failure where the input has fewer.
inline void skip_written(const Written& written, LineReader& input) {
  while (input.lines() < written.lines) {
    if (input.next()) continue;
    throw Failure(ExitStatus::data, "--resume: the output is of more than " +
                                        std::to_string(written.lines) + " lines, the input has " +
                                        std::to_string(input.lines()));
  }
}

}  // namespace program
