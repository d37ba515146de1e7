// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/stored_tensors.hpp"

#include <limits>

#include "io/support.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

using io_test::expect_error;

const NameTable joined{{{"query.", "qkv_", 0, 2}, {"key.", "qkv_", 1, 2}}, {}};

WeightMatrix<float> weight(std::initializer_list<std::initializer_list<float>> rows,
                           Storage storage = Storage::f32) {
  return WeightMatrix<float>(Matrix<float>(rows), storage);
}
Vector<float> vector(std::initializer_list<float> numbers) {
  Vector<float> out(static_cast<Index>(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), out.begin());
  return out;
}
io::Tensors read(const StoredTensors& stored) { return {"memory", stored.list(), nullptr}; }

TEST(StoredTensors, JoinsParts) {
  StoredTensors stored(joined);
  stored.add("key.weight", weight({{3, 4, 5}}));
  stored.add("query.weight", weight({{0, 1, 2}}));
  stored.add("query.bias", vector({7}));
  stored.add("key.bias", vector({8}));
  const io::Tensors tensors = read(stored);
  EXPECT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors.at("qkv_weight").shape, (io::Shape{2, 3}));
  EXPECT_EQ(tensors.at("qkv_bias").shape, (io::Shape{2}));
  EXPECT_EQ(io::values<float>(tensors, "qkv_weight"), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(io::values<float>(tensors, "qkv_bias"), (std::vector<float>{7, 8}));
}

TEST(StoredTensors, JoinsScales) {
  StoredTensors stored(joined);
  stored.add("query.weight", weight({{0, 127}}, Storage::int8));
  stored.add("key.weight", weight({{254, 0}}, Storage::int8));
  const io::Tensors tensors = read(stored);
  EXPECT_EQ(io::values<std::int64_t>(tensors, "qkv_weight"),
            (std::vector<std::int64_t>{0, 127, 127, 0}));
  EXPECT_EQ(tensors.at("qkv_weight_scale").shape, (io::Shape{2}));
  EXPECT_EQ(io::values<float>(tensors, "qkv_weight_scale"), (std::vector<float>{1, 2}));
}

TEST(StoredTensors, AVectorIsARowWhereTheTableSaysSo) {
  StoredTensors stored(
      {{{.parameter = "bias", .tensor = "logits_bias", .as_row = true}, {"", ""}}, {}});
  stored.add("bias", vector({1, 2}));
  stored.add("norm", vector({1, 2, 3}));
  stored.add("positions", Matrix<float>{{1, 2, 3}});
  const io::Tensors tensors = read(stored);
  EXPECT_EQ(tensors.at("logits_bias").shape, (io::Shape{1, 2}));
  EXPECT_EQ(tensors.at("norm").shape, (io::Shape{3}));
  EXPECT_EQ(tensors.at("positions").shape, (io::Shape{1, 3}));
}

TEST(StoredTensors, ATableThatHasTwoUsesIsStoredOnce) {
  StoredTensors stored({{{"source.", "table."}, {"target.", "table."}}, {}});
  stored.add("source.weight", weight({{1, 2}}));
  stored.add("target.weight", weight({{1, 2}}));
  EXPECT_EQ(read(stored).size(), 1u);
  expect_error(ErrorCode::invalid_argument,
               R"(tensor "table.weight": parameters with different numbers have this name)", [&] {
                 stored.add("target.weight", weight({{1, 3}}));
               });
  expect_error(ErrorCode::invalid_argument, "parameters of several forms have this name", [&] {
    stored.add("target.weight", weight({{1, 2}}, Storage::f16));
  });
  expect_error(ErrorCode::invalid_argument, "parameters of several forms have this name", [&] {
    stored.add("target.weight", weight({{1}, {2}}));
  });
}

TEST(StoredTensors, ScalesTakeTheirName) {
  StoredTensors stored(own_names());
  stored.add("a", weight({{1, 2}}, Storage::int8));
  expect_error(ErrorCode::invalid_argument, R"(tensor "a_scale": parameters of several forms)",
               [&] { stored.add("a_scale", weight({{1}}, Storage::int8)); });
}

TEST(StoredTensors, EveryPartAndEveryNameIsNeeded) {
  StoredTensors stored(joined);
  expect_error(ErrorCode::invalid_argument, "no line of the table names value.weight",
               [&] { stored.add("value.weight", weight({{1}})); });
  stored.add("key.weight", weight({{1}}));
  expect_error(ErrorCode::invalid_argument, R"(tensor "qkv_weight": no parameter for a part of it)",
               [&] { stored.list(); });
}

TEST(StoredTensors, Int8HasNoPlaceForInfinitiesAndNaN) {
  for (const float broken : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    StoredTensors stored(own_names());
    stored.add("f32", weight({{1}, {broken}}));
    expect_error(ErrorCode::not_a_number, R"(tensor "int8": row 1 had an infinity or a NaN)", [&] {
      stored.add("int8", weight({{1}, {broken}}, Storage::int8));
    });
  }
}

}  // namespace
}  // namespace eigenformer::test
