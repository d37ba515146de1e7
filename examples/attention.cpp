// SPDX-License-Identifier: MIT
// One head on two words, by hand: W_Q, W_K, W_V and W_O are the identity, so that the weights are
// softmax(x x^T / sqrt(4)) and every number can be checked with a pocket calculator.
#include <cstdio>
#include <eigenformer/eigenformer.hpp>

int main() {
  using namespace eigenformer;
  const char* const words[] = {"Thinking", "Machines"};
  const Matrix<float> x{{1, 0, 1, 0}, {0, 2, 0, 2}};  // [tokens, d_model], a row a word
  MultiHeadAttention<float> attention({.d_model = 4, .heads = 1, .bias = false});
  for (const char* name : {"query.weight", "key.weight", "value.weight", "output.weight"}) {
    attention.set(name, Matrix<float>::Identity(4, 4));
  }
  Context context = make_context();
  AttentionRecorder watcher;
  context.watch(watcher);
  Matrix<float> out(2, 4);
  attention(x, Batch(2), context, out);
  const Matrix<double>& weights = watcher.entries()[0].weights;  // [queries, keys]
  std::printf("%10s%10s%10s   output\n", "looks at:", words[0], words[1]);
  for (int q = 0; q < 2; ++q) {
    std::printf("%-10s%10.2f%10.2f  ", words[q], weights(q, 0), weights(q, 1));
    for (int d = 0; d < 4; ++d) std::printf(" %5.2f", out(q, d));
    std::printf("\n");
  }
}
