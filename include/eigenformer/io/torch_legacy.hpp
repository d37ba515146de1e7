// SPDX-License-Identifier: MIT
/// The layout of torch.save before torch 1.6, which it still writes when asked to: pickles of a
/// magic number, a version, what the machine was, the state dict and the keys of its storages, and
/// then, in the keys' order, each storage with its number of elements in front.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/little_endian.hpp"
#include "eigenformer/io/pickle.hpp"
#include "eigenformer/io/pickle_value.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/io/torch_plan.hpp"
#include "eigenformer/io/torch_state_dict.hpp"

namespace eigenformer::inline v0::io::detail {

/// Throws unless the pickles in front of the state dict are torch's; returns where that begins.
inline std::size_t read_torch_preamble(PickleSource source, TorchFile& file) {
  const auto fail = [&](const std::string& what, ErrorCode code) {
    throw Error(code, file.name + ": byte " + std::to_string(source.begin) + ": " + what);
  };
  constexpr std::array<unsigned char, 10> magic = {0x6C, 0xFC, 0x9C, 0x46, 0xF9,
                                                   0x20, 0x6A, 0xA8, 0x50, 0x19};
  const PickleDocument first = read_pickle(source, file.allowance);
  const auto number = first.integer_bytes(first.root());
  if (!std::equal(number.begin(), number.end(), magic.begin(), magic.end(),
                  [](std::byte a, unsigned char b) { return a == std::byte{b}; })) {
    fail("a pickle that torch.save did not write: expected its magic number, got " +
             first.description(first.root()),
         ErrorCode::format);
  }
  source.begin = first.end();
  const PickleDocument second = read_pickle(source, file.allowance);
  if (second.integer(second.root()) != 1001) {
    fail("expected version 1001 of torch's format, got " + second.description(second.root()),
         ErrorCode::unsupported);
  }
  source.begin = second.end();
  const PickleDocument third = read_pickle(source, file.allowance);
  PickleValue little;
  if (is_torch_dict(third, third.root())) {
    for_each_entry(third, third.root(), [&](PickleValue key, PickleValue value) {
      if (third.text(key) == "little_endian") little = value;
    });
  }
  if (little.kind != PickleKind::boolean) {
    fail("expected a dict with \"little_endian\"", ErrorCode::format);
  }
  if (little.place == 0) fail("written on a big-endian machine", ErrorCode::unsupported);
  return third.end();
}

/// The storages of a file in this layout.
class TorchLegacyStorages {
 public:
  /// Those that the state dict mentions; their places come with place().
  TorchLegacyStorages(const PickleDocument& document, TorchFile& file) : file_(file) {
    const TorchPickle pickle(document, file.limits);
    file.allowance.take(document.persistent_values().size() * sizeof(Storage));
    storages_.reserve(document.persistent_values().size());
    for (const PickleValue value : document.persistent_values()) {
      storages_.push_back({pickle.storage(value, file.name + ": a storage"), 0});
    }
    std::sort(storages_.begin(), storages_.end(),
              [](const Storage& a, const Storage& b) { return a.name.key < b.name.key; });
    const auto same = [&](const Storage& a, const Storage& b) {
      if (a.name.key != b.name.key) return false;
      // Torch lets one of nothing be of several types.
      const bool same_type = a.name.type == b.name.type || a.name.elements == 0;
      if (same_type && a.name.elements == b.name.elements) return true;
      throw Error(ErrorCode::format,
                  file.name + ": storage " + excerpt(a.name.key) + " has two types or sizes");
    };
    storages_.erase(std::unique(storages_.begin(), storages_.end(), same), storages_.end());
  }

  /// Places the storages that the list of keys has, one after the other from byte `at` to the
  /// file's end.
  void place(const PickleDocument& keys, std::size_t at) {
    if (keys.root().kind != PickleKind::list) {
      throw Error(ErrorCode::format, file_.name + ": expected the list of storages, got " +
                                         keys.description(keys.root()));
    }
    keys.for_each_child(keys.root(), [&](PickleValue key) {
      const std::size_t storage = find(keys.text(key).value_or(std::string_view()));
      if (storage == storages_.size() || storages_[storage].begin != 0) {
        throw Error(ErrorCode::format, file_.name + ": the list of storages has " +
                                           keys.description(key) +
                                           ", which no tensor has or which came before");
      }
      at = place(storages_[storage], at);
    });
    if (at != file_.bytes.size()) {
      throw Error(ErrorCode::format, file_.name + ": byte " + std::to_string(at) + ": " +
                                         std::to_string(file_.bytes.size() - at) +
                                         " bytes after the last storage");
    }
  }

  /// At which byte of the file a storage begins. Throws Error(format).
  std::uint64_t operator()(const TorchStorageName& name, const std::string& where) const {
    const std::size_t storage = find(name.key);
    if (storage == storages_.size() || storages_[storage].begin == 0) {
      throw Error(ErrorCode::format,
                  where + ": its storage " + excerpt(name.key) + " is not in the file");
    }
    return storages_[storage].begin;
  }

 private:
  struct Storage {
    TorchStorageName name;
    std::uint64_t begin;  ///< 0 as long as it has no place
  };

  /// The index of a storage, or their number where there is none of that key.
  std::size_t find(std::string_view key) const {
    const auto found = std::lower_bound(
        storages_.begin(), storages_.end(), key,
        [](const Storage& storage, std::string_view wanted) { return storage.name.key < wanted; });
    const bool there = found != storages_.end() && found->name.key == key;
    return there ? static_cast<std::size_t>(found - storages_.begin()) : storages_.size();
  }

  /// Places one storage; returns where the next one begins.
  std::size_t place(Storage& storage, std::size_t at) const {
    constexpr std::size_t count_size = sizeof(std::int64_t);
    const std::uint64_t bytes = storage.name.elements * size_of(storage.name.type);
    const std::size_t rest = file_.bytes.size() - at;
    if (rest < count_size || bytes > rest - count_size) {
      throw Error(ErrorCode::format, file_.name + ": byte " + std::to_string(at) + ": storage " +
                                         excerpt(storage.name.key) + " of " +
                                         std::to_string(bytes) + " bytes and its size in the " +
                                         std::to_string(rest) + " left: is it cut short?");
    }
    const auto elements = little_endian<std::uint64_t>(file_.bytes, at);
    if (elements != storage.name.elements) {
      throw Error(ErrorCode::format, file_.name + ": byte " + std::to_string(at) + ": storage " +
                                         excerpt(storage.name.key) + " has " +
                                         std::to_string(elements) + " elements here and " +
                                         std::to_string(storage.name.elements) +
                                         " for its tensors");
    }
    storage.begin = at + count_size;
    return static_cast<std::size_t>(storage.begin + bytes);
  }

  TorchFile& file_;
  std::vector<Storage> storages_;
};

/// Throws Error: format, or unsupported.
inline TorchPlan plan_torch_legacy(TorchFile& file) {
  PickleSource source = torch_pickle_source(file, file.name, file.bytes);
  source.begin = read_torch_preamble(source, file);
  const PickleDocument document = read_pickle(source, file.allowance);
  TorchLegacyStorages storages(document, file);
  source.begin = document.end();
  {
    const PickleDocument keys = read_pickle(source, file.allowance);
    storages.place(keys, keys.end());
  }
  return TorchPlanner(document, file, storages).plan();
}

}  // namespace eigenformer::inline v0::io::detail
