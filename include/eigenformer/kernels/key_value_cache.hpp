// SPDX-License-Identifier: MIT
/// Keys and values of rows that grow token by token, fork, and end.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "eigenformer/core/aligned_buffer.hpp"
#include "eigenformer/core/batch.hpp"
#include "eigenformer/core/context.hpp"
#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/shape.hpp"
#include "eigenformer/kernels/kernel_table.hpp"

namespace eigenformer::inline v0 {

/// What a cache keeps of each token.
struct KeyValueShape {
  Index layers;    ///< attention layers that share the rows
  Index kv_heads;  ///< of each layer
  Index d_head;
};

/// Rows of keys and values in copy-on-write blocks of 16 positions. A block holds all layers and
/// heads of its positions, each as kernels::block_floats() says. A row that forks shares its
/// blocks; whoever then writes to a shared one gets a copy of it, and the last owner keeps the
/// block itself. Memory follows the positions really there; blocks are used again. One thread at a
/// time, except for write().
class KeyValueCache {
 public:
  /// No rows. The context, whose slabs it uses, outlives it. Throws Error(invalid_argument).
  KeyValueCache(const KeyValueShape& shape, Context& context)
      : shape_(shape), pool_(&context.slabs()) {
    expect_range(shape.layers, 0, 1 << 16, "KeyValueShape.layers");
    expect_range(shape.kv_heads, 1, 1 << 16, "KeyValueShape.kv_heads");
    expect_range(shape.d_head, 1, 1 << 16, "KeyValueShape.d_head");
  }

  KeyValueCache(KeyValueCache&&) = default;
  KeyValueCache& operator=(KeyValueCache&&) = delete;
  ~KeyValueCache() {
    for (AlignedBuffer<float>& slab : slabs_) pool_->give_back(std::move(slab));
  }

  const KeyValueShape& shape() const { return shape_; }
  Index rows() const { return rows_; }
  /// Positions of a row.
  Index length(Index row) const { return at(row).length; }
  /// Blocks of a row: ceil(length / 16).
  Index blocks(Index row) const { return static_cast<Index>(at(row).blocks.size()); }
  /// Whether two rows have the same positions, in the same blocks.
  bool same_blocks(Index row, Index other) const {
    return length(row) == length(other) && at(row).blocks == at(other).blocks;
  }
  /// Blocks in use, each counted once.
  Index blocks_in_use() const { return static_cast<Index>(blocks_.size() - free_.size()); }

  /// A head's part of a row's block.
  const float* block(Index row, Index block, Index layer, Index kv_head) const {
    return part(at(row).blocks[static_cast<std::size_t>(block)], layer, kv_head);
  }

  /// `count` more rows, without positions.
  void add_rows(Index count) {
    EIGENFORMER_ASSERT(count >= 0);
    resize(table_, rows_ + count);
    rows_ += count;
  }

  /// Makes batch.length(row) more positions in each row, for write() to fill.
  void extend(const Batch& batch) {
    EIGENFORMER_ASSERT(batch.sequences() == rows_);
    for (Index r = 0; r < rows_; ++r) {
      Row& row = table_[static_cast<std::size_t>(r)];
      if (batch.length(r) > 0 && row.length % lanes != 0) own(row.blocks.back());
      row.length += batch.length(r);
      while (static_cast<Index>(row.blocks.size()) * lanes < row.length) {
        row.blocks.push_back(take_block());
      }
    }
  }

  /// One layer's keys and values of the positions that the last extend(batch) made, both
  /// [batch.tokens(), kv_heads * d_head].
  void write(Index layer, MatrixView<const float> keys, MatrixView<const float> values,
             const Batch& batch, Context& context) {
    EIGENFORMER_ASSERT(layer >= 0 && layer < shape_.layers && batch.sequences() == rows_);
    EIGENFORMER_ASSERT(keys.rows() == batch.tokens() && values.rows() == batch.tokens());
    EIGENFORMER_ASSERT(keys.cols() == shape_.kv_heads * shape_.d_head);
    const Profile::Scope scope(context.profile(), {"cache write"});
    const Index bytes = 2 * keys.rows() * keys.cols() * Index{sizeof(float)};
    scope.work({.memory = bytes, .activations = bytes});
    const auto pack = context.kernels().pack_block;
    context.executor().run(rows_, [&](Index r, Index) {
      const FloatingPointGuard guard;
      const Index end = length(r), first = end - batch.length(r);
      for (Index position = first; position < end;) {
        const Index count = std::min(lanes - position % lanes, end - position);
        const Index token = batch.begin(r) + position - first;
        for (Index head = 0; head < shape_.kv_heads; ++head) {
          const Index column = head * shape_.d_head;
          const kernels::BlockPacking packing{
              keys.row(token) + column,
              keys.stride(),
              values.row(token) + column,
              values.stride(),
              count,
              shape_.d_head,
              part(at(r).blocks[static_cast<std::size_t>(position / lanes)], layer, head)};
          if (position % lanes == 0) {
            pack(packing);
          } else {
            insert(packing, position % lanes);
          }
        }
        position += count;
      }
    });
  }

  /// Row r becomes what row parents[r] was; parents.size() is the new number of rows. Rows may be
  /// repeated, dropped and moved.
  void reorder(std::span<const Index> parents) {
    const auto count = static_cast<Index>(parents.size());
    resize(spare_, count);
    for (Index r = 0; r < count; ++r) {
      const Row& parent = at(parents[static_cast<std::size_t>(r)]);
      spare_[static_cast<std::size_t>(r)] = parent;
      for (const std::size_t id : parent.blocks) ++blocks_[id].owners;
    }
    for (Index r = 0; r < rows_; ++r) release(table_[static_cast<std::size_t>(r)]);
    std::swap(table_, spare_);
    rows_ = count;
  }

 private:
  struct Block {
    float* floats;  // [layers][kv_heads][block_floats]
    Index owners;
  };
  struct Row {
    std::vector<std::size_t> blocks;
    Index length = 0;
  };

  const Row& at(Index row) const {
    EIGENFORMER_ASSERT(row >= 0 && row < rows_);
    return table_[static_cast<std::size_t>(row)];
  }
  /// Never shrinks, so that rows keep their memory while others come and go.
  static void resize(std::vector<Row>& table, Index rows) {
    if (static_cast<Index>(table.size()) < rows) table.resize(static_cast<std::size_t>(rows));
  }
  Index part_floats() const { return kernels::block_floats(shape_.d_head); }
  float* part(std::size_t id, Index layer, Index head) {
    return blocks_[id].floats + (layer * shape_.kv_heads + head) * part_floats();
  }
  const float* part(std::size_t id, Index layer, Index head) const {
    return blocks_[id].floats + (layer * shape_.kv_heads + head) * part_floats();
  }

  Index floats_of_block() const { return shape_.layers * shape_.kv_heads * part_floats(); }

  /// A block of the row's own, uninitialised: the first write to it fills the whole of it.
  std::size_t take_block() {
    if (free_.empty()) make_blocks();
    const std::size_t id = free_.back();
    free_.pop_back();
    blocks_[id].owners = 1;
    return id;
  }
  /// As many more as there are, in a slab of at most 16 MiB; one at first.
  void make_blocks() {
    const Index floats = floats_of_block();
    const Index most = std::max<Index>(largest_slab / std::max<Index>(floats, 1), 1);
    const Index wanted = std::clamp<Index>(static_cast<Index>(blocks_.size()), 1, most);
    slabs_.reserve(slabs_.size() + 1);
    slabs_.push_back(pool_->take(wanted * floats));
    const Index count = floats > 0 ? slabs_.back().size() / floats : wanted;
    free_.reserve(blocks_.size() + static_cast<std::size_t>(count));
    for (Index i = count; i-- > 0;) free_.push_back(blocks_.size() + static_cast<std::size_t>(i));
    for (Index i = 0; i < count; ++i) blocks_.push_back({slabs_.back().data() + i * floats, 0});
  }
  /// Copies the block unless it is the row's alone.
  void own(std::size_t& id) {
    if (blocks_[id].owners == 1) return;
    const std::size_t copy = take_block();
    std::copy_n(blocks_[id].floats, floats_of_block(), blocks_[copy].floats);
    --blocks_[id].owners;
    id = copy;
  }
  void release(Row& row) {
    for (const std::size_t id : row.blocks) {
      if (--blocks_[id].owners == 0) free_.push_back(id);
    }
    row.blocks.clear();
    row.length = 0;
  }
  /// Keys and values at positions `at` and up of a block that has others already.
  static void insert(const kernels::BlockPacking& p, Index at) {
    float* const values = p.block + p.d_head * lanes;
    const Index next_head = kernels::block_floats(p.d_head);
    for (Index k = 0; k < p.count; ++k) {
      const float *const key = p.keys + k * p.key_stride, *value = p.values + k * p.value_stride;
      for (Index d = 0; d < p.d_head; ++d) {
        p.block[d * lanes + at + k] = key[d];
        __builtin_prefetch(p.block + next_head + d * lanes, 1);
      }
      std::copy_n(value, p.d_head, values + (at + k) * round_up(p.d_head, lanes));
    }
  }

  static constexpr Index largest_slab = Index{1} << 22;  // floats

  KeyValueShape shape_;
  SlabPool* pool_;
  std::vector<AlignedBuffer<float>> slabs_;
  std::vector<Block> blocks_;      // in slabs_
  std::vector<std::size_t> free_;  // with room for all of blocks_
  std::vector<Row> table_, spare_;
  Index rows_ = 0;  // of table_ that are in use
};

}  // namespace eigenformer::inline v0
