// SPDX-License-Identifier: MIT
// The kernels of eigenformer::compiled, instantiated once.
#define EIGENFORMER_COMPILED_PART EIGENFORMER_PART_KERNELS
#include "eigenformer/kernels/dispatch.hpp"
