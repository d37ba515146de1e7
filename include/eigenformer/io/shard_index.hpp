// SPDX-License-Identifier: MIT
/// Checkpoints in several files, as transformers saves them: an index, such as
/// model.safetensors.index.json, says which file beside it, a shard, has which tensor. Everything
/// an index says is checked, because it names files.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

/// One file of a checkpoint.
struct Shard {
  std::string file;                  ///< its bare name, in the folder of the index
  std::vector<std::string> tensors;  ///< what the index puts there, at least one, in order
};

/// What an index says.
struct ShardIndex {
  std::string path;           ///< of the index, which messages name
  std::vector<Shard> shards;  ///< at least one, ordered by their names

  /// The path of a file in the folder of the index.
  std::string beside(const std::string& file) const {
    return path.substr(0, path.rfind('/') + 1) + file;
  }
};

namespace detail {

/// An index is a list of tensors and a few numbers, and has no more values than that takes.
inline LoadLimits shard_index_limits(const LoadLimits& limits) {
  LoadLimits out = limits;
  // One tensor more, so that the limit of tensors speaks first.
  const double values =
      8.0 + static_cast<double>(limits.tensors) + static_cast<double>(limits.metadata);
  if (values < static_cast<double>(limits.json_values)) {
    out.json_values = static_cast<std::size_t>(values);
  }
  return out;
}

/// The name of a file in this folder, so that an index reaches no other, and fit for a message.
inline std::string_view shard_name(const Json& json) {
  constexpr std::size_t longest = 255;
  const std::string_view name = json.string();
  const bool bare = std::none_of(name.begin(), name.end(), [](char character) {
    const auto code = static_cast<unsigned char>(character);
    return code < 0x20 || code == 0x7F || character == '/' || character == '\\';
  });
  if (!bare || name.empty() || name.size() > longest || name == "." || name == "..") {
    throw json.expected("the bare name of a file beside the index");
  }
  return name;
}

/// A path without links and dots. Throws Error(io): path, what, the system's reason.
inline std::string resolved_path(const std::string& path, const std::string& what) {
  struct Free {
    void operator()(char* text) const noexcept { std::free(text); }
  };
  const std::unique_ptr<char, Free> real(::realpath(system_path(path), nullptr));
  if (!real) throw system_error(path, what);
  return real.get();
}

/// Whether a resolved path is below a resolved folder.
inline bool is_below(std::string_view path, std::string_view folder) {
  if (folder.ends_with('/')) folder.remove_suffix(1);
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// Whether a shard of `folder` may really be at `file`, both resolved. Links may lead to below the
/// folder. And the hub's cache is made of links: CACHE/snapshots/REVISION/NAME is one to
/// CACHE/blobs/HASH. So for a folder below one called snapshots, they may lead to below the folder
/// blobs beside that.
inline bool is_place_of_shard(std::string_view file, std::string_view folder) {
  if (is_below(file, folder)) return true;
  constexpr std::string_view snapshots = "/snapshots";
  while (!folder.empty()) {
    folder = folder.substr(0, folder.rfind('/'));
    if (!folder.ends_with(snapshots)) continue;
    const std::string_view cache = folder.substr(0, folder.size() - snapshots.size());
    if (is_below(file, std::string(cache) + "/blobs")) return true;
  }
  return false;
}

/// The names that are in `all` and not in `known`, both in order, for a message; of many the first.
template <class All, class Known>
std::string difference_text(const All& all, const Known& known) {
  constexpr std::size_t most = 16;
  std::vector<std::string_view> names;
  std::set_difference(all.begin(), all.end(), known.begin(), known.end(),
                      std::back_inserter(names));
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    out += (i == 0 ? "" : ", ") + excerpt(names[i]);
  }
  if (names.size() > most) out += " and " + std::to_string(names.size() - most) + " more";
  return out;
}

/// What is wrong with a shard, a line each; empty where it has what the index puts there.
inline std::string shard_problems(const Shard& shard, const Tensors& tensors) {
  const std::vector<std::string_view> present = tensors.names();
  const std::string missing = difference_text(shard.tensors, present);
  const std::string unlisted = difference_text(present, shard.tensors);
  std::string out;
  if (!missing.empty()) out += "\n  " + excerpt(shard.file) + " lacks " + missing;
  if (!unlisted.empty()) {
    out += "\n  " + excerpt(shard.file) + " has what it does not put there: " + unlisted;
  }
  return out;
}

/// The members of weight_map as pairs of shard and tensor, checked. They live as long as the text.
inline std::vector<std::pair<std::string_view, std::string_view>> shard_entries(
    const Json& map, const LoadLimits& limits) {
  const JsonChildren members = map.members();
  if (members.empty()) throw map.expected("at least one tensor");
  if (members.size() > limits.tensors) {
    throw map.error(ErrorCode::format, "more than " + std::to_string(limits.tensors) +
                                           " tensors (LoadLimits::tensors)");
  }
  std::vector<std::pair<std::string_view, std::string_view>> out;
  out.reserve(members.size());
  for (const Json& member : members) out.emplace_back(shard_name(member), member.key());
  return out;
}

inline ShardIndex shard_index_of(const Json& json, std::string path, const LoadLimits& limits) {
  if (const std::optional<Json> metadata = json.find("metadata")) {
    // Its value is wrong in many published files, and nothing here needs it.
    if (const std::optional<Json> size = metadata->find("total_size")) size->number();
  }
  auto entries = shard_entries(json.at("weight_map"), limits);
  std::sort(entries.begin(), entries.end());
  ShardIndex index{std::move(path), {}};
  for (const auto& [shard, tensor] : entries) {
    if (index.shards.empty() || index.shards.back().file != shard) {
      index.shards.push_back({std::string(shard), {}});
    }
    index.shards.back().tensors.emplace_back(tensor);
  }
  return index;
}

}  // namespace detail

/// The index in a file, which names its shards and is not checked against them yet. Throws Error:
/// io, format (also for what is over the limits), or out_of_memory.
inline ShardIndex read_shard_index(const std::string& path, const LoadLimits& limits = {}) {
  const Json json = read_json(path, detail::shard_index_limits(limits));
  return or_out_of_memory(path, [&] { return detail::shard_index_of(json, path, limits); });
}

/// Where an index's shards lie.
struct ShardFiles {
  std::vector<std::string> paths;  ///< in the order of the index
  std::uint64_t bytes = 0;         ///< of all of them
};

/// The shards of an index, none of them read. Throws Error(io): one is missing, or no regular file;
/// Error(format): one is a link out of the folder, and not into the hub's cache.
inline ShardFiles find_shards(const ShardIndex& index) {
  const std::string folder = detail::resolved_path(index.beside("."), "cannot open");
  ShardFiles out;
  for (const Shard& shard : index.shards) {
    const std::string path = index.beside(shard.file);
    const std::string file =
        detail::resolved_path(path, "cannot open, though " + index.path + " names it");
    if (!detail::is_place_of_shard(file, folder)) {
      throw Error(ErrorCode::format, path + ": leads to " + excerpt(file) +
                                         ", expected a file in the folder of " + index.path +
                                         " or in the blobs of the hub's cache");
    }
    const std::uint64_t bytes = InputFile(path).size();
    out.bytes += std::min(bytes, std::numeric_limits<std::uint64_t>::max() - out.bytes);
    out.paths.push_back(path);
  }
  return out;
}

/// The tensors of all shards, of which `open` gives those of the file at a path. Throws what it
/// throws; or Error(format) with a line for each shard that lacks tensors or has others than the
/// index says, so that no tensor is in two.
template <class Open>
Tensors open_shards(const ShardIndex& index, const ShardFiles& files, Open open) {
  return or_out_of_memory(index.path, [&] {
    std::vector<Tensors> shards;
    std::string problems;
    for (std::size_t i = 0; i < index.shards.size(); ++i) {
      shards.push_back(open(files.paths[i]));
      problems += detail::shard_problems(index.shards[i], shards.back());
    }
    if (!problems.empty()) {
      throw Error(ErrorCode::format, index.path + ": the shards are not as it says:" + problems);
    }
    return Tensors(index.path, std::move(shards));
  });
}

}  // namespace eigenformer::inline v0::io
