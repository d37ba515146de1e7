// SPDX-License-Identifier: MIT
/// What a benchmark runs on, as Linux tells it: names, caches, load.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "eigenformer/core/types.hpp"

namespace eigenformer::bench {

/// The value of the first line of /proc/cpuinfo that begins with `key`; "" without one.
inline std::string cpu_info(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.rfind(key, 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

/// Whether the processor has it, by the kernel's name for it ("avx512_vnni").
inline bool has_cpu_flag(const std::string& flag) {
  std::istringstream flags(cpu_info("flags"));
  for (std::string word; flags >> word;) {
    if (word == flag) return true;
  }
  return false;
}

/// Memory of one kind: a cache, or what lies behind the last one.
struct Level {
  std::string name;
  Index bytes;  ///< of which one core may find this many there
};

/// "48K" -> 49152.
inline Index bytes_from_text(const std::string& text) {
  char* unit = nullptr;
  const Index number = std::strtol(text.c_str(), &unit, 10);
  return number * (*unit == 'K' ? 1 << 10 : *unit == 'M' ? 1 << 20 : 1);
}

/// L1 (data), L2, L3 and DRAM, nearest first. A level that the kernel doesn't tell has a usual
/// size.
inline const std::vector<Level>& levels() {
  static const std::vector<Level> known = [] {
    std::vector<Level> found{{"L1", 32 << 10}, {"L2", 1 << 20}, {"L3", 16 << 20}};
    for (int i = 0; i < 8; ++i) {
      const std::string folder =
          "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
      std::size_t level = 0;
      std::string type, size;
      std::ifstream(folder + "level") >> level;
      std::ifstream(folder + "type") >> type;
      std::ifstream(folder + "size") >> size;
      if (level < 1 || level > 3 || type == "Instruction" || bytes_from_text(size) <= 0) continue;
      found[level - 1].bytes = bytes_from_text(size);
    }
    found.push_back({"DRAM", Index{1} << 50});
    return found;
  }();
  return known;
}

/// The level in which `bytes` that are read again and again are found.
inline const Level& level_of(Index bytes) {
  for (const Level& level : levels()) {
    if (bytes <= level.bytes) return level;
  }
  return levels().back();
}

/// A size that tells the levels apart: half of L1, then the geometric middle between a level and
/// the one before it. DRAM: twice the last cache, 1 GiB at most.
inline Index typical_bytes(std::size_t level) {
  const auto size = [](std::size_t l) { return static_cast<double>(levels()[l].bytes); };
  double bytes = size(0) / 2;
  if (level > 0) bytes = std::sqrt(size(level - 1) * size(level));
  if (level == 3) bytes = std::min(2 * size(2), double{1 << 30});
  return static_cast<Index>(bytes) / 4096 * 4096;
}

/// Whether a benchmark may take `bytes`: a quarter of the free memory.
inline bool affordable(Index bytes) {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    Index kibibytes = 0;
    if (word == "MemAvailable:" && file >> kibibytes) return bytes / 256 < kibibytes;
  }
  return false;
}

/// Threads that want a core, averaged over a minute, for each core.
inline double load_per_core() {
  double minute = 0;
  if (getloadavg(&minute, 1) != 1) return 0;
  return minute / static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
}

enum class Pages { small, huge };

/// Zeros in pages of one kind: huge ones if the system gives them for the asking.
class PagedMemory {
 public:
  PagedMemory(Index bytes, Pages pages) : size_(static_cast<std::size_t>(bytes) + huge) {
    map_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map_ == MAP_FAILED) throw std::bad_alloc();
    madvise(map_, size_, pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    std::memset(map_, 0, size_);
  }
  PagedMemory(const PagedMemory&) = delete;
  PagedMemory& operator=(const PagedMemory&) = delete;
  ~PagedMemory() { munmap(map_, size_); }

  /// Where a huge page begins.
  const std::byte* data() const {
    const auto begin = reinterpret_cast<std::uintptr_t>(map_);
    return reinterpret_cast<const std::byte*>((begin + huge - 1) / huge * huge);
  }

 private:
  static constexpr std::size_t huge = std::size_t{2} << 20;
  void* map_;
  std::size_t size_;
};

}  // namespace eigenformer::bench
