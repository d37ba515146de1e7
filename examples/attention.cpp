// SPDX-License-Identifier: MIT
// Self-attention in ten lines: how much each of two words looks at the other.
#include <eigenformer/eigenformer.hpp>
#include <iomanip>
#include <iostream>

int main() {
  const Eigen::IOFormat two_digits(2, 0, "   ", "\n");
  const eigenformer::Matrix<float> words{{2, 0, 1, 0}, {0, 3, 0, 1}};  // Thinking, Machines
  eigenformer::MultiHeadAttention<float> attention({.d_model = 4, .heads = 1});
  attention.initialize(2026);
  eigenformer::Context context = eigenformer::make_context();
  eigenformer::AttentionRecorder recorder;
  context.watch(recorder);
  eigenformer::Matrix<float> out(2, 4);
  attention(words.view(), eigenformer::Batch(2), context, out);
  std::cout << std::fixed << "weights of Thinking (row 1) and Machines (row 2):\n"
            << recorder.entries()[0].weights.format(two_digits) << "\noutput [tokens, d_model]:\n"
            << out.format(two_digits) << '\n';
}
