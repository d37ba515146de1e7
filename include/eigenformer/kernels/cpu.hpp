// SPDX-License-Identifier: MIT
/// What the processor and the operating system offer, asked from them: never from a model name.
#pragma once

#include "eigenformer/kernels/kernel_table.hpp"

#if EIGENFORMER_X86_64
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif EIGENFORMER_AARCH64 && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace eigenformer::inline v0 {
namespace kernels {

/// What decides which kernels can run.
struct CpuFeatures {
  bool avx2 = false;        ///< with FMA and F16C
  bool avxvnni = false;     ///< with AVX2
  bool avx512 = false;      ///< F, BW, DQ, VL
  bool avx512vnni = false;  ///< with AVX-512
  bool amx = false;         ///< tiles and int8, with AVX-512 VNNI; tiles_permitted() decides
  bool neon = false;        ///< every aarch64
  bool neondot = false;     ///< with NEON
};

#if EIGENFORMER_X86_64
/// CPUID for the instructions, XGETBV for the registers that the operating system saves.
inline CpuFeatures cpu_features() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  CpuFeatures features;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return features;
  const unsigned osxsave = 1u << 27, avx = 1u << 28, fma = 1u << 12, f16c = 1u << 29;
  const unsigned needed = osxsave | avx | fma | f16c;
  if ((ecx & needed) != needed) return features;
  unsigned saved = 0, saved_high = 0;
  __asm__ volatile("xgetbv" : "=a"(saved), "=d"(saved_high) : "c"(0));
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return features;
  const unsigned ymm = 0x06, zmm = 0xe6, tiles = 3u << 17;
  const unsigned avx2 = 1u << 5;
  const unsigned avx512 = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);  // F DQ BW VL
  features.avx2 = (saved & ymm) == ymm && (ebx & avx2) == avx2;
  features.avx512 = features.avx2 && (saved & zmm) == zmm && (ebx & avx512) == avx512;
  features.avx512vnni = features.avx512 && (ecx & 1u << 11);
  const unsigned amx = (1u << 24) | (1u << 25);  // TILE INT8
  features.amx = features.avx512vnni && (saved & tiles) == tiles && (edx & amx) == amx;
  if (eax >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) {
    features.avxvnni = features.avx2 && (eax & 1u << 4);
  }
  return features;
}
#elif EIGENFORMER_AARCH64
/// NEON always; the rest is what Linux tells, elsewhere nothing.
inline CpuFeatures cpu_features() {
  CpuFeatures features;
  features.neon = true;
#if defined(__linux__)
  features.neondot = (::getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
  return features;
}
#else
inline CpuFeatures cpu_features() { return {}; }
#endif

/// Asks Linux for the tiles' registers, which it gives to a process only then, for all its threads;
/// asking again does no harm.
inline bool tiles_permitted() {
#if EIGENFORMER_X86_64 && defined(__linux__) && defined(SYS_arch_prctl)
  constexpr long request_permission = 0x1023, tile_data = 18;
  return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

/// Whether this machine can run the kernels for `isa`.
inline bool runs_here(Isa isa) {
  switch (isa) {
    case Isa::reference:
    case Isa::portable: return true;
    case Isa::avx2: return cpu_features().avx2;
    case Isa::avxvnni: return cpu_features().avxvnni;
    case Isa::avx512: return cpu_features().avx512;
    case Isa::avx512vnni: return cpu_features().avx512vnni;
    case Isa::amx: return cpu_features().amx && tiles_permitted();
    case Isa::neon: return cpu_features().neon;
    case Isa::neondot: return cpu_features().neondot;
  }
  return false;
}

}  // namespace kernels
}  // namespace eigenformer::inline v0
