// SPDX-License-Identifier: MIT
/// The layout of torch.save since torch 1.6: a ZIP archive with the pickled state dict in
/// NAME/data.pkl and each storage in NAME/data/KEY, stored as it is in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/memory_allowance.hpp"
#include "eigenformer/io/pickle.hpp"
#include "eigenformer/io/tensor.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/io/torch_plan.hpp"
#include "eigenformer/io/torch_state_dict.hpp"
#include "eigenformer/io/zip_archive.hpp"

namespace eigenformer::inline v0::io::detail {

/// The entry NAME/data.pkl, the only one of that form. Throws Error(format).
inline const ZipEntry& torch_pickle_entry(const ZipArchive& archive, const std::string& file) {
  constexpr std::string_view ending = "/data.pkl";
  const ZipEntry* found = nullptr;
  for (const ZipEntry& entry : archive.entries()) {
    const std::size_t folder = entry.name.find('/');
    if (folder == std::string_view::npos || entry.name.substr(folder) != ending) continue;
    if (found != nullptr) {
      throw Error(ErrorCode::format, file + ": several pickles, " + excerpt(found->name) + " and " +
                                         excerpt(entry.name));
    }
    found = &entry;
  }
  if (found != nullptr) return *found;
  throw Error(ErrorCode::format, file + ": no NAME/data.pkl among the " +
                                     std::to_string(archive.entries().size()) +
                                     " entries of this ZIP archive: torch.save did not write it");
}

/// Throws unless the entries beside the pickle say that it is for us. Old archives lack some.
inline void check_torch_archive(const ZipArchive& archive, const std::string& folder,
                                const std::string& file) {
  if (archive.find(folder + "constants.pkl") != nullptr) {
    throw Error(ErrorCode::unsupported,
                file +
                    ": is a TorchScript archive, which has a program in it; expected a state "
                    "dict, saved by torch.save(model.state_dict(), ...)");
  }
  const auto expect = [&](std::string_view name, std::initializer_list<std::string_view> wanted) {
    const ZipEntry* const entry = archive.find(folder + std::string(name));
    if (entry == nullptr) return;
    const std::string_view text = as_text(archive.checked_content(*entry));
    if (std::find(wanted.begin(), wanted.end(), text) != wanted.end()) return;
    throw Error(ErrorCode::unsupported, file + ": " + std::string(name) + ": expected " +
                                            json_quoted(*(wanted.end() - 1)) + ", got " +
                                            excerpt(text));
  };
  expect("byteorder", {"little"});
  expect("version", {"1\n", "2\n", "3\n"});
}

/// The storages of an archive. One that has elements is of one type for all its tensors: torch
/// writes no other, and reads it as whichever comes first.
class TorchZipStorages {
 public:
  /// `folder`: what their entries' names begin with.
  TorchZipStorages(const ZipArchive& archive, std::string_view folder, MemoryAllowance& allowance)
      : prefix_(folder.size()) {
    const std::span<const ZipEntry> all = archive.entries();
    const auto first = std::lower_bound(
        all.begin(), all.end(), folder,
        [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
    const auto last = std::partition_point(
        first, all.end(), [&](const ZipEntry& entry) { return entry.name.starts_with(folder); });
    storages_ = std::span(first, last);
    allowance.take(storages_.size() * sizeof(types_[0]));
    types_.resize(storages_.size());
  }

  /// At which byte of the file a storage begins. Throws Error(format).
  std::uint64_t operator()(const TorchStorageName& name, const std::string& where) {
    const auto found = std::lower_bound(storages_.begin(), storages_.end(), name.key,
                                        [this](const ZipEntry& entry, std::string_view wanted) {
                                          return entry.name.substr(prefix_) < wanted;
                                        });
    if (found == storages_.end() || found->name.substr(prefix_) != name.key) {
      throw Error(ErrorCode::format,
                  where + ": its storage " + excerpt(name.key) + " is not in the archive");
    }
    const std::uint64_t bytes = name.elements * size_of(name.type);
    if (found->size != bytes) {
      throw Error(ErrorCode::format, where + ": its storage " + excerpt(name.key) +
                                         " should have " + std::to_string(bytes) +
                                         " bytes and has " + std::to_string(found->size));
    }
    std::optional<DataType>& type = types_[static_cast<std::size_t>(found - storages_.begin())];
    if (bytes > 0 && type.value_or(name.type) != name.type) {
      throw Error(ErrorCode::format, where + ": its storage " + excerpt(name.key) + " is of " +
                                         std::string(io::name(name.type)) + " here and of " +
                                         std::string(io::name(*type)) + " for another tensor");
    }
    type = name.type;
    return found->begin;
  }

 private:
  std::size_t prefix_;
  std::span<const ZipEntry> storages_;
  std::vector<std::optional<DataType>> types_;  ///< of each storage that a tensor had
};

/// Throws Error: format, or unsupported. The CRC-32 of storages is not checked: that would be a
/// pass over the whole model for what torch itself doesn't do either.
inline TorchPlan plan_torch_zip(TorchFile& file) {
  const ZipArchive archive(file.bytes, file.name, file.allowance);
  const ZipEntry& pickle = torch_pickle_entry(archive, file.name);
  const std::string folder(pickle.name.substr(0, pickle.name.find('/') + 1));
  check_torch_archive(archive, folder, file.name);
  const PickleSource source =
      torch_pickle_source(file, file.name + ": " + "data.pkl", archive.checked_content(pickle));
  const PickleDocument document = read_pickle(source, file.allowance);
  if (document.end() != pickle.size) {
    throw Error(ErrorCode::format, file.name + ": data.pkl: byte " +
                                       std::to_string(document.end()) +
                                       ": more bytes after the pickle");
  }
  TorchZipStorages storages(archive, folder + "data/", file.allowance);
  return TorchPlanner(document, file, storages).plan();
}

}  // namespace eigenformer::inline v0::io::detail
