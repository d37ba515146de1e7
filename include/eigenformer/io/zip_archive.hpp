// SPDX-License-Identifier: MIT
/// Reading ZIP archives whose entries are stored, not compressed, as torch.save writes them. Two
/// readers must not see two archives in one file: the central directory and the local headers have
/// to agree, and no two entries may share a byte or a name. Work is linear in the file, but for two
/// sorts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/memory_allowance.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/io/zip_directory.hpp"

namespace eigenformer::inline v0::io {

/// One file of an archive.
struct ZipEntry {
  std::string_view name;
  std::uint64_t begin = 0;  ///< of its content, in the archive
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  std::uint16_t flags = 0;  ///< as 4.4.4 has them
};

/// The entries of an archive in memory that somebody else owns.
class ZipArchive {
 public:
  /// Reads and checks the directory; `file` names the archive in errors. Throws Error: format, or
  /// unsupported (compressed, encrypted, in several volumes).
  ZipArchive(std::span<const std::byte> bytes, std::string file, MemoryAllowance& allowance)
      : zip_(bytes, std::move(file)) {
    const detail::ZipDirectory directory = detail::find_zip_directory(zip_);
    allowance.take(directory.entries * sizeof(ZipEntry));
    read_directory(directory);
    // By place, each entry must end where the next begins, and only then are local headers read:
    // so no byte is read twice, whatever the directory says. Where the next is said to begin may be
    // nowhere in the file.
    std::sort(entries_.begin(), entries_.end(),
              [](const ZipEntry& a, const ZipEntry& b) { return a.begin < b.begin; });
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const bool last = i + 1 == entries_.size();
      enter(entries_[i], last ? directory.begin : std::min(directory.begin, entries_[i + 1].begin));
    }
    std::sort(entries_.begin(), entries_.end(),
              [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
    const auto twin =
        std::adjacent_find(entries_.begin(), entries_.end(),
                           [](const ZipEntry& a, const ZipEntry& b) { return a.name == b.name; });
    if (twin != entries_.end()) throw error(*twin, "occurs twice");
  }

  /// All entries, ordered by name.
  std::span<const ZipEntry> entries() const noexcept { return entries_; }

  /// The entry of that name, or a null pointer.
  const ZipEntry* find(std::string_view name) const noexcept {
    const auto found = std::lower_bound(
        entries_.begin(), entries_.end(), name,
        [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
    return found != entries_.end() && found->name == name ? &*found : nullptr;
  }

  /// The entry's content. Throws Error(format) where its CRC-32 is not the directory's.
  std::span<const std::byte> checked_content(const ZipEntry& entry) const {
    const std::span<const std::byte> content = zip_.span(entry.begin, entry.size);
    if (detail::crc32(content) != entry.crc) {
      throw error(entry, "its content does not have the CRC-32 that the directory gives");
    }
    return content;
  }

 private:
  Error error(const ZipEntry& entry, const std::string& what,
              ErrorCode code = ErrorCode::format) const {
    return Error(code, zip_.file() + ": entry " + excerpt(entry.name) + ": " + what);
  }

  void read_directory(const detail::ZipDirectory& directory) {
    entries_.reserve(static_cast<std::size_t>(directory.entries));
    std::uint64_t at = directory.begin;
    const std::uint64_t limit = directory.begin + directory.size;
    for (std::uint64_t i = 0; i < directory.entries; ++i) at = read_entry(at, limit);
    if (at != limit) throw zip_.error_at(at, "the central directory has more than its entries");
    // Other readers look for the directory in front of the record that ends it.
    if (limit != directory.end) {
      throw zip_.error_at(limit, "the central directory ends here, expected at byte " +
                                     std::to_string(directory.end));
    }
  }

  /// Reads one entry of the central directory (4.3.12), with `begin` at its local header; returns
  /// where the next one is.
  std::uint64_t read_entry(std::uint64_t at, std::uint64_t limit) {
    zip_.expect(detail::zip_central, at, limit);
    const std::uint64_t name_at = at + detail::zip_central.size;
    const std::uint64_t extra_at = name_at + zip_.field<std::uint16_t>(at + 28);
    const std::uint64_t extra_size = zip_.field<std::uint16_t>(at + 30);
    const std::uint64_t end = extra_at + extra_size + zip_.field<std::uint16_t>(at + 32);
    if (end > limit) throw zip_.error_at(at, "an entry that ends after the central directory");

    ZipEntry entry = {zip_.text(name_at, extra_at - name_at), zip_.field<std::uint32_t>(at + 42),
                      zip_.field<std::uint32_t>(at + 24), zip_.field<std::uint32_t>(at + 16),
                      zip_.field<std::uint16_t>(at + 8)};
    std::uint64_t stored = zip_.field<std::uint32_t>(at + 20);
    check_kind(entry, zip_.field<std::uint16_t>(at + 10), zip_.field<std::uint16_t>(at + 34));
    if (!detail::widen(zip_.span(extra_at, extra_size), {&entry.size, &stored, &entry.begin})) {
      throw error(entry, "its ZIP64 field is missing or too short");
    }
    if (entry.size != stored) {
      throw error(entry, "is stored, and yet " + std::to_string(entry.size) + " bytes take " +
                             std::to_string(stored));
    }
    entries_.push_back(entry);
    return end;
  }

  void check_kind(const ZipEntry& entry, std::uint16_t method, std::uint16_t volume) const {
    if (entry.name.find('\0') != std::string_view::npos) {
      throw error(entry, "has a NUL byte in its name");
    }
    // Encrypted, strongly encrypted, with a masked directory.
    if ((entry.flags & 0x2041) != 0) throw error(entry, "is encrypted", ErrorCode::unsupported);
    if (method != 0) {
      throw error(
          entry,
          "is compressed by method " + std::to_string(method) + "; only stored entries are read",
          ErrorCode::unsupported);
    }
    if (volume != 0) throw error(entry, "lies in another volume", ErrorCode::unsupported);
  }

  /// Moves `begin` from the local header, once that agrees, to the content. All of it must end by
  /// `limit`: the next entry's header, or the directory.
  void enter(ZipEntry& entry, std::uint64_t limit) const {
    const std::uint64_t at = entry.begin;
    if (!zip_.has(detail::zip_local, at, limit)) {
      throw error(entry, "expected its local header between byte " + std::to_string(at) +
                             " and byte " + std::to_string(limit));
    }
    const std::uint64_t name_size = zip_.field<std::uint16_t>(at + 26);
    const std::uint64_t extra_size = zip_.field<std::uint16_t>(at + 28);
    const std::uint64_t room = limit - at - detail::zip_local.size;
    if (name_size + extra_size > room || entry.size > room - name_size - extra_size) {
      throw error(entry, "its " + std::to_string(entry.size) + " bytes run over byte " +
                             std::to_string(limit) + ", where something else begins");
    }
    const std::uint64_t name_at = at + detail::zip_local.size;
    if (zip_.text(name_at, name_size) != entry.name ||
        !agrees(entry, at, zip_.span(name_at + name_size, extra_size))) {
      throw error(entry, "its local header at byte " + std::to_string(at) +
                             " differs from the central directory");
    }
    entry.begin = name_at + name_size + extra_size;
  }

  /// Whether the local header at `at` (4.3.7) says what the directory says.
  bool agrees(const ZipEntry& entry, std::uint64_t at, std::span<const std::byte> extra) const {
    const auto crc = zip_.field<std::uint32_t>(at + 14);
    std::uint64_t stored = zip_.field<std::uint32_t>(at + 18);
    std::uint64_t size = zip_.field<std::uint32_t>(at + 22);
    if (!detail::widen(extra, {&size, &stored})) return false;
    const bool same = crc == entry.crc && stored == entry.size && size == entry.size;
    // With flag 3 they are 0, and come behind the content (4.3.9), where nobody needs them.
    const bool later = (entry.flags & 8) != 0 && crc == 0 && stored == 0 && size == 0;
    return zip_.field<std::uint16_t>(at + 6) == entry.flags &&
           zip_.field<std::uint16_t>(at + 8) == 0 && (same || later);
  }

  detail::ZipBytes zip_;
  std::vector<ZipEntry> entries_;
};

}  // namespace eigenformer::inline v0::io
