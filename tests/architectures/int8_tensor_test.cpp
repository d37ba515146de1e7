// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/int8_tensor.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

const std::int8_t integers[] = {1, 2, 3, -4, 5, 6};
const float scales[] = {1, 0.5f, 2};

io::NamedTensor of_integers(const std::string& name) {
  return {name, {io::DataType::i8, {3, 2}, std::as_bytes(std::span(integers))}};
}
io::NamedTensor of_scales(const std::string& name, Index first, Index count) {
  return {name,
          {io::DataType::f32,
           {count},
           std::as_bytes(std::span(scales).subspan(std::size_t(first), std::size_t(count)))}};
}

TEST(Int8Tensor, IsRowsOfATensor) {
  const io::Tensors tensors("file", {of_integers("a"), of_scales("a_scale", 0, 3)}, nullptr);
  const Int8Tensor rows(tensors, "a", 1, 2);
  EXPECT_FALSE(rows.fault("parameter"));
  const std::vector<float> own = rows.scales();
  EXPECT_EQ(own, (std::vector<float>{0.5f, 2}));
  WeightMatrix<float> weight(2, 2, Storage::int8);
  rows.copy_to(weight);
  EXPECT_EQ(weight(0, 1), 0.5f * -4);
  EXPECT_EQ(weight(1, 0), 2.0f * 5);
}

TEST(Int8Tensor, FaultsAreCountedFromTheTensorsFirstRow) {
  std::int8_t lowest[6] = {-128, 0, 0, 0, 0, 0};
  float negative[3] = {0, 0, -2};
  io::NamedTensor values = of_integers("a"), factors = of_scales("a_scale", 0, 3);
  values.tensor.bytes = std::as_bytes(std::span(lowest));
  const io::Tensors tensors("file", {values, factors}, nullptr);
  EXPECT_EQ(Int8Tensor(tensors, "a", 0, 3).fault("p")->text,
            R"("a" for p: row 0, column 0: expected -127 to 127, got -128)");
  EXPECT_FALSE(Int8Tensor(tensors, "a", 1, 2).fault("p"));
  lowest[5] = -128;
  EXPECT_EQ(Int8Tensor(tensors, "a", 1, 2).fault("p")->text,
            R"("a" for p: row 2, column 1: expected -127 to 127, got -128)");
  factors.tensor.bytes = std::as_bytes(std::span(negative));
  const io::Tensors broken("file", {of_integers("a"), factors}, nullptr);
  EXPECT_FALSE(Int8Tensor(broken, "a", 0, 2).fault("p"));
  EXPECT_EQ(Int8Tensor(broken, "a", 1, 2).fault("p")->text,
            R"("a_scale" for p: row 2: expected a number from 0 to 2.6e36, got -2)");
}

TEST(Int8Tensor, ScalesKnowTheirIntegers) {
  const io::Tensors tensors(
      "file",
      {of_integers("a"), of_scales("a_scale", 0, 3), of_scales("b", 0, 3),
       of_scales("b_scale", 0, 3), of_scales("_scale", 0, 1), of_scales("c_scale", 0, 1)},
      nullptr);
  EXPECT_EQ(tensor_scaled_by(tensors, "a_scale"), "a");
  for (const char* const name : {"a", "b", "b_scale", "_scale", "c_scale", "scale", ""}) {
    EXPECT_FALSE(tensor_scaled_by(tensors, name)) << name;
  }
}

TEST(Int8Tensor, EqualIntegersWithUnlikeScalesAreUnlike) {
  const io::Tensors tensors(
      "file",
      {of_integers("a"), of_integers("b"), of_integers("c"), of_integers("d"), of_integers("e"),
       of_scales("a_scale", 0, 2), of_scales("b_scale", 0, 2), of_scales("c_scale", 1, 2)},
      nullptr);
  EXPECT_TRUE(same_numbers(tensors, "a", "a"));
  EXPECT_TRUE(same_numbers(tensors, "a", "b"));
  EXPECT_FALSE(same_numbers(tensors, "a", "c"));
  EXPECT_FALSE(same_numbers(tensors, "a", "d"));
  EXPECT_FALSE(same_numbers(tensors, "d", "a"));
  EXPECT_TRUE(same_numbers(tensors, "d", "e"));
  EXPECT_TRUE(same_numbers(tensors, "a_scale", "b_scale"));
  EXPECT_FALSE(same_numbers(tensors, "a_scale", "c_scale"));
  EXPECT_FALSE(same_numbers(tensors, "a_scale", "a"));
}

}  // namespace
}  // namespace eigenformer::test
