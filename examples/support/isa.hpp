// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string>

#include "eigenformer/kernels/dispatch.hpp"

namespace program {

/// The kernels that EIGENFORMER_ISA names, or the machine's fastest. A program may read its
/// environment; the library does not. Throws Error(invalid_argument).
inline eigenformer::Isa chosen_isa() {
  using namespace eigenformer;
  const char* const word = std::getenv("EIGENFORMER_ISA");
  if (!word) return kernels::best_table().isa;
  if (const auto isa = isa_from_name(word); isa && kernels::find_table(*isa)) return *isa;
  throw Error(ErrorCode::invalid_argument, std::string("EIGENFORMER_ISA: \"") + word +
                                               "\" is not known, or not of this machine");
}

}  // namespace program
