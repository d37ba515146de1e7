// SPDX-License-Identifier: MIT
/// JSON text to Json, within LoadLimits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "eigenformer/io/json_value.hpp"
#include "eigenformer/io/limits.hpp"
#if EIGENFORMER_DEFINES(EIGENFORMER_PART_IO)
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/json_builder.hpp"
#endif

namespace eigenformer::inline v0::io {

/// The value that a JSON text (RFC 8259, UTF-8) stands for; `file` names it in errors. Refuses
/// duplicate keys, anything after the value, numbers that a double does not hold, and what is over
/// the limits. Throws Error(format), or Error(out_of_memory).
Json parse_json(std::string_view text, std::string file, const LoadLimits& limits = {});

/// The value in a JSON file. Throws what parse_json throws, or Error(io).
Json read_json(const std::string& path, const LoadLimits& limits = {});

/// The same, or nothing where there is no such file. A link to nothing is an error.
std::optional<Json> read_json_if_there(const std::string& path, const LoadLimits& limits = {});

#if EIGENFORMER_DEFINES(EIGENFORMER_PART_IO)
EIGENFORMER_INLINE Json parse_json(std::string_view text, std::string file,
                                   const LoadLimits& limits) {
  detail::check_json_size(text.size(), file, limits);
  // The parser takes a NUL for the end of its input and would not look at what follows.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    throw Error(ErrorCode::format,
                file + ": byte " + std::to_string(nul) + ": not readable as JSON: a NUL byte");
  }
  return or_out_of_memory(file, [&] {
    const auto document = std::make_shared<detail::JsonDocument>();
    document->file = file;
    detail::JsonBuilder builder(*document, limits);
    nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
    return Json(document);
  });
}

EIGENFORMER_INLINE Json read_json(const std::string& path, const LoadLimits& limits) {
  return or_out_of_memory(path, [&] {
    InputFile file(path);
    detail::check_json_size(file.size(), path, limits);
    const ByteBuffer bytes = read_all(file, limits.memory_bytes);
    return parse_json(as_text(bytes.span()), path, limits);
  });
}

EIGENFORMER_INLINE std::optional<Json> read_json_if_there(const std::string& path,
                                                          const LoadLimits& limits) {
  if (!is_there(path)) return std::nullopt;
  return read_json(path, limits);
}

#endif

}  // namespace eigenformer::inline v0::io
