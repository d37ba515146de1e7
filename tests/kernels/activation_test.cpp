// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/activation.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace eigenformer::test {
namespace {

TEST(Activation, EachHasAName) {
  std::set<std::string> names;
  for (int a = 0; a < activations; ++a) names.insert(name(static_cast<Activation>(a)));
  EXPECT_EQ(names, (std::set<std::string>{"relu", "gelu", "gelu_tanh", "quick_gelu", "silu",
                                          "sigmoid", "tanh"}));
}

}  // namespace
}  // namespace eigenformer::test
