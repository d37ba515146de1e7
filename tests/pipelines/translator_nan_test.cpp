// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <limits>

#include "eigenformer/io/safetensors.hpp"
#include "eigenformer/io/safetensors_writer.hpp"
#include "eigenformer/io/tensor_values.hpp"
#include "eigenformer/pipelines/translator.hpp"
#include "support/tiny_folder.hpp"

namespace eigenformer::test {
namespace {

ErrorCode outcome_of_translating(const std::string& folder) {
  const Translator translator = Translator::load(folder);
  try {
    translator("Hello world.");
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::invalid_argument;  // which nothing here ends in
}

// One weight is enough, wherever it is: nothing on the way makes a number of it again.
TEST(TranslatorNaN, OfAnyTensorIsFound) {
  const TinyFolder folder;
  const std::string path = folder.path() + "/model.safetensors";
  const io::Tensors tensors = io::read_safetensors(path);
  std::vector<io::NamedTensor> list(tensors.begin(), tensors.end());
  EXPECT_GT(list.size(), 20u);
  for (io::NamedTensor& entry : list) {
    const io::TensorView right = entry.tensor;
    std::vector<float> numbers = io::values<float>(tensors, entry.name);
    numbers[0] = std::numeric_limits<float>::quiet_NaN();
    entry.tensor.bytes = std::as_bytes(std::span(std::as_const(numbers)));
    io::write_safetensors(path, list);
    EXPECT_EQ(outcome_of_translating(folder.path()), ErrorCode::not_a_number) << entry.name;
    entry.tensor = right;
  }
  io::write_safetensors(path, list);
  EXPECT_EQ(outcome_of_translating(folder.path()), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace eigenformer::test
