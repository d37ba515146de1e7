// SPDX-License-Identifier: MIT
/// How many processors there are for this process.
#pragma once

#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

namespace detail {

/// A small file's text; "" where it cannot be read.
inline std::string text_of_small_file(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return "";
  char buffer[4096];
  const std::size_t size = std::fread(buffer, 1, sizeof buffer, file);
  std::fclose(file);  // before there is anything that may throw
  return std::string(buffer, size);
}

/// Whole processors that a quota pays for: `quota` microseconds in each `period`, texts in decimal.
/// No limit for "max", a negative quota, or no number.
inline Index processors_of_quota(const std::string& quota, const std::string& period) {
  long long time = 0, of = 0;
  if (std::sscanf(quota.c_str(), "%lld", &time) != 1 || time <= 0 ||
      std::sscanf(period.c_str(), "%lld", &of) != 1 || of <= 0) {
    return std::numeric_limits<Index>::max();
  }
  return static_cast<Index>(std::max(time / of, 1LL));
}

/// What a control group and those above it pay for. `root` is where groups are mounted; a group
/// that is not found there, as in a container, is the root's.
inline Index processors_of_groups(const std::string& root, std::string group) {
  Index processors = std::numeric_limits<Index>::max();
  for (;;) {
    const std::string folder = root + group + "/";
    const std::string limit = text_of_small_file(folder + "cpu.max");  // version 2: "MAX PERIOD"
    const std::size_t blank = std::min(limit.find(' '), limit.size());
    processors =
        std::min({processors, processors_of_quota(limit.substr(0, blank), limit.substr(blank)),
                  processors_of_quota(text_of_small_file(folder + "cpu.cfs_quota_us"),
                                      text_of_small_file(folder + "cpu.cfs_period_us"))});
    if (group.empty()) return processors;
    const std::size_t above = group.rfind('/');
    group.resize(above == group.npos ? 0 : above);
  }
}

/// The same from the text of /proc/self/cgroup, a group a line: "0::/a/b" of version 2,
/// "4:cpu,cpuacct:/a" of version 1.
inline Index processors_of_groups_in(std::string_view text, const std::string& root) {
  Index processors = std::numeric_limits<Index>::max();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t name = line.find(':');
    const std::size_t path = name == line.npos ? name : line.find(':', name + 1);
    if (path == line.npos) continue;
    const std::string controllers = "," + std::string(line.substr(name + 1, path - name - 1)) + ",";
    const std::string group(line.substr(path + 1));
    if (controllers == ",,") {
      processors = std::min({processors, processors_of_groups(root, group),
                             processors_of_groups(root + "/unified", group)});
    } else if (controllers.find(",cpu,") != controllers.npos) {
      processors = std::min(processors, processors_of_groups(root + "/cpu", group));
    }
  }
  return processors;
}

}  // namespace detail

/// The processors that this process may use at a time, 1 up: those of its affinity, and no more
/// than the quotas of its control groups pay for.
inline Index usable_processors() {
  Index processors = std::max<Index>(1, std::thread::hardware_concurrency());
#if defined(__linux__)
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) processors = CPU_COUNT(&set);
  const std::string groups = detail::text_of_small_file("/proc/self/cgroup");
  processors = std::min(processors, detail::processors_of_groups_in(groups, "/sys/fs/cgroup"));
#endif
  return std::max<Index>(1, processors);
}

}  // namespace eigenformer::inline v0
