// SPDX-License-Identifier: MIT
/// The choice of kernels, made once for each context: no switch is process-wide.
#pragma once

#include <optional>
#include <string_view>

#include "eigenformer/core/context.hpp"
#include "eigenformer/kernels/cpu.hpp"
#if EIGENFORMER_DEFINES(EIGENFORMER_PART_KERNELS)
#include "eigenformer/kernels/arm/neon_dot.hpp"
#include "eigenformer/kernels/portable.hpp"
#include "eigenformer/kernels/reference/table.hpp"
#include "eigenformer/kernels/x86/amx.hpp"
#include "eigenformer/kernels/x86/avxvnni.hpp"
#endif

namespace eigenformer::inline v0 {

/// The fastest that this version knows on this architecture.
inline constexpr Isa fastest_isa = EIGENFORMER_AARCH64 ? Isa::neondot : Isa::amx;

/// "avx2" -> Isa::avx2; nothing for another word.
inline std::optional<Isa> isa_from_name(std::string_view word) {
  for (const Isa isa : all_isas) {
    if (word == name(isa)) return isa;
  }
  return std::nullopt;
}

namespace kernels {

/// The kernels for `isa`; nullptr where this build or this machine has none.
const KernelTable* find_table(Isa isa);
#if EIGENFORMER_DEFINES(EIGENFORMER_PART_KERNELS)
EIGENFORMER_INLINE const KernelTable* find_table(Isa isa) {
  if (!runs_here(isa)) return nullptr;
  switch (isa) {
    case Isa::reference: return &reference::table;
    case Isa::portable: return &portable::table;
#if EIGENFORMER_X86_64
    case Isa::avx2: return &avx2::table;
    case Isa::avxvnni: return &avxvnni::table;
    case Isa::avx512: return &avx512::table;
    case Isa::avx512vnni: return &avx512vnni::table;
    case Isa::amx: return &amx::table;
#elif EIGENFORMER_AARCH64
    case Isa::neon: return &neon::table;
    case Isa::neondot: return &neondot::table;
#endif
    default: return nullptr;
  }
}
#endif

/// Whether `isa` is none faster than `most`. A `most` of another architecture is no limit, so that
/// one setting serves machines of both.
constexpr bool allowed(Isa isa, Isa most) {
  const bool foreign = most > Isa::portable && (most >= Isa::neon) != (EIGENFORMER_AARCH64 != 0);
  return foreign || isa <= most;
}

/// The fastest kernels that run here, none faster than `most`.
inline const KernelTable& best_table(Isa most = fastest_isa) {
  for (auto isa = std::rbegin(all_isas); isa != std::rend(all_isas); ++isa) {
    if (!allowed(*isa, most)) continue;
    if (const KernelTable* const table = find_table(*isa)) return *table;
  }
  return *find_table(Isa::reference);
}

}  // namespace kernels

/// A context on the calling thread, with the fastest kernels that run here, none faster than
/// `most`.
inline Context make_context(Isa most = fastest_isa) { return Context(kernels::best_table(most)); }

/// The same on `executor`, which outlives the context.
inline Context make_context(Executor& executor, Isa most = fastest_isa) {
  return Context(kernels::best_table(most), executor);
}

}  // namespace eigenformer::inline v0
