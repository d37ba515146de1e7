// SPDX-License-Identifier: MIT
#include "eigenformer/io/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "io/support.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using io_test::ErrorCode;
using io_test::expect_error;

constexpr std::uint64_t no_budget = std::numeric_limits<std::uint64_t>::max();

using FileTest = io_test::FolderTest;

TEST_F(FileTest, ReadsTheWholeContent) {
  const ByteBuffer bytes = read_file(write("a", "one\0two\r\n"s), no_budget);
  EXPECT_EQ(as_text(bytes.span()), "one\0two\r\n"s);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64, 0u);
}

TEST_F(FileTest, ReadsAnEmptyFile) { EXPECT_EQ(read_file(write("a", ""), 0).size(), 0u); }

TEST_F(FileTest, ReadsThroughALink) {
  write("a", "text");
  std::filesystem::create_symlink("a", path("link"));
  EXPECT_EQ(as_text(read_file(path("link"), no_budget).span()), "text");
}

TEST_F(FileTest, RefusesWhatIsNotAFileThere) {
  expect_error(ErrorCode::io, path("none") + ": cannot open: No such file or directory",
               [&] { read_file(path("none"), no_budget); });
  expect_error(ErrorCode::io, "No such file", [&] { read_file("", no_budget); });
  expect_error(ErrorCode::io, path("") + ": is a directory",
               [&] { read_file(path(""), no_budget); });
  expect_error(ErrorCode::io, "/dev/null: is not a regular file",
               [&] { read_file("/dev/null", no_budget); });
  std::filesystem::create_symlink("itself", path("itself"));
  expect_error(ErrorCode::io, "symbolic links", [&] { read_file(path("itself"), no_budget); });
}

TEST_F(FileTest, DoesNotWaitForThePipesOtherEnd) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  expect_error(ErrorCode::io, "is not a regular file", [&] { read_file(path("pipe"), no_budget); });
}

TEST_F(FileTest, RefusesAFileItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is forbidden to root";
  ASSERT_EQ(::chmod(write("a", "x").c_str(), 0), 0);
  expect_error(ErrorCode::io, "cannot open: Permission denied",
               [&] { read_file(path("a"), no_budget); });
}

TEST_F(FileTest, RefusesAPathWithNul) {
  write("a", "x");
  expect_error(ErrorCode::io, "the path has a NUL byte",
               [&] { read_file(path("a") + "\0.json"s, no_budget); });
}

TEST_F(FileTest, ChecksTheBudgetFirst) {
  write("a", "12345");
  EXPECT_EQ(read_file(path("a"), 5).size(), 5u);
  expect_error(ErrorCode::out_of_memory,
               path("a") + ": needs 5 bytes of memory, the budget is 4 (LoadLimits::memory_bytes)",
               [&] { read_file(path("a"), 4); });
  // A file of a terabyte, with nothing in it.
  std::filesystem::resize_file(path("a"), std::uintmax_t{1} << 40);
  expect_error(ErrorCode::out_of_memory, "needs 1099511627776 bytes",
               [&] { read_file(path("a"), 1 << 20); });
}

TEST_F(FileTest, NoticesAFileThatShrinks) {
  InputFile file(write("a", "0123456789"));
  std::filesystem::resize_file(path("a"), 4);
  expect_error(ErrorCode::io, path("a") + ": ends at byte 4, 6 bytes too early",
               [&] { read_all(file, no_budget); });
}

TEST_F(FileTest, NoticesAFileThatGrows) {
  InputFile file(write("a", "0123"));
  std::filesystem::resize_file(path("a"), 10);
  expect_error(ErrorCode::io, path("a") + ": has more than the 4 bytes it had",
               [&] { read_all(file, no_budget); });
}

TEST_F(FileTest, ReadsInPieces) {
  InputFile file(write("a", "abcde"));
  EXPECT_EQ(file.size(), 5u);
  ByteBuffer two(2);
  file.read(two.span());
  EXPECT_EQ(as_text(two.span()), "ab");
  expect_error(ErrorCode::io, "more than", [&] { file.expect_end(); });
  file.read_at(3, two.span());
  EXPECT_EQ(as_text(two.span()), "de");
  file.read(two.span());
  EXPECT_EQ(as_text(two.span()), "cd");
  expect_error(ErrorCode::io, path("a") + ": ends at byte 5, 1 bytes too early",
               [&] { file.read(two.span()); });
  file.read(two.span().first(1));
  file.expect_end();
}

TEST_F(FileTest, IsReadWholeOnlyAsItWasOpened) {
  InputFile file(write("a", "abcde"));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // files have coarse clocks
  write("a", "vwxyz");
  expect_error(ErrorCode::io, path("a") + ": has been written to since it was opened",
               [&] { read_all(file, no_budget); });
}

TEST(ByteBufferTest, MovesWithoutMovingTheBytes) {
  ByteBuffer a(3);
  const std::byte* const place = a.data();
  ByteBuffer b(std::move(a));
  EXPECT_EQ(b.data(), place);
  EXPECT_EQ(b.size(), 3u);
  ByteBuffer c;
  c = std::move(b);
  EXPECT_EQ(c.data(), place);
  EXPECT_EQ(c.size(), 3u);
}

}  // namespace
