// SPDX-License-Identifier: MIT
/// The peer: the same operations as a user of plain Eigen writes them, compiled with -march=native
/// in a shared library of its own, because two Eigens with different flags in one program would end
/// up as one. Only pointers and numbers cross.
#pragma once

#include <cstddef>

#define EIGENFORMER_PEER __attribute__((visibility("default")))

namespace eigen_peer {

using Index = std::ptrdiff_t;

/// Matrices are row-major.
struct Linear {
  const float* x;       ///< [rows, inputs]
  const float* weight;  ///< [outputs, inputs]
  const float* bias;    ///< [outputs], or nullptr
  float* y;             ///< [rows, outputs]
  Index rows, inputs, outputs;
};
EIGENFORMER_PEER void linear(const Linear& linear);

/// One sequence; heads are neighbouring columns, `heads` * `d_head` of them.
struct Attention {
  const float *queries, *keys, *values;  ///< [tokens, heads * d_head]
  float* out;                            ///< [tokens, heads * d_head]
  Index tokens, heads, d_head;
  bool causal;
  float* scores;  ///< [tokens, tokens], to work in
};
/// As the textbook has it: all scores of a head, softmax of those that are seen, all values.
EIGENFORMER_PEER void attention(const Attention& attention);
/// By someone who knows caches: 64 queries at a time, and nothing done for keys that are masked.
EIGENFORMER_PEER void attention_in_blocks(const Attention& attention);

struct Norm {
  const float* x;       ///< [rows, features]
  const float* weight;  ///< [features]
  const float* bias;    ///< [features]; RMSNorm has none
  float epsilon;
  float* y;  ///< [rows, features]
  Index rows, features;
};
EIGENFORMER_PEER void layer_norm(const Norm& norm);
EIGENFORMER_PEER void rms_norm(const Norm& norm);

/// x and y [n].
EIGENFORMER_PEER void softmax(const float* x, float* y, Index n);
EIGENFORMER_PEER void log_softmax(const float* x, float* y, Index n);
EIGENFORMER_PEER void relu(const float* x, float* y, Index n);
EIGENFORMER_PEER void gelu_tanh(const float* x, float* y, Index n);
EIGENFORMER_PEER void quick_gelu(const float* x, float* y, Index n);
EIGENFORMER_PEER void silu(const float* x, float* y, Index n);
EIGENFORMER_PEER void sigmoid(const float* x, float* y, Index n);
EIGENFORMER_PEER void tanh(const float* x, float* y, Index n);

}  // namespace eigen_peer
