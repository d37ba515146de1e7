// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/torch_names.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

TEST(TorchNames, OfADecoder) {
  NameTable names;
  add_torch_decoder(names, "decoder.", "transformer.decoder.");
  const auto tensor = [&](const char* parameter) { return find_source(names, parameter)->tensor; };
  EXPECT_EQ(tensor("decoder.layers.3.cross_attention.value.bias"),
            "transformer.decoder.layers.3.multihead_attn.in_proj_bias");
  EXPECT_EQ(find_source(names, "decoder.layers.3.cross_attention.value.bias")->part, 2);
  EXPECT_EQ(tensor("decoder.layers.0.feed_forward_residual.norm.weight"),
            "transformer.decoder.layers.0.norm3.weight");
  EXPECT_EQ(tensor("decoder.final_norm.bias"), "transformer.decoder.norm.bias");
}

}  // namespace
}  // namespace eigenformer::test
