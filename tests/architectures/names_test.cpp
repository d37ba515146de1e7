// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/names.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

TEST(Names, ARuleRewritesTheBeginning) {
  const NameTable names{{{"layers.*.attention.key.", "blocks.*.qkv_", 1, 3}, {"norm.", "ln."}}, {}};
  const auto key = find_source(names, "layers.12.attention.key.weight");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->tensor, "blocks.12.qkv_weight");
  EXPECT_EQ(key->part, 1);
  EXPECT_EQ(key->parts, 3);
  EXPECT_EQ(find_source(names, "norm.bias")->tensor, "ln.bias");
  EXPECT_FALSE(find_source(names, "layers.x.attention.key.weight"));
  EXPECT_FALSE(find_source(names, "layers.12.attention.query.weight"));
  EXPECT_FALSE(find_source(names, "layers."));
}

TEST(Names, IgnoredTensorsMatchWhole) {
  const NameTable names{{}, {"h.*.attn.bias"}};
  EXPECT_TRUE(is_ignored(names, "h.3.attn.bias"));
  EXPECT_FALSE(is_ignored(names, "h.3.attn.bias2"));
  EXPECT_FALSE(is_ignored(names, "h.attn.bias"));
}

}  // namespace
}  // namespace eigenformer::test
