// SPDX-License-Identifier: MIT
#include "eigenformer/layers/attention_recorder.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

TEST(AttentionRecorder, KeepsCopies) {
  AttentionRecorder recorder;
  Matrix<double> weights{{1, 0}, {0.5, 0.5}};
  EXPECT_TRUE(recorder.wants({AttentionKind::cross, 5}, 3));
  recorder.observe({{AttentionKind::cross, 5}, 3, 1, weights.view()});
  weights.setZero();
  ASSERT_EQ(recorder.entries().size(), 1u);
  const auto& entry = recorder.entries().front();
  EXPECT_EQ(entry.place, (AttentionPlace{AttentionKind::cross, 5}));
  EXPECT_EQ(entry.head, 3);
  EXPECT_EQ(entry.sequence, 1);
  EXPECT_EQ(entry.weights, (Matrix<double>{{1, 0}, {0.5, 0.5}}));
  EXPECT_STREQ(name(entry.place.kind), "cross");
  recorder.clear();
  EXPECT_TRUE(recorder.entries().empty());
}

}  // namespace
}  // namespace eigenformer::test
