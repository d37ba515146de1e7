// SPDX-License-Identifier: MIT
/// What one thread of this machine can do at best, measured: multiply-adds, integer dot products,
/// reading. Like the library's kernels the probes carry target attributes and need no flags.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eigenformer/core/types.hpp"
#include "eigenformer/kernels/dispatch.hpp"
#include "machine.hpp"

#if EIGENFORMER_X86_64
#include <immintrin.h>
#endif

namespace eigenformer::bench {

/// Work that does nothing but keep one kind of unit busy.
struct Probe {
  std::string name;
  double operations;  ///< of one round; a multiply-add counts as two
  void (*run)(Index rounds);
};

namespace probes {

// Sums that don't wait for each other: more than a multiply-add's latency times its units.

namespace portable {
#define EIGENFORMER_TARGET
inline constexpr int vector_bytes = 16;
#include "read_probe.inl"

using F32x4 = float __attribute__((vector_size(16)));
inline constexpr int sums = 8;
/// A product, then a sum: there is nothing fused here.
inline void multiply_add(Index rounds) {
  const F32x4 factor = {0.999f, 0.999f, 0.999f, 0.999f}, addend = {1e-3f, 1e-3f, 1e-3f, 1e-3f};
  F32x4 sum[sums] = {};
  for (Index round = 0; round < rounds; ++round) {
    EIGENFORMER_UNROLL
    for (int i = 0; i < sums; ++i) sum[i] = sum[i] * factor + addend;
  }
  for (int i = 0; i < sums; ++i) benchmark::DoNotOptimize(sum[i]);
}
#undef EIGENFORMER_TARGET
}  // namespace portable

#if EIGENFORMER_X86_64
namespace avx2 {
#define EIGENFORMER_TARGET __attribute__((target("avx2,fma")))
inline constexpr int vector_bytes = 32;
#include "read_probe.inl"

inline constexpr int sums = 12;
EIGENFORMER_TARGET inline void multiply_add(Index rounds) {
  const __m256 factor = _mm256_set1_ps(0.999f), addend = _mm256_set1_ps(1e-3f);
  __m256 sum[sums];
  for (int i = 0; i < sums; ++i) sum[i] = _mm256_setzero_ps();
  for (Index round = 0; round < rounds; ++round) {
    EIGENFORMER_UNROLL
    for (int i = 0; i < sums; ++i) sum[i] = _mm256_fmadd_ps(sum[i], factor, addend);
  }
  for (int i = 0; i < sums; ++i) benchmark::DoNotOptimize(sum[i]);
}

/// Without dot-product instructions: products of bytes summed by pairs, the pairs by pairs.
EIGENFORMER_TARGET inline void integer_dot(Index rounds) {
  const __m256i ones = _mm256_set1_epi16(1), w = _mm256_set1_epi8(3);
  __m256i x = _mm256_set1_epi8(5), sum[sums];
  for (int i = 0; i < sums; ++i) sum[i] = _mm256_setzero_si256();
  for (Index round = 0; round < rounds; ++round) {
    EIGENFORMER_UNROLL
    for (int i = 0; i < sums; ++i) {
      __asm__("" : "+x"(x));  // as if it were another one each time
      const __m256i pairs = _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones);
      sum[i] = _mm256_add_epi32(sum[i], pairs);
    }
  }
  for (int i = 0; i < sums; ++i) benchmark::DoNotOptimize(sum[i]);
}
#undef EIGENFORMER_TARGET

__attribute__((target("avx2,avxvnni"))) inline void vnni_dot(Index rounds) {
  const __m256i x = _mm256_set1_epi8(5), w = _mm256_set1_epi8(3);
  __m256i sum[sums];
  for (int i = 0; i < sums; ++i) sum[i] = _mm256_setzero_si256();
  for (Index round = 0; round < rounds; ++round) {
    EIGENFORMER_UNROLL
    for (int i = 0; i < sums; ++i) sum[i] = _mm256_dpbusd_avx_epi32(sum[i], x, w);
  }
  for (int i = 0; i < sums; ++i) benchmark::DoNotOptimize(sum[i]);
}
}  // namespace avx2

namespace avx512 {
#define EIGENFORMER_TARGET __attribute__((target("avx512f,avx2,fma")))
inline constexpr int vector_bytes = 64;
#include "read_probe.inl"

inline constexpr int sums = 16;
EIGENFORMER_TARGET inline void multiply_add(Index rounds) {
  const __m512 factor = _mm512_set1_ps(0.999f), addend = _mm512_set1_ps(1e-3f);
  __m512 sum[sums];
  for (int i = 0; i < sums; ++i) sum[i] = _mm512_setzero_ps();
  for (Index round = 0; round < rounds; ++round) {
    EIGENFORMER_UNROLL
    for (int i = 0; i < sums; ++i) sum[i] = _mm512_fmadd_ps(sum[i], factor, addend);
  }
  for (int i = 0; i < sums; ++i) benchmark::DoNotOptimize(sum[i]);
}
#undef EIGENFORMER_TARGET

__attribute__((target("avx512f,avx512vnni"))) inline void vnni_dot(Index rounds) {
  const __m512i x = _mm512_set1_epi8(5), w = _mm512_set1_epi8(3);
  __m512i sum[sums];
  for (int i = 0; i < sums; ++i) sum[i] = _mm512_setzero_si512();
  for (Index round = 0; round < rounds; ++round) {
    EIGENFORMER_UNROLL
    for (int i = 0; i < sums; ++i) sum[i] = _mm512_dpbusd_epi32(sum[i], x, w);
  }
  for (int i = 0; i < sums; ++i) benchmark::DoNotOptimize(sum[i]);
}

alignas(64) inline constexpr std::uint8_t whole_tiles[64] = {
    1,  0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 64, 0, 64, 0,  64, 0,  64, 0,  64, 0,
    64, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0,  0, 16, 16, 16, 16, 16, 16, 16, 16};

/// Four products of 16 x 64 and 64 x 16 a round.
__attribute__((target("amx-tile,amx-int8"))) inline void tile_dot(Index rounds) {
  _tile_loadconfig(whole_tiles);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (Index round = 0; round < rounds; ++round) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  _tile_release();
}
}  // namespace avx512
#endif

}  // namespace probes

/// Multiply-adds with the registers of `isa`; the reference has none of its own.
inline std::optional<Probe> fma_probe(Isa isa) {
  switch (isa) {
    case Isa::reference: return std::nullopt;
    case Isa::portable: {
      using namespace probes::portable;
      return Probe{name(isa), 2.0 * sums * 4, multiply_add};
    }
#if EIGENFORMER_X86_64
    case Isa::avx2:
    case Isa::avxvnni: {
      using namespace probes::avx2;
      return Probe{name(isa), 2.0 * sums * 8, multiply_add};
    }
    case Isa::avx512:
    case Isa::avx512vnni:
    case Isa::amx: {
      using namespace probes::avx512;
      return Probe{name(isa), 2.0 * sums * 16, multiply_add};
    }
#endif
    default: return std::nullopt;
  }
}

/// Dot products of bytes by the instructions of `isa`, where it has its own.
inline std::optional<Probe> integer_dot_probe(Isa isa) {
#if EIGENFORMER_X86_64
  using namespace probes;
  if (isa == Isa::avx2) return Probe{"avx2", 2.0 * avx2::sums * 32, avx2::integer_dot};
  if (isa == Isa::avxvnni) return Probe{"avx_vnni", 2.0 * avx2::sums * 32, avx2::vnni_dot};
  if (isa == Isa::avx512vnni) {
    return Probe{"avx512_vnni", 2.0 * avx512::sums * 64, avx512::vnni_dot};
  }
  if (isa == Isa::amx) return Probe{"amx_int8", 2.0 * 4 * 16 * 16 * 64, avx512::tile_dot};
#endif
  static_cast<void>(isa);
  return std::nullopt;
}

/// Dot products of bytes, by whatever the machine has.
inline std::vector<Probe> integer_dot_probes() {
  std::vector<Probe> found;
#if EIGENFORMER_X86_64
  for (const Isa isa : {Isa::amx, Isa::avx512vnni, Isa::avxvnni, Isa::avx2}) {
    if (kernels::runs_here(isa)) found.push_back(*integer_dot_probe(isa));
  }
#endif
  return found;
}

/// Reads memory, `passes` times, and does nothing with it.
using Reader = void (*)(const std::byte* data, Index bytes, Index passes);
/// So many that what a call costs besides doesn't count.
inline Index passes_over(Index bytes) { return std::max<Index>(1, (Index{1} << 20) / bytes); }

/// With the widest registers of `isa`: from 1, 2, 4 and 8 places at a time.
inline std::vector<Reader> readers(Isa isa) {
#if EIGENFORMER_X86_64
  if (isa >= Isa::avx512) {
    using namespace probes::avx512;
    return {read<1>, read<2>, read<4>, read<8>};
  }
  if (isa >= Isa::avx2) {
    using namespace probes::avx2;
    return {read<1>, read<2>, read<4>, read<8>};
  }
#endif
  static_cast<void>(isa);
  using namespace probes::portable;
  return {read<1>, read<2>, read<4>, read<8>};
}

/// Each of the executor's threads reads a part of the memory, all at once.
inline void read_by_all(Executor& executor, Reader read, std::span<const std::byte> memory,
                        Index passes) {
  const Index threads = executor.workers(), bytes = static_cast<Index>(memory.size());
  executor.run(threads, [&](Index part, Index) {
    const auto edge = [&](Index p) { return p * bytes / threads / 64 * 64; };
    read(memory.data() + edge(part), edge(part + 1) - edge(part), passes);
  });
}

/// Time that passes, or that this thread has a core: the same on an idle machine, and the better
/// one on any other for whatever runs on one thread.
enum class Clock { wall, thread };
inline double seconds_now(Clock clock) {
  timespec now{};
  clock_gettime(clock == Clock::wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Function>
double seconds_of(Function&& function, Clock clock = Clock::thread) {
  const double start = seconds_now(clock);
  function();
  return seconds_now(clock) - start;
}

/// Operations a second: the best of some milliseconds, and how far their median is from it.
struct Peak {
  double rate;
  double jitter;  ///< 0.05: half of the slices took 5 % longer than the best one
};
inline Peak measure(const Probe& probe) {
  Index rounds = 1000;
  while (seconds_of([&] { probe.run(rounds); }) < 1e-3) rounds *= 2;
  std::vector<double> slices;
  for (int i = 0; i < 15; ++i) slices.push_back(seconds_of([&] { probe.run(rounds); }));
  std::sort(slices.begin(), slices.end());
  return {probe.operations * static_cast<double>(rounds) / slices[0],
          slices[slices.size() / 2] / slices[0] - 1};
}

/// Bytes a second that are read from a level at best, in pages of some kind; 0 if there is too
/// little memory to tell.
inline double read_rate(Isa isa, std::size_t level, Pages pages) {
  const Index bytes = typical_bytes(level), passes = passes_over(bytes);
  if (!affordable(bytes)) return 0;
  const PagedMemory memory(bytes, pages);
  double best = 1e9;
  for (int repetition = 0; repetition < (level == 3 ? 1 : 5); ++repetition) {
    for (const Reader read : readers(isa)) {
      best = std::min(best, seconds_of([&] { read(memory.data(), bytes, passes); }));
    }
  }
  return static_cast<double>(bytes * passes) / best;
}

}  // namespace eigenformer::bench
