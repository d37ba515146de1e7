// SPDX-License-Identifier: MIT
/// Reading safetensors files: 8 bytes with the header's length, a JSON header that gives each
/// tensor a type, a shape and a range of bytes, then those bytes. What a valid file is follows the
/// reference implementation (github.com/huggingface/safetensors): the ranges cover the data with
/// neither gap nor overlap. Everything is checked before memory for the data is asked for.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/mapped_file.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

namespace detail {

/// The length in front of the header.
inline constexpr std::size_t safetensors_prefix = 8;

/// A tensor of a header, with its bytes' place in the data.
struct SafetensorsEntry {
  std::string name;
  DataType type = DataType::f32;
  Shape shape;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  Metadata metadata;
};

/// The header's length from the file's first 8 bytes, checked against the file's size.
inline std::size_t safetensors_header_size(std::span<const std::byte, safetensors_prefix> prefix,
                                           std::uint64_t file_size, const std::string& file,
                                           const LoadLimits& limits) {
  std::uint64_t size = 0;
  std::memcpy(&size, prefix.data(), prefix.size());
  if (std::memcmp(prefix.data(), "version ", prefix.size()) == 0) {
    throw Error(ErrorCode::format,
                file + ": is a Git LFS pointer, not the file itself: fetch it with git lfs pull");
  }
  const std::uint64_t most =
      std::min<std::uint64_t>(limits.header_bytes, std::numeric_limits<std::uint32_t>::max());
  if (size < 2 || size > most) {
    throw Error(ErrorCode::format, file + ": byte 0: a header of " + std::to_string(size) +
                                       " bytes, expected 2 to " + std::to_string(most) +
                                       " (LoadLimits::header_bytes)");
  }
  if (size > file_size - safetensors_prefix) {
    throw Error(ErrorCode::format, file + ": byte 0: a header of " + std::to_string(size) +
                                       " bytes in a file of " + std::to_string(file_size) +
                                       ": is it cut short?");
  }
  return static_cast<std::size_t>(size);
}

inline Metadata safetensors_metadata(const Json& json, const LoadLimits& limits) {
  if (json.members().size() > limits.metadata) {
    throw json.error(ErrorCode::format, "more than " + std::to_string(limits.metadata) +
                                            " entries (LoadLimits::metadata)");
  }
  Metadata metadata;
  for (const Json& member : json.members()) metadata.emplace(member.key(), member.string());
  return metadata;
}

inline DataType safetensors_type(const Json& json) {
  if (const auto type = data_type_named(json.string())) return *type;
  throw json.error(ErrorCode::unsupported, "the type " + json.description());
}

inline Shape safetensors_shape(const Json& json, const LoadLimits& limits) {
  const JsonChildren dimensions = json.elements();
  if (dimensions.size() > limits.dimensions) {
    throw json.error(ErrorCode::format,
                     std::to_string(dimensions.size()) + " dimensions, the limit is " +
                         std::to_string(limits.dimensions) + " (LoadLimits::dimensions)");
  }
  Shape shape;
  for (const Json& dimension : dimensions) shape.push_back(dimension.integer(0));
  return shape;
}

/// One member of the header, complete in itself: its range fits its shape, not yet the file.
inline SafetensorsEntry safetensors_entry(const Json& json, const LoadLimits& limits) {
  SafetensorsEntry entry;
  entry.name = json.key();
  if (entry.name.size() > limits.tensor_name_bytes) {
    throw json.error(ErrorCode::format, "a name of " + std::to_string(entry.name.size()) +
                                            " bytes, the limit is " +
                                            std::to_string(limits.tensor_name_bytes) +
                                            " (LoadLimits::tensor_name_bytes)");
  }
  entry.type = safetensors_type(json.at("dtype"));
  entry.shape = safetensors_shape(json.at("shape"), limits);
  const Json offsets = json.at("data_offsets");
  if (offsets.elements().size() != 2) throw offsets.expected("two offsets");
  entry.begin = offsets.elements()[0].integer(0);
  entry.end = offsets.elements()[1].integer(entry.begin);
  if (json.members().size() != 3) throw json.expected("dtype, shape and data_offsets alone");

  const std::string tensor = std::string(name(entry.type)) + " " + text(entry.shape);
  const std::optional<std::int64_t> bytes = byte_size(entry.type, entry.shape);
  if (!bytes) throw json.error(ErrorCode::format, "the size of " + tensor + " overflows");
  if (entry.end - entry.begin != *bytes) {
    throw json.error(ErrorCode::format, tensor + " takes " + std::to_string(*bytes) +
                                            " bytes, data_offsets give it " +
                                            std::to_string(entry.end - entry.begin));
  }
  return entry;
}

/// Sorts the entries by place and throws unless they cover the data once and whole.
inline void check_safetensors_layout(std::vector<SafetensorsEntry>& entries,
                                     std::uint64_t data_size, const std::string& file) {
  std::sort(entries.begin(), entries.end(),
            [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
              return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
            });
  const auto fail = [&](const SafetensorsEntry& entry, const std::string& what) {
    throw Error(ErrorCode::format, file + ": tensor " + excerpt(entry.name) + ": its bytes [" +
                                       std::to_string(entry.begin) + ", " +
                                       std::to_string(entry.end) + ") " + what);
  };
  std::int64_t covered = 0;
  const SafetensorsEntry* before = nullptr;
  for (const SafetensorsEntry& entry : entries) {
    if (static_cast<std::uint64_t>(entry.end) > data_size) {
      fail(entry, "end after the data's " + std::to_string(data_size) + ": is the file cut short?");
    }
    if (entry.begin < covered) fail(entry, "overlap those of " + excerpt(before->name));
    if (entry.begin > covered) {
      fail(entry, "leave a hole after byte " + std::to_string(covered) + " of the data");
    }
    covered = entry.end;
    before = &entry;
  }
  if (static_cast<std::uint64_t>(covered) != data_size) {
    throw Error(ErrorCode::format, file + ": the tensors take " + std::to_string(covered) +
                                       " bytes, the data has " + std::to_string(data_size));
  }
}

/// The JSON limits of a header. Its values are bounded by what the limits of tensors admit, so that
/// a header of empty arrays does not become ten times its size in memory.
inline LoadLimits safetensors_header_limits(const LoadLimits& limits) {
  LoadLimits out = limits;
  out.json_bytes = limits.header_bytes;
  out.json_depth = limits.header_depth;
  // A tensor: the object, three members, two offsets, the dimensions. One tensor more, so that the
  // limit of tensors speaks first.
  const double values =
      2.0 + static_cast<double>(limits.metadata) +
      (1.0 + static_cast<double>(limits.tensors)) * (6.0 + static_cast<double>(limits.dimensions));
  if (values < static_cast<double>(limits.json_values)) {
    out.json_values = static_cast<std::size_t>(values);
  }
  return out;
}

/// A header's text, checked whole; `data_size`: bytes of the file after it.
inline SafetensorsHeader parse_safetensors_header(std::string_view header, const std::string& file,
                                                  std::uint64_t data_size,
                                                  const LoadLimits& limits) {
  if (header.front() != '{') {
    throw Error(ErrorCode::format, file + ": byte 8: the header does not begin with {");
  }
  const Json json = parse_json(header, file + ": header", safetensors_header_limits(limits));
  SafetensorsHeader out;
  for (const Json& member : json.members()) {
    if (member.key() == "__metadata__") {
      out.metadata = safetensors_metadata(member, limits);
      continue;
    }
    if (out.entries.size() >= limits.tensors) {
      throw json.error(ErrorCode::format, "more than " + std::to_string(limits.tensors) +
                                              " tensors (LoadLimits::tensors)");
    }
    out.entries.push_back(safetensors_entry(member, limits));
  }
  check_safetensors_layout(out.entries, data_size, file);
  return out;
}

/// The entries of a header that fits `data`, which `owner` keeps.
inline Tensors assemble_safetensors(SafetensorsHeader header, const TensorBytes& data,
                                    std::string file, std::shared_ptr<const void> owner) {
  std::vector<NamedTensor> tensors;
  tensors.reserve(header.entries.size());
  for (SafetensorsEntry& entry : header.entries) {
    const auto range = data.subspan(static_cast<std::size_t>(entry.begin),
                                    static_cast<std::size_t>(entry.end - entry.begin));
    tensors.push_back({std::move(entry.name), {entry.type, std::move(entry.shape), range}});
  }
  return Tensors(std::move(file), std::move(tensors), std::move(owner), std::move(header.metadata));
}

[[noreturn]] inline void refuse_short_safetensors(std::uint64_t size, const std::string& file) {
  throw Error(ErrorCode::format, file + ": " + std::to_string(size) +
                                     " bytes are too few for a safetensors file: is it cut short?");
}

/// A file in memory, taken apart: the header fits the data after it.
struct SafetensorsParts {
  SafetensorsHeader header;
  std::span<const std::byte> data;
};

inline SafetensorsParts split_safetensors(std::span<const std::byte> bytes, const std::string& file,
                                          const LoadLimits& limits) {
  constexpr std::size_t prefix = safetensors_prefix;
  if (bytes.size() < prefix) refuse_short_safetensors(bytes.size(), file);
  const auto start = bytes.first<prefix>();
  const std::size_t size = safetensors_header_size(start, bytes.size(), file, limits);
  check_budget(file, size, limits.memory_bytes);
  const auto text = as_text(bytes.subspan(prefix, size));
  const auto data = bytes.subspan(prefix + size);
  return {parse_safetensors_header(text, file, data.size(), limits), data};
}

}  // namespace detail

/// The tensors of a safetensors file, which stays open as long as they live: each is read when its
/// numbers are asked for, and an Error(io) then if the file has another size or time of writing.
/// Who replaces a file that may be open writes another one and renames it. Throws Error: io,
/// format, unsupported (an element type), or out_of_memory (over limits.memory_bytes, or the
/// system's).
inline Tensors read_safetensors(const std::string& path, const LoadLimits& limits = {}) {
  return or_out_of_memory(path, [&] {
    const auto file = std::make_shared<InputFile>(path);
    check_budget(path, file->size(), limits.memory_bytes);
    std::array<std::byte, detail::safetensors_prefix> prefix{};
    if (file->size() < prefix.size()) detail::refuse_short_safetensors(file->size(), path);
    file->read(prefix);
    const std::size_t size = detail::safetensors_header_size(prefix, file->size(), path, limits);
    const std::uint64_t begin = prefix.size() + size;

    ByteBuffer text(size);
    file->read(text.span());
    auto header =
        detail::parse_safetensors_header(as_text(text.span()), path, file->size() - begin, limits);
    return detail::assemble_safetensors(std::move(header), bytes_from(*file, begin), path, file);
  });
}

/// The same by the system's mapping of the file, which must not change meanwhile: see MappedFile.
/// Only the header counts against limits.memory_bytes.
inline Tensors map_safetensors(const std::string& path, const LoadLimits& limits = {}) {
  return or_out_of_memory(path, [&] {
    const auto file = std::make_shared<const MappedFile>(path);
    auto [header, data] = detail::split_safetensors(file->span(), path, limits);
    return detail::assemble_safetensors(std::move(header), data, path, file);
  });
}

/// The tensors of a safetensors file that is in memory, copied; `file` names it in errors. Throws
/// Error: format, unsupported, or out_of_memory.
inline Tensors parse_safetensors(std::span<const std::byte> bytes, const std::string& file,
                                 const LoadLimits& limits = {}) {
  check_budget(file, bytes.size(), limits.memory_bytes);
  return or_out_of_memory(file, [&] {
    auto [header, content] = detail::split_safetensors(bytes, file, limits);
    const auto data = std::make_shared<ByteBuffer>(content.size());
    std::copy(content.begin(), content.end(), data->data());
    return detail::assemble_safetensors(std::move(header), std::as_const(*data).span(), file, data);
  });
}

/// The same without a copy, for models inside a program: the bytes must outlive the tensors. Only
/// the header counts against limits.memory_bytes.
inline Tensors view_safetensors(std::span<const std::byte> bytes, const std::string& file,
                                const LoadLimits& limits = {}) {
  return or_out_of_memory(file, [&] {
    auto [header, data] = detail::split_safetensors(bytes, file, limits);
    return detail::assemble_safetensors(std::move(header), data, file, nullptr);
  });
}

}  // namespace eigenformer::inline v0::io
