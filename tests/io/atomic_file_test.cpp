// SPDX-License-Identifier: MIT
#include "eigenformer/io/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "io/support.hpp"

namespace {

using eigenformer::io::AtomicFile;
using io_test::bytes_of;
using io_test::content_of;
using io_test::ErrorCode;
using io_test::expect_error;
using Names = std::vector<std::string>;

using AtomicFileTest = io_test::FolderTest;

TEST_F(AtomicFileTest, AppearsWholeAtTheCommit) {
  AtomicFile file(path("a"));
  file.write(bytes_of("one "));
  file.write(bytes_of(""));
  file.write(bytes_of("two"));
  EXPECT_FALSE(std::filesystem::exists(path("a")));
  file.commit();
  EXPECT_EQ(content_of(path("a")), "one two");
  EXPECT_EQ(files(), Names{"a"});
}

TEST_F(AtomicFileTest, LeavesTheOldFileUntilThen) {
  write("a", "old");
  {
    AtomicFile file(path("a"));
    file.write(bytes_of("new"));
    EXPECT_EQ(content_of(path("a")), "old");
  }
  EXPECT_EQ(content_of(path("a")), "old");
  EXPECT_EQ(files(), Names{"a"});
  AtomicFile file(path("a"));
  file.write(bytes_of("new"));
  file.commit();
  EXPECT_EQ(content_of(path("a")), "new");
}

TEST_F(AtomicFileTest, KeepsTwoWritersApart) {
  AtomicFile first(path("a"));
  AtomicFile second(path("a"));
  first.write(bytes_of("first"));
  second.write(bytes_of("second"));
  second.commit();
  EXPECT_EQ(content_of(path("a")), "second");
  first.commit();
  EXPECT_EQ(content_of(path("a")), "first");
  EXPECT_EQ(files(), Names{"a"});
}

TEST_F(AtomicFileTest, ReplacesALinkAndNotItsTarget) {
  write("target", "old");
  std::filesystem::create_symlink("target", path("a"));
  AtomicFile file(path("a"));
  file.write(bytes_of("new"));
  file.commit();
  EXPECT_EQ(content_of(path("target")), "old");
  EXPECT_FALSE(std::filesystem::is_symlink(path("a")));
}

TEST_F(AtomicFileTest, FollowsTheUmask) {
  const mode_t before = ::umask(022);
  AtomicFile file(path("a"));
  file.commit();
  ::umask(before);
  struct stat status = {};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0644u);
}

TEST_F(AtomicFileTest, SaysWhyItCannot) {
  expect_error(ErrorCode::io, "none/a: cannot create a file beside it: No such file or directory",
               [&] { AtomicFile file(path("none/a")); });
  std::filesystem::create_directory(path("folder"));
  expect_error(ErrorCode::io, "folder: cannot replace: it is not a regular file", [&] {
    AtomicFile file(path("folder"));
    file.commit();
  });
  EXPECT_EQ(files(), Names{"folder"});
  // As root, a rename would take the place of a pipe, or of a device.
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  expect_error(ErrorCode::io, "pipe: cannot replace: it is not a regular file", [&] {
    AtomicFile file(path("pipe"));
    file.commit();
  });
  EXPECT_EQ(files(), (Names{"folder", "pipe"}));
}

}  // namespace
