// SPDX-License-Identifier: MIT
/// A model's weights, in whichever form its folder has them.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/safetensors.hpp"
#include "eigenformer/io/shard_index.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/io/torch_checkpoint.hpp"

namespace eigenformer::inline v0::io {

/// The tensors of one safetensors file. Throws what read_safetensors and map_safetensors throw.
inline Tensors open_safetensors(const std::string& path, const LoadOptions& options = {}) {
  return options.access == FileAccess::map ? map_safetensors(path, options.limits)
                                           : read_safetensors(path, options.limits);
}

/// The tensors of all safetensors files that an index (model.safetensors.index.json) names. Throws
/// what read_shard_index, find_shards and open_shards throw, and Error(out_of_memory) where all the
/// files together are over limits.memory_bytes, before it reads the first.
inline Tensors open_sharded_safetensors(const std::string& index_path,
                                        const LoadOptions& options = {}) {
  const ShardIndex index = read_shard_index(index_path, options.limits);
  const ShardFiles files = find_shards(index);
  if (options.access == FileAccess::read) {
    check_budget(index_path, files.bytes, options.limits.memory_bytes);
  }
  return open_shards(index, files,
                     [&](const std::string& path) { return open_safetensors(path, options); });
}

/// The same for torch's files (pytorch_model.bin.index.json), which are always read. What their
/// tensors take beside them counts too, once each file has been read and before it is allocated.
inline Tensors read_sharded_torch_checkpoint(const std::string& index_path,
                                             const LoadLimits& limits = {}) {
  const ShardIndex index = read_shard_index(index_path, limits);
  const ShardFiles files = find_shards(index);
  check_budget(index_path, files.bytes, limits.memory_bytes);
  std::uint64_t beside = 0;
  const auto check = [&](std::uint64_t, std::uint64_t gathered) {
    beside += gathered;
    check_budget(index_path, files.bytes + beside, limits.memory_bytes);
  };
  return open_shards(index, files, [&](const std::string& path) {
    return detail::read_torch_file(path, limits, check);
  });
}

namespace detail {

inline void expect_folder(const std::string& path) {
  struct stat status = {};
  if (::stat(system_path(path), &status) != 0) throw system_error(path, "cannot open");
  if (S_ISDIR(status.st_mode)) return;
  throw Error(ErrorCode::io, path + ": is not a folder; a model's folder is expected here");
}

/// Whose weights a file has, by the end of its name; empty where they are nobody's.
inline std::string_view kind_of_weights(std::string_view name) {
  struct Kind {
    std::string_view ending;
    std::string_view text;
  };
  constexpr std::array<Kind, 11> kinds = {{{".safetensors", "safetensors by another name"},
                                           {".bin", "perhaps torch's by another name"},
                                           {".pt", "torch's"},
                                           {".pth", "torch's"},
                                           {".ckpt", "torch's or TensorFlow's"},
                                           {".h5", "TensorFlow's"},
                                           {".msgpack", "Flax's"},
                                           {".gguf", "llama.cpp's"},
                                           {".onnx", "ONNX"},
                                           {".npz", "NumPy's"},
                                           {".ot", "of rust-bert"}}};
  for (const Kind& kind : kinds) {
    if (name.ends_with(kind.ending)) return kind.text;
  }
  return {};
}

/// The files in a folder that look like weights, with their kinds, ordered; none where the system
/// does not list it.
inline std::vector<std::string> weight_like_files(const std::string& folder) {
  struct Close {
    void operator()(DIR* open) const noexcept { ::closedir(open); }
  };
  std::vector<std::string> out;
  const std::unique_ptr<DIR, Close> entries(::opendir(system_path(folder)));
  if (!entries) return out;
  while (const dirent* const entry = ::readdir(entries.get())) {
    const std::string_view kind = kind_of_weights(entry->d_name);
    if (!kind.empty()) out.push_back(excerpt(entry->d_name) + " (" + std::string(kind) + ")");
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// For a folder without any of the files that open_checkpoint takes.
[[noreturn]] inline void refuse_folder(const std::string& folder) {
  constexpr std::size_t most = 8;
  const std::vector<std::string> others = weight_like_files(folder);
  std::string text =
      folder +
      ": has no weights to open: looked for model.safetensors, model.safetensors.index.json, "
      "pytorch_model.bin and pytorch_model.bin.index.json";
  for (std::size_t i = 0; i < std::min(others.size(), most); ++i) {
    text += (i == 0 ? "; found " : ", ") + others[i];
  }
  if (others.size() > most) text += " and " + std::to_string(others.size() - most) + " more";
  if (!others.empty()) {
    text +=
        ". A model loaded from those in transformers is saved as model.safetensors by "
        "save_pretrained()";
  }
  throw Error(ErrorCode::io, text);
}

}  // namespace detail

/// The weights in a model's folder, as a model hub has it: the first that is there of
/// model.safetensors, model.safetensors.index.json with its shards, pytorch_model.bin, and
/// pytorch_model.bin.index.json with its shards. Torch's files are read also where options.access
/// is FileAccess::map. Throws Error: io (no such folder, none of the files), and what their readers
/// throw.
Tensors open_checkpoint(const std::string& folder, const LoadOptions& options = {});

#if EIGENFORMER_DEFINES(EIGENFORMER_PART_IO)
EIGENFORMER_INLINE Tensors open_checkpoint(const std::string& folder, const LoadOptions& options) {
  return or_out_of_memory(folder, [&] {
    detail::expect_folder(folder);
    std::string path = folder + "/model.safetensors";
    if (is_there(path)) return open_safetensors(path, options);
    path += ".index.json";
    if (is_there(path)) return open_sharded_safetensors(path, options);
    path = folder + "/pytorch_model.bin";
    if (is_there(path)) return read_torch_checkpoint(path, options.limits);
    path += ".index.json";
    if (is_there(path)) return read_sharded_torch_checkpoint(path, options.limits);
    detail::refuse_folder(folder);
  });
}

#endif

}  // namespace eigenformer::inline v0::io
