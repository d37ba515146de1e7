// budget: 4.0 s
#include "eigenformer/layers/multi_head_attention.hpp"

template class eigenformer::MultiHeadAttention<float>;
