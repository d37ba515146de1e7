// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/bind.hpp"

#include <cmath>
#include <limits>

#include "eigenformer/layers/linear.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// A file in memory: F32 tensors from numbers.
struct File {
  std::vector<std::vector<float>> numbers;
  std::vector<std::vector<std::int8_t>> integers;
  std::vector<io::NamedTensor> tensors;

  File(File&&) = default;  // a copy's tensors would be the original's
  File() {
    numbers.reserve(10);
    integers.reserve(10);
  }
  File& add(const std::string& name, const io::Shape& shape, std::vector<float> values) {
    numbers.push_back(std::move(values));
    tensors.push_back({name, {io::DataType::f32, shape, std::as_bytes(std::span(numbers.back()))}});
    return *this;
  }
  File& add_integers(const std::string& name, const io::Shape& shape,
                     std::vector<std::int8_t> values) {
    integers.push_back(std::move(values));
    tensors.push_back({name, {io::DataType::i8, shape, std::as_bytes(std::span(integers.back()))}});
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

/// The error of binding a layer [2, 3] with a bias to the file.
void expect_refusal(const File& file, ErrorCode code, const std::string& lines) {
  for (const Storage storage : {Storage::int8, Storage::f32}) {
    Linear<float> linear({.inputs = 3, .outputs = 2, .storage = storage});
    linear.set("weight", Matrix<float>{{3, 4, 5}, {6, 7, 127}});
    const Matrix<float> before = linear.get("weight");
    try {
      bind(linear, file.read(), own_names());
      ADD_FAILURE() << "no error, expected " << lines;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_EQ(std::string(error.what()), "test.file: " + lines);
    }
    EXPECT_EQ(linear.get("weight"), before);  // as it was
  }
}

constexpr float infinity = std::numeric_limits<float>::infinity();
const std::string one = "1 thing doesn't fit the model:\n  ";

TEST(BindInt8, TakesIntegersWithScales) {
  File file;
  file.add_integers("weight", {2, 3}, {1, -127, 127, 0, 2, 3}).add("bias", {2}, {1, 2});
  file.add("weight_scale", {2}, {0.5f, 0.0f});
  for (const Storage storage : {Storage::int8, Storage::f32, Storage::f16, Storage::bf16}) {
    Linear<float> linear({.inputs = 3, .outputs = 2, .storage = storage});
    bind(linear, file.read(), own_names());
    EXPECT_EQ(linear.get("weight"), (Matrix<float>{{0.5, -63.5, 63.5}, {0, 0, 0}}));
  }
}

TEST(BindInt8, TakesPartsOfTensors) {
  File file;
  file.add_integers("qkv_weight", {3, 2}, {1, 2, 3, 4, 5, 6});
  file.add("qkv_weight_scale", {3}, {1, 2, 3});
  Linear<float> linear({.inputs = 2, .outputs = 1, .bias = false, .storage = Storage::int8});
  bind(linear, file.read(), {{{"", "qkv_", 1, 3}}, {}});
  EXPECT_EQ(linear.get("weight"), (Matrix<float>{{6, 8}}));
}

TEST(BindInt8, ScalesThatAreNoneAreRefused) {
  const auto file = [] {
    File out;
    out.add_integers("weight", {2, 3}, {1, 2, 3, 4, 5, 6}).add("bias", {2}, {1, 2});
    return out;
  };
  const std::string scale = "\"weight_scale\" for weight: ";
  expect_refusal(file(), ErrorCode::missing_tensor, one + "missing \"weight_scale\" for weight");
  for (const io::Shape& shape : {io::Shape{3}, io::Shape{2, 1}, io::Shape{1, 2}, io::Shape{}}) {
    std::vector<float> scales(static_cast<std::size_t>(*io::byte_size(io::DataType::u8, shape)), 1);
    expect_refusal(file().add("weight_scale", shape, scales), ErrorCode::shape_mismatch,
                   one + scale + "expected [2], got " + io::text(shape));
  }
  expect_refusal(file().add_integers("weight_scale", {2}, {1, 1}), ErrorCode::unsupported,
                 one + scale + "expected F32, got I8");
  for (const auto& [value, text] : {std::pair<float, std::string>{-1.0f, "-1"},
                                    {-1e-45f, "-1.401298464324817e-45"},
                                    {infinity, "inf"},
                                    {-infinity, "-inf"},
                                    {std::nanf(""), "nan"}}) {
    expect_refusal(file().add("weight_scale", {2}, {1, value}), ErrorCode::format,
                   one + scale + "row 1: expected a number from 0 to 2.6e36, got " + text);
  }
}

TEST(BindInt8, TheIntegerWithoutAnOppositeIsRefused) {
  File file;
  file.add_integers("weight", {2, 3}, {1, 2, 3, 4, -128, 6}).add("bias", {2}, {1, 2});
  file.add("weight_scale", {2}, {1, 1});
  expect_refusal(file, ErrorCode::format,
                 one + "\"weight\" for weight: row 1, column 1: expected -127 to 127, got -128");
}

TEST(BindInt8, IntegersAreNoBias) {
  File file;
  file.add("weight", {2, 3}, {1, 2, 3, 4, 5, 6}).add_integers("bias", {2}, {1, 2});
  file.add("bias_scale", {2}, {1, 1});
  expect_refusal(file, ErrorCode::unsupported,
                 one + "\"bias\" for bias: expected F32, F16, BF16 or F64, got I8");
}

TEST(BindInt8, ScalesBelongToIntegers) {
  File file;
  file.add("weight", {2, 3}, {1, 2, 3, 4, 5, 6}).add("bias", {2}, {1, 2});
  file.add("weight_scale", {2}, {1, 1}).add("_scale", {2}, {1, 1}).add("other_scale", {1}, {1});
  expect_refusal(file, ErrorCode::missing_tensor,
                 "3 things don't fit the model:\n  nothing asks for \"_scale\"\n"
                 "  nothing asks for \"other_scale\"\n  nothing asks for \"weight_scale\"");
  File unclaimed;
  unclaimed.add("weight", {2, 3}, {1, 2, 3, 4, 5, 6}).add("bias", {2}, {1, 2});
  unclaimed.add_integers("other", {1, 1}, {1}).add("other_scale", {1}, {1});
  expect_refusal(unclaimed, ErrorCode::missing_tensor,
                 "2 things don't fit the model:\n  nothing asks for \"other\"\n"
                 "  nothing asks for \"other_scale\"");
}

TEST(BindInt8, ScalesOfIgnoredIntegersAreIgnored) {
  File file;
  file.add("weight", {1, 1}, {1}).add_integers("step.7.count", {1, 1}, {1});
  file.add("step.7.count_scale", {1}, {1});
  Linear<float> linear({.inputs = 1, .outputs = 1, .bias = false});
  bind(linear, file.read(), {{{"", ""}}, {"step.*.count"}});
}

TEST(BindInt8, OneErrorSaysEverything) {
  File file;
  file.add_integers("weight", {2, 3}, {1, 2, 3, 4, 5, 6}).add("weight_scale", {1}, {1});
  expect_refusal(file, ErrorCode::shape_mismatch,
                 "2 things don't fit the model:\n"
                 "  \"weight_scale\" for weight: expected [2], got [1]\n"
                 "  missing \"bias\" for bias");
}

TEST(BindInt8, OnlyInt8IsLimitedInItsInputs) {
  constexpr Index inputs = 131'073;
  File file;
  file.add_integers("weight", {1, inputs}, std::vector<std::int8_t>(inputs, 3));
  file.add("weight_scale", {1}, {1});
  Linear<float> linear({.inputs = inputs, .outputs = 1, .bias = false});
  bind(linear, file.read(), own_names());
  EXPECT_EQ(linear.get("weight")(0, inputs - 1), 3);
}

TEST(ExpectSize, NarrowRowsOfInt8AreRefusedBeforeTheyArePadded) {
  constexpr std::int64_t vocab = 1 << 20;
  const std::vector<std::int8_t> table(2 * vocab);
  const io::Tensors tensors(
      "test.file", {{"table", {io::DataType::i8, {vocab, 2}, std::as_bytes(std::span(table))}}},
      nullptr);
  TransformerConfig config{.d_model = 2, .heads = 1, .d_ff = 1};
  config.encoder_layers = config.decoder_layers = 0;
  config.vocab = vocab;
  config.shared_embedding = config.tied_output = true;
  expect_size(config, tensors);
  config.storage = Storage::int8;
  try {
    expect_size(config, tensors);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_STREQ(error.what(),
                 "test.file: rows of 2 numbers are too short for int8, which pads them to 64");
  }
}

}  // namespace
}  // namespace eigenformer::test
