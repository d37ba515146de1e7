// SPDX-License-Identifier: MIT
// The float models of eigenformer::compiled, instantiated once; the headers declare them extern.
#define EIGENFORMER_COMPILED_PART EIGENFORMER_PART_MODELS
#include "eigenformer/models/transformer.hpp"

namespace eigenformer::inline v0 {

template class Transformer<float, PostNorm>;
template class Transformer<float, PreNorm>;

}  // namespace eigenformer::inline v0
