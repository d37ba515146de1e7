// SPDX-License-Identifier: MIT
#include "eigenformer/io/mapped_file.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <type_traits>
#include <utility>

#include "io/support.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using io_test::ErrorCode;
using io_test::expect_error;

static_assert(!std::is_copy_constructible_v<MappedFile>);
static_assert(!std::is_copy_assignable_v<MappedFile>);

using MappedFileTest = io_test::FolderTest;

TEST_F(MappedFileTest, IsTheWholeContent) {
  const MappedFile file(write("a", "one\0two\r\n"s));
  EXPECT_EQ(as_text(file.span()), "one\0two\r\n"s);
  EXPECT_EQ(file.size(), 9u);
}

TEST_F(MappedFileTest, IsEmptyForAnEmptyFile) {
  const MappedFile file(write("a", ""));
  EXPECT_TRUE(file.span().empty());
  EXPECT_TRUE(MappedFile().span().empty());
}

// It is the file's own memory, not a copy: what is written in place shows. Nobody should; here it
// tells a mapping from a copy.
TEST_F(MappedFileTest, IsNotACopy) {
  const MappedFile file(write("a", "before"));
  std::fstream(path("a"), std::ios::in | std::ios::out | std::ios::binary) << "after!";
  EXPECT_EQ(as_text(file.span()), "after!");
}

TEST_F(MappedFileTest, OutlivesTheName) {
  const MappedFile file(write("a", "still here"));
  write("b", "another");
  std::filesystem::rename(path("b"), path("a"));
  EXPECT_EQ(as_text(file.span()), "still here");
  std::filesystem::remove(path("a"));
  EXPECT_EQ(as_text(file.span()), "still here");
}

TEST_F(MappedFileTest, MovesWithoutMovingTheBytes) {
  MappedFile a(write("a", "text"));
  const std::byte* const place = a.span().data();
  MappedFile b(std::move(a));
  EXPECT_EQ(b.span().data(), place);
  MappedFile c(write("c", "other text"));
  c = std::move(b);
  EXPECT_EQ(c.span().data(), place);
  EXPECT_EQ(as_text(c.span()), "text");
  MappedFile& same = c;
  c = std::move(same);
  EXPECT_EQ(as_text(c.span()), "text");
}

// A mapping costs addresses, not memory: the file has a terabyte, all of it a hole.
TEST_F(MappedFileTest, TakesAFileLargerThanTheMemory) {
  write("a", "start");
  std::filesystem::resize_file(path("a"), std::uintmax_t{1} << 40);
  const MappedFile file(path("a"));
  EXPECT_EQ(file.size(), std::size_t{1} << 40);
  EXPECT_EQ(as_text(file.span().first(6)), "start\0"s);
  EXPECT_EQ(file.span().back(), std::byte{0});
}

// A file in memory may have a size that no process has addresses for.
TEST(MappedFileSizeTest, SaysWhereThereIsNoRoom) {
  const int descriptor = ::memfd_create("large", 0);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(::ftruncate(descriptor, off_t{1} << 62), 0);
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  expect_error(ErrorCode::out_of_memory, path + ": the system has no room to map it",
               [&] { MappedFile file(path); });
  ::close(descriptor);
}

TEST_F(MappedFileTest, RefusesWhatIsNotAFileThere) {
  expect_error(ErrorCode::io, path("none") + ": cannot open: No such file or directory",
               [&] { MappedFile file(path("none")); });
  expect_error(ErrorCode::io, path("") + ": is a directory", [&] { MappedFile file(path("")); });
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  expect_error(ErrorCode::io, "is not a regular file", [&] { MappedFile file(path("pipe")); });
  expect_error(ErrorCode::io, "/dev/zero: is not a regular file",
               [&] { MappedFile file("/dev/zero"); });
}

TEST_F(MappedFileTest, RefusesAFileItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is forbidden to root";
  ASSERT_EQ(::chmod(write("a", "x").c_str(), 0), 0);
  expect_error(ErrorCode::io, "cannot open: Permission denied",
               [&] { MappedFile file(path("a")); });
}

}  // namespace
