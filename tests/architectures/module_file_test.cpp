// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/module_file.hpp"

#include <unistd.h>

#include <cstdio>

#include "eigenformer/layers/encoder_layer.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

struct ModuleFile : ::testing::Test {
  const std::string path =
      ::testing::TempDir() + "eigenformer_module_" + std::to_string(::getpid()) + ".safetensors";
  ~ModuleFile() override { std::remove(path.c_str()); }
};

TEST_F(ModuleFile, ALayerComesBackWithItsBits) {
  for (const Storage storage : {Storage::f32, Storage::f16, Storage::bf16}) {
    const TransformerConfig config{.d_model = 12, .heads = 2, .d_ff = 20, .storage = storage};
    EncoderLayer<float> layer(config), copy(config);
    randomize(layer, 1);
    save(layer, path);
    load(copy, path);
    layer.for_each_parameter([&](const std::string& name, const auto& parameter) {
      EXPECT_TRUE(same_bits(value_of(parameter), copy.get(name))) << name;
    });
  }
}

TEST_F(ModuleFile, DoublesStayDoubles) {
  Linear<double> linear({.inputs = 1, .outputs = 1}), copy = linear;
  linear.set("weight", Matrix<double>{{0.1}});
  save(linear, path);
  load(copy, path);
  EXPECT_EQ(copy.get("weight")(0, 0), 0.1);
}

TEST_F(ModuleFile, AnotherLayerIsRefused) {
  save(Linear<float>({.inputs = 2, .outputs = 3}), path);
  Linear<float> other({.inputs = 3, .outputs = 2});
  EXPECT_THROW(load(other, path), Error);
  EXPECT_THROW(load(other, path + ".missing"), Error);
}

}  // namespace
}  // namespace eigenformer::test
