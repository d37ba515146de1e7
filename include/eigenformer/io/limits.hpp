// SPDX-License-Identifier: MIT
/// What a file may ask of the program that opens it. A reader checks its file against these numbers
/// before it allocates, so that a hostile file costs an error and not the machine's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0::io {

/// Limits of every reader. The defaults admit all published models that we know; raise or lower
/// them for a file at hand. Errors name the field that refused; those about a number of a
/// configuration say which number it is, and its range.
struct LoadLimits {
  // Memory.
  /// The bytes that one file may have, or all shards of one checkpoint: 0 and up, by default no
  /// budget. Of a safetensors file a model takes some rows at a time, but then it is in memory
  /// itself. Of a mapped file only the header counts: the system can drop the rest whenever it
  /// needs the memory.
  std::uint64_t memory_bytes = std::numeric_limits<std::uint64_t>::max();

  // JSON.
  std::uint64_t json_bytes = std::uint64_t{256} << 20;    ///< bytes of a JSON text: 0 to 4 GiB - 1
  std::size_t json_depth = 64;                            ///< arrays and objects open at once: 0 up
  std::size_t json_string_bytes = std::size_t{16} << 20;  ///< bytes of a string or key: 0 and up
  std::size_t json_members = std::size_t{4} << 20;        ///< of one array or object: 0 and up
  /// Values of a whole text, 0 to 2^31 - 1; each takes 40 bytes of memory. Of a header: at most
  /// what its tensors and metadata take.
  std::size_t json_values = std::size_t{16} << 20;

  // Files of tensors.
  std::uint64_t header_bytes = 100'000'000;  ///< bytes of a safetensors header: 2 and up
  std::size_t header_depth = 4;              ///< nesting of a safetensors header: 3 and up
  std::size_t tensors = 262'144;             ///< of one file or of all shards: 0 and up
  std::size_t tensor_name_bytes = 512;       ///< bytes of a tensor's name: 0 and up
  std::size_t metadata = 65'536;             ///< entries a file has about itself: 0 and up
  std::size_t dimensions = 8;                ///< of one tensor: 0 and up

  // Numbers in a model's configuration: the greatest that is allowed. The least is 1, of a Marian
  // model's features 2.
  std::int64_t layers = 1024;             ///< blocks of an encoder or a decoder
  std::int64_t heads = 1024;              ///< of one attention layer
  std::int64_t hidden = 131'072;          ///< d_model: features of a token
  std::int64_t feed_forward = 1'048'576;  ///< d_ff: features inside a feed-forward layer
  std::int64_t positions = 16'777'216;    ///< tokens of one sequence

  // Tokenizers.
  std::int64_t vocabulary = std::int64_t{4} << 20;  ///< entries: 1 and up
  std::int64_t merges = std::int64_t{4} << 20;      ///< rules of byte-pair encoding: 0 and up
  std::size_t piece_bytes = std::size_t{64} << 10;  ///< bytes of one entry's text: 1 and up
  std::size_t text_bytes = std::size_t{16} << 20;   ///< bytes of one text to encode: 0 and up
};

/// How the bytes of tensors come into memory.
enum class FileAccess {
  read,  ///< read into memory of the program's own, when a tensor's numbers are asked for
  map,   ///< left in the file, which must not change while the tensors live: see MappedFile
};

/// How a file or folder is opened.
struct LoadOptions {
  LoadLimits limits;
  FileAccess access = FileAccess::read;
};

}  // namespace eigenformer::inline v0::io
