// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/reference/attention.hpp"

#include <algorithm>

#include "eigenformer/core/aligned_buffer.hpp"
#include "eigenformer/core/attention_scope.hpp"
#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

using kernels::AttentionStatistics;
using kernels::AttentionTile;
using kernels::KernelTable;

/// One head with random numbers.
struct Head {
  Index queries, keys, d_head;
  Index first_position = 0;
  AttentionScope scope = AttentionScope::all();
  bool bias = false;
  Index special_step = 0;  ///< a special value at every such place of q, k and v

  std::vector<float> numbers(Index n, std::uint64_t seed) const {
    return special_step ? mixed_floats(n, seed, special_step) : random_floats(n, seed);
  }
};

struct Answer {
  std::vector<float> out;
  std::vector<float> statistics;
};

/// The keys and values in blocks, by the table's own packing.
std::vector<AlignedBuffer<float>> pack(const KernelTable& table, const Head& head) {
  const auto k = head.numbers(head.keys * head.d_head, 21),
             v = head.numbers(head.keys * head.d_head, 22);
  std::vector<AlignedBuffer<float>> blocks;
  for (Index key = 0; key < head.keys; key += lanes) {
    blocks.emplace_back(kernels::block_floats(head.d_head));
    table.pack_block({k.data() + key * head.d_head, head.d_head, v.data() + key * head.d_head,
                      head.d_head, std::min(lanes, head.keys - key), head.d_head,
                      blocks.back().data()});
  }
  return blocks;
}

Answer attend(const KernelTable& table, const Head& head) {
  const auto q = head.numbers(head.queries * head.d_head, 20);
  const auto blocks = pack(table, head);
  std::vector<const float*> pointers;
  for (const auto& block : blocks) pointers.push_back(block.data());
  const auto bias = random_floats(2 * (head.keys + head.queries + head.first_position) + 1, 23);
  const Index stride = head.d_head + 3;
  Answer answer;
  answer.out.assign(static_cast<std::size_t>(head.queries * stride), 3.0f);
  std::vector<AttentionStatistics> statistics(static_cast<std::size_t>(head.queries));
  AlignedBuffer<float> scratch(kernels::attention_scratch(head.d_head));
  for (Index first = 0; first < head.queries; first += kernels::tile_queries) {
    AttentionTile tile{};
    tile.query = q.data() + first * head.d_head;
    tile.query_stride = head.d_head;
    tile.queries = std::min(kernels::tile_queries, head.queries - first);
    tile.d_head = head.d_head;
    tile.blocks = pointers.data();
    tile.keys = head.keys;
    tile.first_position = head.first_position + first;
    tile.back = head.scope.back;
    tile.ahead = head.scope.ahead;
    tile.scale = 0.3f;
    tile.bias = head.bias ? bias.data() + bias.size() / 2 : nullptr;
    tile.out = answer.out.data() + first * stride;
    tile.out_stride = stride;
    tile.statistics = statistics.data() + first;
    tile.scratch = scratch.data();
    table.attention(tile);
  }
  for (const auto& s : statistics) {
    answer.statistics.push_back(s.max);
    answer.statistics.push_back(s.sum);
  }
  return answer;
}

struct Attention : EachIsa {
  void expect_equal(const Head& head) {
    const Answer expected = attend(reference(), head), got = attend(fast(), head);
    ASSERT_TRUE(same_bits(expected.out, got.out))
        << head.queries << " queries, " << head.keys << " keys, d_head " << head.d_head
        << ", position " << head.first_position << ", back " << head.scope.back << ", ahead "
        << head.scope.ahead;
    ASSERT_TRUE(same_bits(expected.statistics, got.statistics));
  }
};

TEST_P(Attention, PacksBlocksLikeTheReference) {
  for (Index d_head = 1; d_head <= 70; ++d_head) {
    for (const Index keys : {1, 7, 16, 19}) {
      const Head head{1, keys, d_head};
      const auto expected = pack(reference(), head), got = pack(fast(), head);
      for (std::size_t b = 0; b < expected.size(); ++b) {
        ASSERT_TRUE(same_bits(expected[b].data(), got[b].data(), expected[b].size()));
      }
    }
  }
}
TEST_P(Attention, EverySmallShape) {
  for (Index queries = 1; queries <= 14; ++queries) {
    for (const Index keys : {1, 2, 15, 16, 17, 31, 63, 64, 65, 80, 128, 130}) {
      expect_equal({queries, keys, 8});
      expect_equal({queries, keys, 20, 0, AttentionScope::causal()});
      expect_equal(
          {queries, keys, 5, std::max<Index>(0, keys - queries), AttentionScope::causal()});
    }
  }
}
TEST_P(Attention, EveryHeadSize) {
  for (Index d_head = 1; d_head <= 70; ++d_head)
    expect_equal({9, 75, d_head, 66, AttentionScope::causal()});
  for (const Index d_head : {80, 96, 128, 130, 256}) expect_equal({7, 70, d_head});
}
TEST_P(Attention, Windows) {
  for (const Index window : {1, 2, 3, 7, 16, 63, 64, 65, 100}) {
    expect_equal({150, 150, 16, 0, AttentionScope::window(window)});
    expect_equal({5, 150, 16, 145, AttentionScope::window(window)});
    expect_equal({100, 100, 16, 0, AttentionScope{window, window}});
  }
}
TEST_P(Attention, RelativeBias) {
  expect_equal({70, 70, 8, 0, AttentionScope::all(), true});
  expect_equal({70, 70, 8, 0, AttentionScope::causal(), true});
  expect_equal({3, 131, 8, 128, AttentionScope::window(70), true});
}
TEST_P(Attention, LongerThanATile) {
  expect_equal({200, 333, 64});
  expect_equal({333, 333, 64, 0, AttentionScope::causal()});
}
TEST_P(Attention, SpecialValues) {
  for (const Index step : {17, 61, 211, 1009}) {
    Head head{60, 140, 16, 80, AttentionScope::causal()};
    head.special_step = step;
    expect_equal(head);
    head.scope = AttentionScope::all();
    expect_equal(head);
  }
}

EIGENFORMER_EACH_ISA(Attention);

/// A query alone, or after others have been answered, gets the same bits: a cache is exact.
TEST(AttentionReference, OneByOneIsWhole) {
  Head whole{20, 90, 12, 70, AttentionScope::causal()};
  for (const Isa isa : {Isa::reference, kernels::best_table().isa}) {
    const auto& table = *kernels::find_table(isa);
    const Answer all = attend(table, whole);
    // Later keys do not exist yet when an earlier query is asked.
    for (const Index keys : {71, 80, 90}) {
      Head part = whole;
      part.keys = keys;
      part.queries = keys - 70;
      const Answer some = attend(table, part);
      EXPECT_TRUE(same_bits(all.out.data(), some.out.data(), part.queries * 15));
    }
  }
}

/// Two keys, scores 0 and log 3: weights 1/4 and 3/4.
TEST(AttentionReference, ByHand) {
  const float query[] = {1.0f, 0.0f}, keys[] = {0.0f, 5.0f, std::log(3.0f), 5.0f};
  const float values[] = {4.0f, 0.0f, 0.0f, 8.0f};
  AlignedBuffer<float> block(kernels::block_floats(2)), scratch(kernels::attention_scratch(2));
  kernels::reference::pack_block({keys, 2, values, 2, 2, 2, block.data()});
  const float* blocks[] = {block.data()};
  float out[2];
  AttentionStatistics statistics;
  AttentionTile tile{query,
                     2,
                     1,
                     2,
                     blocks,
                     2,
                     0,
                     AttentionScope::unlimited,
                     AttentionScope::unlimited,
                     1.0f,
                     nullptr,
                     out,
                     2,
                     &statistics,
                     scratch.data()};
  kernels::reference::attention(tile);
  EXPECT_FLOAT_EQ(out[0], 1.0f);
  EXPECT_FLOAT_EQ(out[1], 6.0f);
  double weights[2];
  kernels::reference::attention_weights(tile, weights);
  EXPECT_NEAR(weights[0], 0.25, 1e-7);
  EXPECT_NEAR(weights[1], 0.75, 1e-7);
  tile.ahead = 0;  // now the query, at position 0, sees the first key only
  kernels::reference::attention(tile);
  EXPECT_EQ(out[0], 4.0f);
  EXPECT_EQ(out[1], 0.0f);
}

}  // namespace
}  // namespace eigenformer::test
