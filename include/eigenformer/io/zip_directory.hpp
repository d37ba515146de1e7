// SPDX-License-Identifier: MIT
/// The records of a ZIP archive, and where its central directory lies (PKWARE's APPNOTE.TXT 6.3.10;
/// section numbers are its own).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/little_endian.hpp"

namespace eigenformer::inline v0::io {

namespace detail {

/// The remainders of all bytes by the polynomial of CRC-32, bits reversed: 0xEDB88320.
constexpr std::array<std::uint32_t, 256> make_crc32_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0xEDB88320 : 0);
    table[i] = value;
  }
  return table;
}

inline constexpr std::array<std::uint32_t, 256> crc32_table = make_crc32_table();

/// The CRC-32 of ZIP (4.4.7).
inline std::uint32_t crc32(std::span<const std::byte> bytes) {
  std::uint32_t value = 0xFFFFFFFF;
  for (const std::byte byte : bytes) {
    value = value >> 8 ^ crc32_table[(value ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  }
  return ~value;
}

/// A record: fixed fields, and behind them what has no fixed size.
struct ZipRecordKind {
  std::uint32_t signature;
  std::uint64_t size;  ///< bytes of the fixed fields
  std::string_view name;
};

inline constexpr ZipRecordKind zip_local = {0x04034B50, 30, "local header"};
inline constexpr ZipRecordKind zip_central = {0x02014B50, 46, "entry of the central directory"};
inline constexpr ZipRecordKind zip_end = {0x06054B50, 22, "end of the central directory"};
inline constexpr ZipRecordKind zip64_end = {0x06064B50, 56, "ZIP64 end of the central directory"};
inline constexpr ZipRecordKind zip64_locator = {0x07064B50, 20, "ZIP64 locator"};

/// In a field of 32 bits: the ZIP64 extra field or record has the value (4.4.8, 4.4.9).
inline constexpr std::uint64_t zip64_has_it = 0xFFFFFFFF;

/// An archive's bytes, and how messages name it.
class ZipBytes {
 public:
  ZipBytes(std::span<const std::byte> bytes, std::string file)
      : bytes_(bytes), file_(std::move(file)) {}

  const std::string& file() const noexcept { return file_; }
  std::uint64_t size() const noexcept { return bytes_.size(); }

  // The caller of these three knows that the bytes are there.

  template <class Integer>
  Integer field(std::uint64_t at) const {
    return little_endian<Integer>(bytes_, static_cast<std::size_t>(at));
  }

  std::span<const std::byte> span(std::uint64_t at, std::uint64_t size) const {
    return bytes_.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(size));
  }

  std::string_view text(std::uint64_t at, std::uint64_t size) const {
    return as_text(span(at, size));
  }

  /// Whether the fixed fields of a record of that kind lie between `at` and `limit`.
  bool has(const ZipRecordKind& kind, std::uint64_t at, std::uint64_t limit) const {
    return at <= limit && kind.size <= limit - at && field<std::uint32_t>(at) == kind.signature;
  }

  void expect(const ZipRecordKind& kind, std::uint64_t at, std::uint64_t limit) const {
    if (!has(kind, at, limit)) throw error_at(at, "expected the " + std::string(kind.name));
  }

  Error error_at(std::uint64_t at, const std::string& what,
                 ErrorCode code = ErrorCode::format) const {
    return Error(code, file_ + ": byte " + std::to_string(at) + ": " + what);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
};

/// Replaces those of the fields that the ZIP64 field among the extra fields has (4.5.3); false
/// where it lacks one.
inline bool widen(std::span<const std::byte> extra, std::initializer_list<std::uint64_t*> fields) {
  std::span<const std::byte> wide;
  while (extra.size() >= 4) {
    const auto id = little_endian<std::uint16_t>(extra, 0);
    const std::size_t size = little_endian<std::uint16_t>(extra, 2);
    extra = extra.subspan(4);
    // A field cut short is another tool's business, unless it is the one that counts.
    if (size > extra.size()) break;
    if (id == 1) {
      wide = extra.first(size);
      break;
    }
    extra = extra.subspan(size);
  }
  for (std::uint64_t* const field : fields) {
    if (*field != zip64_has_it) continue;
    if (wide.size() < sizeof(*field)) return false;
    *field = little_endian<std::uint64_t>(wide, 0);
    wide = wide.subspan(sizeof(*field));
  }
  return true;
}

struct ZipDirectory {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
  std::uint64_t end = 0;  ///< where the record behind it begins
  bool whole = true;      ///< the archive is in one volume

  bool operator==(const ZipDirectory&) const = default;
};

/// Where the archive's last record begins: the one whose comment ends with the file.
inline std::uint64_t zip_end_of(const ZipBytes& zip) {
  for (std::uint64_t comment = 0; comment <= 0xFFFF; ++comment) {
    if (zip_end.size + comment > zip.size()) break;
    const std::uint64_t at = zip.size() - zip_end.size - comment;
    if (zip.has(zip_end, at, zip.size()) && zip.field<std::uint16_t>(at + 20) == comment) return at;
  }
  throw Error(ErrorCode::format, zip.file() + ": a ZIP archive without the end of its central " +
                                     "directory: is it cut short?");
}

/// What the ZIP64 record between a locator's place and its own says (4.3.14).
inline ZipDirectory zip64_directory(const ZipBytes& zip, std::uint64_t at, std::uint64_t locator) {
  zip.expect(zip64_end, at, locator);
  constexpr std::uint64_t uncounted = 12;  // the signature, and the size itself
  if (zip.field<std::uint64_t>(at + 4) != locator - at - uncounted) {
    throw zip.error_at(at, "a ZIP64 record that does not end at byte " + std::to_string(locator) +
                               ", where its locator begins");
  }
  const auto entries = zip.field<std::uint64_t>(at + 32);
  const bool whole =
      zip.field<std::uint64_t>(at + 16) == 0 && zip.field<std::uint64_t>(at + 24) == entries &&
      zip.field<std::uint32_t>(locator + 4) == 0 && zip.field<std::uint32_t>(locator + 16) == 1;
  return {zip.field<std::uint64_t>(at + 48), zip.field<std::uint64_t>(at + 40), entries, at, whole};
}

/// Finds the central directory. Throws Error: format, or unsupported (several volumes).
inline ZipDirectory find_zip_directory(const ZipBytes& zip) {
  const std::uint64_t end = zip_end_of(zip);
  const std::uint16_t entries = zip.field<std::uint16_t>(end + 10);
  ZipDirectory directory = {
      zip.field<std::uint32_t>(end + 16), zip.field<std::uint32_t>(end + 12), entries, end,
      zip.field<std::uint32_t>(end + 4) == 0 && zip.field<std::uint16_t>(end + 8) == entries};
  const std::uint64_t locator = end - std::min(end, zip64_locator.size);
  if (zip.has(zip64_locator, locator, end)) {
    ZipDirectory wide = zip64_directory(zip, zip.field<std::uint64_t>(locator + 8), locator);
    directory.end = wide.end;
    directory.whole = wide.whole = directory.whole && wide.whole;
    if (directory.begin == zip64_has_it) directory.begin = wide.begin;
    if (directory.size == zip64_has_it) directory.size = wide.size;
    if (directory.entries == 0xFFFF) directory.entries = wide.entries;
    if (directory != wide) throw zip.error_at(end, "differs from the ZIP64 record");
  }
  if (!directory.whole) {
    throw zip.error_at(end, "an archive in several volumes", ErrorCode::unsupported);
  }
  if (directory.begin > directory.end || directory.size > directory.end - directory.begin) {
    throw zip.error_at(end, "a central directory of " + std::to_string(directory.size) +
                                " bytes from byte " + std::to_string(directory.begin) +
                                ", where byte " + std::to_string(directory.end) +
                                " is its last end");
  }
  if (directory.entries > directory.size / zip_central.size) {
    throw zip.error_at(end, std::to_string(directory.entries) + " entries in " +
                                std::to_string(directory.size) + " bytes of central directory");
  }
  return directory;
}

}  // namespace detail
}  // namespace eigenformer::inline v0::io
