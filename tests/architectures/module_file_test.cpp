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
  for (const Storage storage : all_storages) {
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

TEST_F(ModuleFile, MatricesAreWrittenAsTheyAreStored) {
  const std::pair<Storage, io::DataType> forms[] = {{Storage::f32, io::DataType::f32},
                                                    {Storage::f16, io::DataType::f16},
                                                    {Storage::bf16, io::DataType::bf16},
                                                    {Storage::int8, io::DataType::i8}};
  for (const auto& [storage, type] : forms) {
    Linear<float> linear({.inputs = 3, .outputs = 2, .storage = storage});
    linear.set("weight", Matrix<float>{{127, 2, -64}, {-0.5, 0, 0.25}});
    linear.set("bias", Matrix<float>{{1, 2}});
    save(linear, path);
    const io::Tensors tensors = io::read_safetensors(path);
    EXPECT_EQ(tensors.at("weight").type, type);
    EXPECT_EQ(tensors.at("weight").shape, (io::Shape{2, 3}));
    EXPECT_EQ(tensors.at("bias").type, io::DataType::f32);
    EXPECT_EQ(tensors.at("bias").shape, io::Shape{2});
    EXPECT_EQ(tensors.size(), storage == Storage::int8 ? 3u : 2u);
  }
  const io::Tensors tensors = io::read_safetensors(path);
  EXPECT_EQ(io::values<std::int64_t>(tensors, "weight"),
            (std::vector<std::int64_t>{127, 2, -64, -127, 0, 64}));
  EXPECT_EQ(io::values<float>(tensors, "weight_scale"), (std::vector<float>{1, 0.5f / 127}));
}

TEST_F(ModuleFile, AnInt8FileGoesIntoAnyStorage) {
  Linear<float> linear({.inputs = 70, .outputs = 20, .storage = Storage::int8});
  randomize(linear, 3);
  save(linear, path);
  for (const Storage storage : all_storages) {
    Linear<float> other({.inputs = 70, .outputs = 20, .storage = storage});
    load(other, path);
    EXPECT_EQ(other.weight().storage(), storage);
    const WeightMatrix<float> expected(linear.get("weight"), storage);
    if (storage != Storage::int8) {
      EXPECT_TRUE(same_bits(expected.unpack(), other.get("weight"))) << name(storage);
    }
  }
  Linear<double> of_double({.inputs = 70, .outputs = 20});
  load(of_double, path);
  EXPECT_EQ(largest_difference(of_double.get("weight"), linear.get("weight")), 0);
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
