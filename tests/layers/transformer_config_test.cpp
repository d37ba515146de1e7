// SPDX-License-Identifier: MIT
#include "eigenformer/layers/transformer_config.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

TEST(TransformerConfig, IsThePapersBaseModel) {
  const TransformerConfig config;
  EXPECT_EQ(config.d_model, 512);
  EXPECT_EQ(config.d_model / config.heads, 64);
  EXPECT_EQ(config.d_ff, 2048);
  EXPECT_EQ(config.encoder_layers + config.decoder_layers, 12);
  EXPECT_EQ(config.encoder_scope, AttentionScope::all());
  EXPECT_EQ(config.decoder_scope, AttentionScope::causal());
}

TEST(TransformerConfig, HandsItsPartsTheirNumbers) {
  const TransformerConfig config{.d_model = 8,
                                 .heads = 4,
                                 .kv_heads = 2,
                                 .d_ff = 16,
                                 .activation = Activation::gelu,
                                 .bias = false,
                                 .norm_epsilon = 1e-6};
  EXPECT_EQ(config.norm().features, 8);
  EXPECT_EQ(config.norm().epsilon, 1e-6);
  EXPECT_FALSE(config.norm().bias);
  const auto attention = config.attention(AttentionScope::window(3), {AttentionKind::decoder, 5});
  EXPECT_EQ(attention.kv_heads, 2);
  EXPECT_EQ(attention.scope, AttentionScope::window(3));
  EXPECT_EQ(attention.place.layer, 5);
  EXPECT_EQ(config.feed_forward().d_ff, 16);
  EXPECT_EQ(config.feed_forward().activation, Activation::gelu);
}

}  // namespace
}  // namespace eigenformer::test
