// SPDX-License-Identifier: MIT
#include "eigenformer/io/tensor.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/support.hpp"

namespace {

using namespace eigenformer::io;
using io_test::ErrorCode;
using io_test::expect_error;

TEST(DataTypeTest, IsNamedAsInSafetensors) {
  EXPECT_EQ(name(DataType::f32), "F32");
  EXPECT_EQ(name(DataType::bf16), "BF16");
  EXPECT_EQ(name(DataType::boolean), "BOOL");
  for (std::size_t i = 0; i < data_types; ++i) {
    const auto type = static_cast<DataType>(i);
    EXPECT_EQ(data_type_named(name(type)), type);
  }
  for (const char* none : {"", "f32", "F32 ", "F8_E4M3", "unknown"}) {
    EXPECT_FALSE(data_type_named(none).has_value()) << none;
  }
}

TEST(DataTypeTest, HasTheSizeInItsName) {
  for (std::size_t i = 0; i < data_types; ++i) {
    const auto type = static_cast<DataType>(i);
    const std::string_view spelled = name(type);
    const std::size_t digits = spelled.find_first_of("0123456789");
    const std::size_t bits =
        digits == std::string_view::npos ? 8 : std::stoul(std::string(spelled.substr(digits)));
    EXPECT_EQ(size_of(type) * 8, bits) << spelled;
    EXPECT_GE(size_of(type), size_of(static_cast<DataType>(i == 0 ? 0 : i - 1))) << spelled;
  }
}

TEST(ShapeTest, HasAText) {
  EXPECT_EQ(text(Shape{}), "[]");
  EXPECT_EQ(text(Shape{3}), "[3]");
  EXPECT_EQ(text(Shape{3, 4}), "[3, 4]");
  EXPECT_EQ(text(TensorView{DataType::f16, {2, 0}, {}}), "F16 [2, 0]");
}

TEST(ByteSizeTest, MultipliesWhatFits) {
  EXPECT_EQ(byte_size(DataType::f32, {}), 4);
  EXPECT_EQ(byte_size(DataType::f32, {3, 4}), 48);
  EXPECT_EQ(byte_size(DataType::u8, {0}), 0);
  EXPECT_EQ(byte_size(DataType::f64, {5, 0, 7}), 0);
  EXPECT_EQ(byte_size(DataType::u8, {std::numeric_limits<std::int64_t>::max()}),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(byte_size(DataType::f32, {std::int64_t{1} << 60}), std::int64_t{1} << 62);
}

TEST(ByteSizeTest, RefusesWhatDoesNot) {
  constexpr std::int64_t two_32 = std::int64_t{1} << 32;
  constexpr std::int64_t two_62 = std::int64_t{1} << 62;
  EXPECT_FALSE(byte_size(DataType::f32, {-1}));
  EXPECT_FALSE(byte_size(DataType::f32, {-1, -1}));
  EXPECT_FALSE(byte_size(DataType::f32, {0, -1}));
  EXPECT_FALSE(byte_size(DataType::f32, {two_62 >> 1}));        // 2^63
  EXPECT_FALSE(byte_size(DataType::f32, {two_62}));             // 2^64 wraps to 0
  EXPECT_FALSE(byte_size(DataType::f32, {two_62 + 1}));         // to 4
  EXPECT_FALSE(byte_size(DataType::u8, {two_32, two_32}));      // to 0
  EXPECT_FALSE(byte_size(DataType::u8, {two_32, two_32 + 1}));  // to 2^32
  EXPECT_FALSE(byte_size(DataType::u8, {two_32, two_32, 0}));   // where order must not matter
  EXPECT_FALSE(byte_size(DataType::u8, {0, two_32, two_32}));
}

Tensors three() {
  ByteBuffer bytes(8);
  const std::span<const std::byte> all = std::as_const(bytes).span();
  std::vector<NamedTensor> list{{"b", {DataType::f32, {1}, all.first(4)}},
                                {"a.weight", {DataType::u8, {2, 2}, all.subspan(4)}},
                                {"a", {DataType::i64, {0}, all.first(0)}}};
  return Tensors("model.safetensors", std::move(list), std::move(bytes), {{"format", "pt"}});
}

TEST(TensorsTest, AreOrderedByName) {
  const Tensors tensors = three();
  EXPECT_EQ(tensors.names(), (std::vector<std::string_view>{"a", "a.weight", "b"}));
  EXPECT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors.begin()->name, "a");
  EXPECT_EQ(tensors.file(), "model.safetensors");
  EXPECT_EQ(tensors.metadata().at("format"), "pt");
}

TEST(TensorsTest, AreFoundByName) {
  const Tensors tensors = three();
  EXPECT_EQ(tensors.at("a.weight").shape, (Shape{2, 2}));
  EXPECT_EQ(tensors.at("a.weight").elements(), 4u);
  EXPECT_EQ(tensors.at("a").elements(), 0u);
  EXPECT_EQ(tensors.find("b"), &tensors.at("b"));
  for (const char* none : {"", "A", "a.weigh", "a.weights", "c"}) {
    EXPECT_EQ(tensors.find(none), nullptr) << none;
  }
  expect_error(ErrorCode::missing_tensor, "model.safetensors: tensor \"a.bias\" is missing among 3",
               [&] { tensors.at("a.bias"); });
}

TEST(TensorsTest, KeepTheirBytesWhenMoved) {
  Tensors from = three();
  const auto place = from.at("b").bytes.place();
  const Tensors to = std::move(from);
  EXPECT_EQ(to.at("b").bytes.place(), place);
}

TEST(TensorsTest, HaveDifferentNames) {
  std::vector<NamedTensor> list{{"a", {DataType::u8, {0}, {}}},
                                {"b", {DataType::u8, {0}, {}}},
                                {"a", {DataType::u8, {0}, {}}}};
  expect_error(ErrorCode::format, "f: tensor \"a\" occurs twice",
               [&] { Tensors("f", std::move(list), ByteBuffer()); });
}

}  // namespace
