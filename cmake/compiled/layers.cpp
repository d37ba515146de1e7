// SPDX-License-Identifier: MIT
// The float layers of eigenformer::compiled, instantiated once; the headers declare them extern.
#define EIGENFORMER_COMPILED_PART EIGENFORMER_PART_LAYERS
#include "eigenformer/layers/stack.hpp"

namespace eigenformer::inline v0 {

template class Linear<float>;
template class MultiHeadAttention<float>;
template class FeedForward<float>;
template class GatedFeedForward<float>;
template class EncoderLayer<float, PostNorm>;
template class EncoderLayer<float, PreNorm>;
template class DecoderLayer<float, PostNorm>;
template class DecoderLayer<float, PreNorm>;
template class Encoder<float, PostNorm>;
template class Encoder<float, PreNorm>;
template class Decoder<float, PostNorm>;
template class Decoder<float, PreNorm>;

}  // namespace eigenformer::inline v0
