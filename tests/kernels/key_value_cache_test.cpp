// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/key_value_cache.hpp"

#include "eigenformer/kernels/attention.hpp"
#include "support/expect_contract.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

constexpr Index layers = 2, kv_heads = 2, d_head = 5, width = kv_heads * d_head;

/// A cache beside the plain matrices that it stands for.
struct Twin {
  struct Row {
    std::vector<float> keys, values;  // [length, width], of layer 1
  };
  Context context = make_context();
  KeyValueCache cache{KeyValueShape{layers, kv_heads, d_head}, context};
  std::vector<Row> rows;
  std::uint64_t seed = 1;

  void add_rows(Index count) {
    cache.add_rows(count);
    rows.resize(rows.size() + std::size_t(count));
  }
  void grow(const std::vector<Index>& lengths) {
    const Batch batch{std::span<const Index>(lengths)};
    cache.extend(batch);
    for (Index layer = 0; layer < layers; ++layer) {
      const auto keys = random_matrix<float>(batch.tokens(), width, ++seed);
      const auto values = random_matrix<float>(batch.tokens(), width, ++seed);
      cache.write(layer, keys, values, batch, context);
      if (layer == 0) continue;
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const Index begin = batch.begin(Index(r)) * width, end = batch.end(Index(r)) * width;
        rows[r].keys.insert(rows[r].keys.end(), keys.data() + begin, keys.data() + end);
        rows[r].values.insert(rows[r].values.end(), values.data() + begin, values.data() + end);
      }
    }
  }
  void reorder(const std::vector<Index>& parents) {
    cache.reorder(parents);
    std::vector<Row> next;
    for (const Index parent : parents) next.push_back(rows[std::size_t(parent)]);
    rows = std::move(next);
  }
  /// Attention of one query a row to what layer 1 remembers, from the cache and from matrices.
  void expect_equal() {
    const Index count = cache.rows();
    const auto queries = random_matrix<float>(count, 4 * d_head, 77);
    std::vector<float> keys, values;
    Batch one, all;
    for (Index r = 0; r < count; ++r) {
      const Row& row = rows[std::size_t(r)];
      one.add(1);
      all.add(Index(row.keys.size()) / width);
      keys.insert(keys.end(), row.keys.begin(), row.keys.end());
      values.insert(values.end(), row.values.begin(), row.values.end());
      ASSERT_EQ(cache.length(r), all.length(r));
    }
    Matrix<float> expected(count, 4 * d_head), got(count, 4 * d_head);
    kernels::attention(context,
                       kernels::Attention<float>{
                           .queries = queries,
                           .keys = MatrixView<const float>(keys.data(), all.tokens(), width),
                           .values = MatrixView<const float>(values.data(), all.tokens(), width),
                           .query_batch = one,
                           .key_batch = all,
                           .heads = 4,
                           .kv_heads = kv_heads,
                           .scope = AttentionScope::causal(),
                           .scale = 0.4f},
                       expected);
    kernels::attention(context,
                       kernels::CachedAttention{.queries = queries,
                                                .query_batch = one,
                                                .cache = cache,
                                                .layer = 1,
                                                .heads = 4,
                                                .scope = AttentionScope::causal(),
                                                .scale = 0.4f},
                       got);
    EXPECT_TRUE(same_bits(expected, got));
  }
};

TEST(KeyValueCache, RemembersWhatRowsHaveHoweverTheyGrowForkAndEnd) {
  Twin twin;
  twin.add_rows(3);
  twin.grow({17, 1, 16});
  twin.expect_equal();
  RandomStream random(5, 0, 0);
  for (int step = 0; step < 60; ++step) {
    std::vector<Index> parents, lengths;
    const Index count = 1 + Index(random.bits() % 6);
    for (Index r = 0; r < count; ++r) {
      parents.push_back(Index(random.bits()) % twin.cache.rows());
      lengths.push_back(1 + Index(random.bits() % (step % 10 == 0 ? 40 : 2)));
    }
    twin.reorder(parents);
    twin.grow(lengths);
    twin.expect_equal();
  }
}

TEST(KeyValueCache, ForksShareBlocksUntilSomebodyWrites) {
  Twin twin;
  twin.add_rows(1);
  twin.grow({20});  // a full block and an open one
  EXPECT_EQ(twin.cache.blocks_in_use(), 2);
  twin.reorder({0, 0, 0, 0});
  EXPECT_EQ(twin.cache.blocks_in_use(), 2);
  const float* const open = twin.cache.block(0, 1, 0, 0);
  twin.grow({1, 1, 1, 1});
  EXPECT_EQ(twin.cache.blocks_in_use(), 5);       // the full one, and an open one each
  EXPECT_EQ(twin.cache.block(3, 1, 0, 0), open);  // the last owner keeps it
  twin.reorder({2});
  EXPECT_EQ(twin.cache.blocks_in_use(), 2);
  const float* const only = twin.cache.block(0, 1, 0, 0);
  twin.grow({1});
  EXPECT_EQ(twin.cache.block(0, 1, 0, 0), only);  // an only child copies nothing
  twin.expect_equal();
  twin.reorder({});
  EXPECT_EQ(twin.cache.rows(), 0);
  EXPECT_EQ(twin.cache.blocks_in_use(), 0);
}

TEST(KeyValueCache, TheNextOneTakesWhatOneGaveBack) {
  Context context = make_context();
  const Batch batch{100, 40, 17};
  const auto fill = [&] {
    KeyValueCache cache({layers, kv_heads, d_head}, context);
    cache.add_rows(batch.sequences());
    cache.extend(batch);
    EXPECT_EQ(cache.blocks_in_use(), 7 + 3 + 2);
    std::set<const float*> blocks;
    for (Index row = 0; row < 3; ++row) {
      for (Index b = 0; b < cache.blocks(row); ++b) blocks.insert(cache.block(row, b, 0, 0));
    }
    EXPECT_EQ(blocks.size(), 12u);
    return context.slabs().made();
  };
  const std::size_t slabs = fill();
  EXPECT_EQ(slabs, 5u);  // of 1, 1, 2, 4 and 8 blocks
  EXPECT_EQ(fill(), slabs);
}

TEST(KeyValueCache, ContractsAndRanges) {
  Context context = make_context();
  EXPECT_THROW(KeyValueCache({-1, 1, 1}, context), Error);
  EXPECT_THROW(KeyValueCache({1, 0, 1}, context), Error);
  EXPECT_THROW(KeyValueCache({1, 1, 0}, context), Error);
  KeyValueCache cache({1, 1, 1}, context);
  cache.add_rows(1);
  EXPECT_BROKEN_CONTRACT(cache.extend(Batch{1, 1}));
  EXPECT_BROKEN_CONTRACT(cache.length(1));
  const Index absent = 1;
  EXPECT_BROKEN_CONTRACT(cache.reorder({&absent, 1}));
}

}  // namespace
}  // namespace eigenformer::test
