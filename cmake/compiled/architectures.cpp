// SPDX-License-Identifier: MIT
// The families of models of eigenformer::compiled.
#define EIGENFORMER_COMPILED_PART EIGENFORMER_PART_ARCHITECTURES
#include "eigenformer/architectures/open_model.hpp"
