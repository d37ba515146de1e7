// SPDX-License-Identifier: MIT
// The smallest program that uses the library: program VERSION succeeds where the library's version
// is the expected one and its matrices and errors work.
#include <eigenformer/eigenformer.hpp>
#include <iostream>
#include <string>

// What the reference lists is there from the one include, with the headers and compiled.
[[maybe_unused]] const auto functions = [] {
  using namespace eigenformer;
  (void)&open_model;
  (void)&convert_model;
  (void)&io::open_checkpoint;
  (void)&io::read_safetensors;
  (void)&io::read_torch_checkpoint;
  (void)&MarianTokenizer::load;
  (void)&make_marian<float>;
  (void)&score_targets;
  (void)sizeof(TransformerModel<PostNorm>);
};

int main(int argc, char** argv) {
  std::cout << "Eigenformer " << eigenformer::version << '\n';
  if (argc != 2 || argv[1] != std::string(eigenformer::version)) return 1;

  const eigenformer::Matrix<float> a{{1, 2}, {3, 4}}, b{{1}, {1}};
  const eigenformer::Matrix<float> c = a * b;
  if (c.rows() != 2 || c.cols() != 1 || c(0, 0) != 3 || c(1, 0) != 7) return 2;

  try {
    eigenformer::Batch().add(-1);
  } catch (const eigenformer::Error& error) {
    std::cout << error.what() << '\n';
    return error.code() == eigenformer::ErrorCode::invalid_argument ? 0 : 3;
  }
  return 4;
}
