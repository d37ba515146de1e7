// SPDX-License-Identifier: MIT
/// The choice of kernels, made once for each context: no switch is process-wide.
#pragma once

#include <optional>
#include <string_view>

#include "eigenformer/core/context.hpp"
#include "eigenformer/kernels/cpu.hpp"
#if EIGENFORMER_DEFINES(EIGENFORMER_PART_KERNELS)
#include "eigenformer/kernels/portable.hpp"
#include "eigenformer/kernels/reference/table.hpp"
#include "eigenformer/kernels/x86/amx.hpp"
#include "eigenformer/kernels/x86/avxvnni.hpp"
#endif

namespace eigenformer::inline v0 {

/// The fastest that this version knows.
inline constexpr Isa fastest_isa = Isa::amx;

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
#else
    case Isa::avx2:
    case Isa::avxvnni:
    case Isa::avx512:
    case Isa::avx512vnni:
    case Isa::amx: return nullptr;
#endif
  }
  return nullptr;
}
#endif

/// The fastest kernels that run here, none faster than `most`.
inline const KernelTable& best_table(Isa most = fastest_isa) {
  for (const Isa isa :
       {Isa::amx, Isa::avx512vnni, Isa::avx512, Isa::avxvnni, Isa::avx2, Isa::portable}) {
    if (isa > most) continue;
    if (const KernelTable* const table = find_table(isa)) return *table;
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
