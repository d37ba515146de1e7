// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/cpu.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>

namespace eigenformer::test {
namespace {

/// The first processor's flags, as the operating system lists them; nothing where it doesn't, as
/// under an emulator, which shows its host's.
std::optional<std::set<std::string>> flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(EIGENFORMER_AARCH64 ? "Features" : "flags", 0) != 0) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    std::set<std::string> all;
    for (std::string word; words >> word;) all.insert(word);
    return all;
  }
  return std::nullopt;
}

TEST(Cpu, AgreesWithTheOperatingSystem) {
  const auto known = flags();
  if (!known) GTEST_SKIP() << "/proc/cpuinfo lists no flags here";
  const auto has = [&](std::initializer_list<const char*> names) {
    for (const char* const name : names) {
      if (!known->count(name)) return false;
    }
    return true;
  };
  const bool avx2 = has({"avx2", "fma", "f16c"});
  EXPECT_EQ(kernels::cpu_features().avx2, avx2);
  EXPECT_EQ(kernels::cpu_features().avx512,
            avx2 && has({"avx512f", "avx512bw", "avx512dq", "avx512vl"}));
  EXPECT_EQ(kernels::cpu_features().avxvnni, avx2 && has({"avx_vnni"}));
  EXPECT_EQ(kernels::cpu_features().avx512vnni,
            kernels::cpu_features().avx512 && has({"avx512_vnni"}));
  EXPECT_EQ(kernels::cpu_features().amx,
            kernels::cpu_features().avx512vnni && has({"amx_tile", "amx_int8"}));
  EXPECT_EQ(kernels::cpu_features().neon, has({"asimd"}));
  EXPECT_EQ(kernels::cpu_features().neondot, has({"asimd", "asimddp"}));
}

TEST(Cpu, WhatNeedsNothingRunsEverywhere) {
  EXPECT_TRUE(kernels::runs_here(Isa::reference));
  EXPECT_TRUE(kernels::runs_here(Isa::portable));
}

TEST(Cpu, MoreIncludesLess) {
  const kernels::CpuFeatures features = kernels::cpu_features();
  EXPECT_TRUE(features.avx2 || !features.avx512);
  EXPECT_EQ(kernels::runs_here(Isa::avx2), features.avx2);
  EXPECT_TRUE(features.avx2 || !features.avxvnni);
  EXPECT_EQ(kernels::runs_here(Isa::avxvnni), features.avxvnni);
  EXPECT_EQ(kernels::runs_here(Isa::avx512), features.avx512);
  EXPECT_TRUE(features.avx512 || !features.avx512vnni);
  EXPECT_EQ(kernels::runs_here(Isa::avx512vnni), features.avx512vnni);
  EXPECT_TRUE(features.avx512vnni || !features.amx);
  EXPECT_TRUE(features.amx || !kernels::runs_here(Isa::amx));  // Linux may say no
  EXPECT_EQ(kernels::runs_here(Isa::neon), features.neon);
  EXPECT_TRUE(features.neon || !features.neondot);
  EXPECT_EQ(kernels::runs_here(Isa::neondot), features.neondot);
}

TEST(Cpu, TheArchitectureHasItsOwn) {
  const kernels::CpuFeatures features = kernels::cpu_features();
  EXPECT_EQ(features.neon, EIGENFORMER_AARCH64 != 0);
  EXPECT_TRUE(EIGENFORMER_X86_64 || !features.avx2);
}

}  // namespace
}  // namespace eigenformer::test
