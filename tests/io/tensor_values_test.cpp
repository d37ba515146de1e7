// SPDX-License-Identifier: MIT
#include "eigenformer/io/tensor_values.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/support.hpp"

namespace {

using namespace eigenformer::io;
using io_test::ErrorCode;
using io_test::expect_error;

/// The numbers' bytes at an odd address, and one tensor "x" over them.
template <class Number>
Tensors tensor_of(DataType type, const std::vector<Number>& numbers) {
  ByteBuffer bytes(1 + numbers.size() * sizeof(Number));
  const auto from = std::as_bytes(std::span(numbers));
  std::copy(from.begin(), from.end(), bytes.data() + 1);
  const TensorView view{
      type, {static_cast<std::int64_t>(numbers.size())}, std::as_const(bytes).span().subspan(1)};
  return Tensors("f", {{"x", view}}, std::move(bytes));
}

using TensorValuesFileTest = io_test::FolderTest;

using Bits = std::vector<std::uint16_t>;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Integers = std::vector<std::int64_t>;

TEST(TensorValuesTest, WidensExactly) {
  const float tenth = 0.1f;
  EXPECT_EQ(values<float>(tensor_of<float>(DataType::f32, {tenth, -3}), "x"), (Floats{tenth, -3}));
  EXPECT_EQ(values<double>(tensor_of<float>(DataType::f32, {tenth}), "x"), (Doubles{tenth}));
  EXPECT_EQ(values<double>(tensor_of<double>(DataType::f64, {0.1}), "x"), (Doubles{0.1}));
  // 1, -2, 65504, 2^-24 as binary16; 1, -2, 3.140625 as bfloat16.
  EXPECT_EQ(values<float>(tensor_of(DataType::f16, Bits{0x3C00, 0xC000, 0x7BFF, 0x0001}), "x"),
            (Floats{1, -2, 65504, 0x1p-24f}));
  EXPECT_EQ(values<double>(tensor_of(DataType::bf16, Bits{0x3F80, 0xC000, 0x4049}), "x"),
            (Doubles{1, -2, 3.140625}));
}

TEST(TensorValuesTest, RoundsDoublesToNearest) {
  EXPECT_EQ(values<float>(tensor_of<double>(DataType::f64, {0.1, 1 + 0x1p-24, 1 + 0x1.8p-23}), "x"),
            (Floats{0.1f, 1, 1 + 0x1p-22f}));
}

TEST(TensorValuesTest, KeepsWhatIsNotFinite) {
  const Floats got =
      values<float>(tensor_of(DataType::f16, Bits{0x7C00, 0xFC00, 0x7E00, 0x8000}), "x");
  EXPECT_EQ(got[0], std::numeric_limits<float>::infinity());
  EXPECT_EQ(got[1], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(got[2]));
  EXPECT_TRUE(std::signbit(got[3]));
}

TEST(TensorValuesTest, ReadsIntegers) {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const auto read = [](const Tensors& tensors) { return values<std::int64_t>(tensors, "x"); };
  EXPECT_EQ(read(tensor_of<std::int64_t>(DataType::i64, {least, 7})), (Integers{least, 7}));
  EXPECT_EQ(read(tensor_of<std::int32_t>(DataType::i32, {-5, 7})), (Integers{-5, 7}));
  EXPECT_EQ(read(tensor_of<std::uint32_t>(DataType::u32, {4294967295})), (Integers{4294967295}));
  EXPECT_EQ(read(tensor_of<std::int16_t>(DataType::i16, {-5})), (Integers{-5}));
  EXPECT_EQ(read(tensor_of<std::uint16_t>(DataType::u16, {65535})), (Integers{65535}));
  EXPECT_EQ(read(tensor_of<std::int8_t>(DataType::i8, {-5})), (Integers{-5}));
  EXPECT_EQ(read(tensor_of<std::uint8_t>(DataType::u8, {251})), (Integers{251}));
  EXPECT_EQ(read(tensor_of<std::uint8_t>(DataType::boolean, {0, 1, 2})), (Integers{0, 1, 1}));
}

TEST(TensorValuesTest, ReadsAnEmptyTensor) {
  EXPECT_TRUE(values<float>(tensor_of<float>(DataType::f32, {}), "x").empty());
}

TEST(TensorValuesTest, RefusesTheOtherKindOfNumber) {
  expect_error(ErrorCode::unsupported,
               "f: tensor \"x\": expected F64, F32, F16 or BF16, got a tensor I64 [1]",
               [] { values<float>(tensor_of<std::int64_t>(DataType::i64, {1}), "x"); });
  expect_error(ErrorCode::unsupported, "expected an integer type or BOOL, got a tensor F32 [1]",
               [] { values<std::int64_t>(tensor_of<float>(DataType::f32, {1}), "x"); });
  expect_error(ErrorCode::unsupported, "got a tensor U64 [1]",
               [] { values<std::int64_t>(tensor_of<std::uint64_t>(DataType::u64, {1}), "x"); });
  expect_error(ErrorCode::missing_tensor, "f: tensor \"y\" is missing",
               [] { values<float>(tensor_of<float>(DataType::f32, {1}), "y"); });
}

TEST(TensorValuesTest, FillsExactly) {
  const Tensors tensors = tensor_of<float>(DataType::f32, {1, 2});
  Floats three(3);
  expect_error(ErrorCode::shape_mismatch, "a tensor F32 [2] does not fill 3 values",
               [&] { copy_values(tensors.at("x"), std::span<float>(three)); });
  Integers one(1);
  expect_error(ErrorCode::shape_mismatch, "does not fill 1 values",
               [&] { copy_values(tensors.at("x"), std::span<std::int64_t>(one)); });
}

// Of a file, 64 KiB are read at a time.
TEST_F(TensorValuesFileTest, AreThoseOfMemory) {
  for (const std::size_t count : {0u, 1u, 16'383u, 16'384u, 16'385u, 40'000u}) {
    Floats numbers(count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(i) / 3;
    const auto bytes = std::as_bytes(std::span(numbers));
    const InputFile file(write("a", as_text(bytes)));
    const TensorView view{
        DataType::f32, {static_cast<std::int64_t>(count)}, TensorBytes(file, 0, bytes.size())};
    EXPECT_EQ(values<float>(Tensors("f", {{"x", view}}, nullptr), "x"), numbers) << count;
  }
}

}  // namespace
