// SPDX-License-Identifier: MIT
#include "eigenformer/layers/module.hpp"

#include "eigenformer/layers/multi_head_attention.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

TEST(Module, NamesItsParametersInOrder) {
  const MultiHeadAttention<float> attention({.d_model = 4, .heads = 2});
  std::vector<std::string> names;
  attention.for_each_parameter(
      [&](const std::string& name, const auto&) { names.push_back(name); });
  EXPECT_EQ(names, (std::vector<std::string>{"query.weight", "query.bias", "key.weight", "key.bias",
                                             "value.weight", "value.bias", "output.weight",
                                             "output.bias"}));
  EXPECT_EQ(attention.parameter_count(), 4 * (16 + 4));
}

TEST(Module, SetsAndGets) {
  Linear<float> linear({.inputs = 2, .outputs = 1});
  linear.set("weight", Matrix<float>{{1, 2}});
  EXPECT_EQ(linear.get("weight"), (Matrix<float>{{1, 2}}));
  EXPECT_EQ(linear.get("bias"), (Matrix<float>{{0}}));
}

TEST(Module, SaysWhatItHasAndWhatItNeeds) {
  Linear<float> linear({.inputs = 2, .outputs = 1});
  try {
    linear.set("wait", Matrix<float>{{1, 2}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::missing_tensor);
    EXPECT_STREQ(error.what(), "no parameter \"wait\"; there are weight, bias");
  }
  try {
    linear.set("weight", Matrix<float>{{1}, {2}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::shape_mismatch);
    EXPECT_STREQ(error.what(), "weight: expected [1, 2], got [2, 1]");
  }
}

TEST(Module, InitializesByTheSeed) {
  Linear<float> one({.inputs = 20, .outputs = 30}), same = one, other = one;
  one.initialize(7);
  same.initialize(7);
  other.initialize(8);
  const Matrix<float> weight = one.get("weight");
  EXPECT_EQ(weight, same.get("weight"));
  EXPECT_NE(weight, other.get("weight"));
  EXPECT_EQ(one.get("bias").cwiseAbs().maxCoeff(), 0);
  const float bound = std::sqrt(6.0f / 50.0f);
  EXPECT_LE(weight.cwiseAbs().maxCoeff(), bound);
  EXPECT_GT(weight.maxCoeff(), 0.9f * bound);
  EXPECT_LT(weight.minCoeff(), -0.9f * bound);
  EXPECT_LT(std::abs(weight.mean()), 0.1f * bound);
}

}  // namespace
}  // namespace eigenformer::test
