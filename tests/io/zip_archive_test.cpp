// SPDX-License-Identifier: MIT
#include "eigenformer/io/zip_archive.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/support.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using io_test::bytes_of;
using io_test::ErrorCode;
using io_test::expect_error;

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8) out += static_cast<char>(value & 255);
  return out;
}

struct File {
  std::string name;
  std::string content;
};

/// What both headers of a file have from the flags to the sizes.
std::string common_fields(const File& file, std::uint16_t flags) {
  return number(flags, 2) + number(0, 6) + number(detail::crc32(bytes_of(file.content)), 4) +
         number(file.content.size(), 4) + number(file.content.size(), 4) +
         number(file.name.size(), 2);
}

std::string end_of(std::size_t entries, std::size_t size, std::size_t begin) {
  return "PK\5\6\0\0\0\0"s + number(entries, 2) + number(entries, 2) + number(size, 4) +
         number(begin, 4);
}

/// The archive, as a small tool would write it.
std::string archive_of(const std::vector<File>& files, std::string_view comment = "") {
  std::string out, directory;
  for (const File& file : files) {
    directory += "PK\1\2\x14\0\x14\0"s + common_fields(file, 0) + number(0, 2 + 2 + 2 + 2 + 4) +
                 number(out.size(), 4) + file.name;
    out += "PK\3\4\x14\0"s + common_fields(file, 0) + number(0, 2) + file.name + file.content;
  }
  const std::size_t begin = out.size();
  return out + directory + end_of(files.size(), directory.size(), begin) +
         number(comment.size(), 2) + std::string(comment);
}

/// An archive that lives as long as its bytes.
struct Open {
  explicit Open(std::string content)
      : bytes(std::move(content)),
        allowance("archive", bytes.size()),
        archive(bytes_of(bytes), "archive", allowance) {}

  std::string content(std::string_view name) const {
    const ZipEntry* const entry = archive.find(name);
    return entry == nullptr ? "none" : std::string(as_text(archive.checked_content(*entry)));
  }

  std::string bytes;
  MemoryAllowance allowance;
  ZipArchive archive;
};

// The check value that catalogues of CRCs give for CRC-32.
TEST(ZipArchiveTest, HasTheCrcOfZip) {
  EXPECT_EQ(detail::crc32(bytes_of("123456789")), 0xCBF43926u);
  EXPECT_EQ(detail::crc32({}), 0u);
}

TEST(ZipArchiveTest, FindsEntriesByName) {
  const Open open(archive_of({{"b", "second"}, {"a/x", "first"}, {"c", ""}, {"", "unnamed"}}));
  ASSERT_EQ(open.archive.entries().size(), 4u);
  EXPECT_EQ(open.archive.entries()[0].name, "");
  EXPECT_EQ(open.archive.entries()[1].name, "a/x");
  EXPECT_EQ(open.content("a/x"), "first");
  EXPECT_EQ(open.content("b"), "second");
  EXPECT_EQ(open.content("c"), "");
  EXPECT_EQ(open.content(""), "unnamed");
  EXPECT_EQ(open.archive.find("d"), nullptr);
  EXPECT_EQ(open.archive.find("a"), nullptr);
}

TEST(ZipArchiveTest, ReadsAnArchiveOfNothing) {
  EXPECT_EQ(Open(archive_of({})).archive.entries().size(), 0u);
  EXPECT_EQ(Open(archive_of({}, "empty")).archive.entries().size(), 0u);
}

// The end of the directory is where the comment reaches the end of the file, not where its
// signature occurs last.
TEST(ZipArchiveTest, IsNotMisledByItsComment) {
  const std::string fake = "PK\5\6" + std::string(18, '\0');
  for (const std::string& comment :
       {fake + "x", "x" + fake + "x", std::string(65535, '\0'), "PK\5\6"s}) {
    EXPECT_EQ(Open(archive_of({{"a", "1"}}, comment)).content("a"), "1");
  }
  // Where a record with a fitting comment stands in the comment, that is the one; and what it ends
  // would have to be in front of it.
  expect_error(ErrorCode::format, "byte 0: the central directory ends here, expected at byte 101",
               [&] {
                 Open(archive_of({{"a", "1"}}, fake));
               });
}

// Alignment puts anything between entries; a program may stand in front of an archive.
TEST(ZipArchiveTest, LeavesGapsAlone) {
  const File file = {"a", "1"};
  std::string bytes = "gap" + ("PK\3\4\x14\0"s + common_fields(file, 0)) + number(5, 2) + "a" +
                      "extra" + "1" + "gap";
  const std::size_t begin = bytes.size();
  bytes += "PK\1\2\x14\0\x14\0"s + common_fields(file, 0) + number(0, 12) + number(3, 4) + "a";
  bytes += end_of(1, bytes.size() - begin, begin) + number(0, 2);
  EXPECT_EQ(Open(bytes).content("a"), "1");
}

TEST(ZipArchiveTest, RefusesWhatTheDirectoryDoesNotCover) {
  const std::string good = archive_of({{"a", "1"}, {"b", "2"}});
  for (std::size_t size = 0; size < good.size(); ++size) {
    expect_error(ErrorCode::format, "archive: ", [&] { Open(good.substr(0, size)); });
  }
  expect_error(ErrorCode::format, "archive: entry \"a\": occurs twice", [&] {
    Open(archive_of({{"a", "1"}, {"a", "1"}}));
  });
  expect_error(ErrorCode::format, "CRC-32", [&] {
    std::string bad = good;
    bad[31] = '3';
    Open(bad).content("a");
  });
}

// 16,000 entries that share one local header with 64 KiB of extra fields: a reader that goes
// through those for each entry is at it for minutes.
TEST(ZipArchiveTest, ReadsNoByteTwice) {
  const File file = {"a", ""};
  std::string fields = common_fields(file, 0);
  for (std::size_t i = 12; i < 20; ++i) fields[i] = '\xFF';
  std::string extra;
  while (extra.size() + 4 <= 65535) extra += "\2\0\0\0"s;
  std::string bytes = "PK\3\4\x14\0"s + fields + number(extra.size(), 2) + "a" + extra;
  const std::size_t begin = bytes.size();
  constexpr std::size_t entries = 16000;
  for (std::size_t i = 0; i < entries; ++i) {
    bytes += "PK\1\2\x14\0\x14\0"s + common_fields(file, 0) + number(0, 16) + "a";
  }
  bytes += end_of(entries, bytes.size() - begin, begin) + number(0, 2);
  expect_error(ErrorCode::format, "expected its local header between", [&] { Open{bytes}; });
}

// As many entries as fit: their list must not outgrow the file.
TEST(ZipArchiveTest, TakesItsListFromTheAllowance) {
  const std::string bytes = archive_of({{"a", "1"}});
  MemoryAllowance allowance("archive", 0);
  allowance.take((std::uint64_t{768} << 10) - sizeof(ZipEntry) + 1);
  expect_error(ErrorCode::format, "takes more memory",
               [&] { ZipArchive(bytes_of(bytes), "archive", allowance); });
}

}  // namespace
