// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/bind.hpp"

#include "eigenformer/layers/linear.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// A file in memory: F32 tensors from numbers.
struct File {
  std::vector<std::vector<float>> numbers;
  std::vector<io::NamedTensor> tensors;

  File() { numbers.reserve(10); }
  File& add(const std::string& name, const io::Shape& shape, std::vector<float> values) {
    numbers.push_back(std::move(values));
    tensors.push_back({name, {io::DataType::f32, shape, std::as_bytes(std::span(numbers.back()))}});
    return *this;
  }
  io::Tensors read() const { return io::Tensors("test.file", tensors, io::ByteBuffer()); }
};

TEST(Bind, TakesPartsOfTensors) {
  Linear<float> linear({.inputs = 2, .outputs = 1});
  File file;
  file.add("qkv_weight", {3, 2}, {1, 2, 3, 4, 5, 6}).add("qkv_bias", {3}, {7, 8, 9});
  bind(linear, file.read(), {{{"", "qkv_", 2, 3}}, {}});
  EXPECT_EQ(linear.get("weight"), (Matrix<float>{{5, 6}}));
  EXPECT_EQ(linear.get("bias"), (Matrix<float>{{9}}));
}

TEST(Bind, OneErrorSaysEverything) {
  Linear<float> linear({.inputs = 2, .outputs = 1});
  linear.set("weight", Matrix<float>{{3, 4}});
  File file;
  file.add("weight", {2, 1}, {1, 2}).add("extra", {1}, {1}).add("step.7.count", {1}, {1});
  try {
    bind(linear, file.read(), {{{"", ""}}, {"step.*.count"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::shape_mismatch);
    EXPECT_STREQ(error.what(),
                 "test.file: 3 things don't fit the model:\n"
                 "  \"weight\" for weight: expected [1, 2], got [2, 1]\n"
                 "  missing \"bias\" for bias\n"
                 "  nothing asks for \"extra\"");
  }
  EXPECT_EQ(linear.get("weight"), (Matrix<float>{{3, 4}}));  // as it was
}

TEST(Bind, AVectorIsNotAMatrix) {
  Linear<float> linear({.inputs = 2, .outputs = 1});
  File file;
  file.add("weight", {2}, {1, 2}).add("bias", {1, 1}, {1});
  EXPECT_THROW(bind(linear, file.read(), own_names()), Error);
}

TEST(Bind, IntegersAreNoWeights) {
  Linear<float> linear({.inputs = 2, .outputs = 1, .bias = false});
  File file;
  file.add("weight", {1, 2}, {1, 2});
  file.tensors[0].tensor.type = io::DataType::i32;
  try {
    bind(linear, file.read(), own_names());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
  }
}

}  // namespace
}  // namespace eigenformer::test
