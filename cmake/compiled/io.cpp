// SPDX-License-Identifier: MIT
// The readers of files of eigenformer::compiled.
#define EIGENFORMER_COMPILED_PART EIGENFORMER_PART_IO
#include "eigenformer/io/checkpoint.hpp"
#include "eigenformer/io/json.hpp"
