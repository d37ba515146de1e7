// SPDX-License-Identifier: MIT
// The decoding of eigenformer::compiled.
#define EIGENFORMER_COMPILED_PART EIGENFORMER_PART_GENERATION
#include "eigenformer/generation/generate.hpp"
