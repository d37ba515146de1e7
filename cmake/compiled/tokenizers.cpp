// SPDX-License-Identifier: MIT
// The tokenizers of eigenformer::compiled.
#define EIGENFORMER_COMPILED_PART EIGENFORMER_PART_TOKENIZERS
#include "eigenformer/tokenizers/marian_tokenizer.hpp"
