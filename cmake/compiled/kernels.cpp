// SPDX-License-Identifier: MIT
// The kernels of eigenformer::compiled, instantiated once.
#include "eigenformer/kernels/dispatch.hpp"
