// SPDX-License-Identifier: MIT
// The pipelines of eigenformer::compiled.
#define EIGENFORMER_COMPILED_PART EIGENFORMER_PART_PIPELINES
#include "eigenformer/pipelines/translator.hpp"
