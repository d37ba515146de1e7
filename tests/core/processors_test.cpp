// SPDX-License-Identifier: MIT
#include "eigenformer/core/processors.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace eigenformer::test {
namespace {

constexpr Index no_limit = std::numeric_limits<Index>::max();

/// A folder with control groups, gone with it.
class Groups {
 public:
  Groups() : root_(std::filesystem::temp_directory_path() / "processors_test.XXXXXX") {
    if (::mkdtemp(root_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  ~Groups() { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  Index processors(const std::string& text) const {
    return detail::processors_of_groups_in(text, root_);
  }

 private:
  std::string root_;
};

TEST(Processors, WholeOnesOfAQuota) {
  EXPECT_EQ(detail::processors_of_quota("200000", "100000"), 2);
  EXPECT_EQ(detail::processors_of_quota("250000\n", " 100000\n"), 2);
  EXPECT_EQ(detail::processors_of_quota("50000", "100000"), 1);
  for (const char* const none : {"max", "-1", "", "0"}) {
    EXPECT_EQ(detail::processors_of_quota(none, "100000"), no_limit);
    EXPECT_EQ(detail::processors_of_quota("100000", none), no_limit);
  }
}

TEST(Processors, VersionTwo) {
  const Groups groups;
  groups.write("/a/b/cpu.max", "max 100000\n");
  groups.write("/a/cpu.max", "300000 100000\n");
  groups.write("/c/cpu.max", "100000 50000\n");
  EXPECT_EQ(groups.processors("0::/a/b\n"), 3) << "a limit of a group above";
  EXPECT_EQ(groups.processors("0::/a/b"), 3) << "no end of line";
  EXPECT_EQ(groups.processors("0::/c\n"), 2);
  EXPECT_EQ(groups.processors("0::/\n"), no_limit);
  groups.write("/cpu.max", "400000 100000\n");
  EXPECT_EQ(groups.processors("0::/\n"), 4);
  EXPECT_EQ(groups.processors("0::/somewhere/else\n"), 4) << "as in a container";
}

TEST(Processors, VersionOne) {
  const Groups groups;
  groups.write("/cpu/job/cpu.cfs_quota_us", "150000\n");
  groups.write("/cpu/job/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(groups.processors("5:memory:/job\n4:cpu,cpuacct:/job\n1:name=systemd:/\n0::/\n"), 3);
  EXPECT_EQ(groups.processors("4:cpu:/job/inner\n"), 3);
  EXPECT_EQ(groups.processors("4:cpuset:/job\n3:memory:/job\n"), no_limit);
  groups.write("/cpu/job/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(groups.processors("4:cpu:/job\n"), no_limit);
}

TEST(Processors, OddTextsAreNoLimit) {
  const Groups groups;
  for (const char* const text : {"", "\n\n", ":", "::", "a:b", "0:", "0::", "0::relative", "\0x"}) {
    EXPECT_EQ(groups.processors(text), no_limit) << text;
  }
}

TEST(Processors, FollowTheAffinity) {
  EXPECT_GE(usable_processors(), 1);
  // The main thread keeps what it has.
  std::thread([] {
    cpu_set_t all, one;
    ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    }
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(usable_processors(), 1);
  }).join();
}

}  // namespace
}  // namespace eigenformer::test
