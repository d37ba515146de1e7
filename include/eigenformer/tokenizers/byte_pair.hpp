// SPDX-License-Identifier: MIT
/// SentencePiece's byte-pair segmentation (bpe_model.cc of 0.2.3): characters are joined, neighbour
/// to neighbour, the best score first and then the leftmost.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eigenformer/core/types.hpp"
#include "eigenformer/tokenizers/piece_table.hpp"
#include "eigenformer/tokenizers/unigram.hpp"

namespace eigenformer::inline v0 {

/// Cuts text into pieces. The table must outlive it.
class BytePairSegmenter {
 public:
  explicit BytePairSegmenter(const PieceTable& table) : table_(&table) {}

  /// Calls sink(PieceSpan) for the pieces of a normal text of fewer than 2 GiB, in order; they
  /// cover it.
  template <class Sink>
  void segment(std::string_view text, Sink sink) const {
    Work work{text,
              std::vector<std::uint32_t>(text.size()),
              std::vector<std::uint32_t>(text.size()),
              {},
              {},
              {}};
    split(work);
    work.first.reserve(text.size());
    for (std::uint32_t left = 0; left < text.size(); left += length(work, left)) {
      if (const Join join = find_join(work, left); join.length != 0) work.first.push_back(join);
    }
    // Most joins are known before the first is made: sorting them is cheaper than a large heap.
    std::sort(work.first.begin(), work.first.end());
    join_all(work);
    for (std::uint32_t begin = 0; begin < text.size(); begin += length(work, begin)) {
      hand_out(work, begin, sink);
    }
  }

 private:
  /// Two neighbours that would be a piece.
  struct Join {
    std::uint64_t order;   ///< the greatest goes first; its low half is ~the left one's begin
    std::uint32_t length;  ///< of both; 0: no join

    std::uint32_t left() const { return ~static_cast<std::uint32_t>(order); }
    bool operator<(const Join& other) const { return order < other.order; }
  };

  /// A text, cut into symbols that grow. They are known by the byte that they begin at.
  struct Work {
    std::string_view text;
    std::vector<std::uint32_t> lengths;  ///< by the first byte; 0: no symbol begins here
    std::vector<std::uint32_t> begins;   ///< by the last byte
    std::vector<Join> first;             ///< ascending, so the last one goes first
    std::priority_queue<Join> later;     ///< those of symbols that grew
    /// Of unused pieces that came up, the bytes of the left of the two that they were joined from.
    std::unordered_map<TokenId, std::uint32_t> halves;
  };

  /// In a length: what the user defined is never joined.
  static constexpr std::uint32_t whole = 0x80000000;

  static std::uint32_t length(const Work& work, std::uint32_t begin) {
    return work.lengths[begin] & ~whole;
  }

  static void set_symbol(Work& work, std::uint32_t begin, std::uint32_t length) {
    work.lengths[begin] = length;
    work.begins[begin + (length & ~whole) - 1] = begin;
  }

  /// A number that grows with the score, and among equal ones falls from left to right.
  static std::uint64_t order(float score, std::uint32_t left) {
    const auto bits = std::bit_cast<std::uint32_t>(score);
    const std::uint32_t ascending = bits >> 31 != 0 ? ~bits : bits | 0x80000000;
    return std::uint64_t{ascending} << 32 | static_cast<std::uint32_t>(~left);
  }

  void split(Work& work) const {
    for (std::uint32_t begin = 0; begin < work.text.size(); begin += length(work, begin)) {
      const std::string_view rest = work.text.substr(begin);
      const std::size_t defined = table_->user_defined().longest_prefix(rest);
      set_symbol(work, begin,
                 defined != 0 ? static_cast<std::uint32_t>(defined) | whole
                              : static_cast<std::uint32_t>(character_length(rest)));
    }
  }

  /// The join of a symbol and the next one.
  Join find_join(Work& work, std::uint32_t left) const {
    constexpr Join nothing{0, 0};
    const std::uint32_t right = left + length(work, left);
    if (right >= work.text.size()) return nothing;
    if (((work.lengths[left] | work.lengths[right]) & whole) != 0) return nothing;
    const std::uint32_t both = work.lengths[left] + work.lengths[right];
    const TokenId id = table_->found().find(work.text.substr(left, both));
    if (id == PieceTrie::none) return nothing;
    if (table_->is_unused(id)) work.halves[id] = work.lengths[left];
    return {order((*table_)[id].score, left), both};
  }

  /// Takes the join that goes next; false where none is left.
  static bool take(Work& work, Join& join) {
    if (!work.first.empty() && (work.later.empty() || work.later.top() < work.first.back())) {
      join = work.first.back();
      work.first.pop_back();
      return true;
    }
    if (work.later.empty()) return false;
    join = work.later.top();
    work.later.pop();
    return true;
  }

  void join_all(Work& work) const {
    const auto add = [&](std::uint32_t left) {
      if (const Join join = find_join(work, left); join.length != 0) work.later.push(join);
    };
    for (Join join{0, 0}; take(work, join);) {
      const std::uint32_t left = join.left();
      const std::uint32_t right = left + work.lengths[left];
      // A symbol that grew meanwhile has other joins by now.
      if (work.lengths[left] == 0 || right - left >= join.length) continue;
      if (right - left + length(work, right) != join.length) continue;
      work.lengths[right] = 0;
      set_symbol(work, left, join.length);
      if (left > 0) add(work.begins[left - 1]);
      add(left);
    }
  }

  /// A symbol as a piece; an unused piece goes back to the two that it was joined from.
  template <class Sink>
  void hand_out(const Work& work, std::uint32_t begin, Sink& sink) const {
    constexpr std::uint32_t deepest = 100;  // the original's: from there on unused pieces stay
    std::vector<Part> parts;                // takes no memory until a piece goes back
    for (Part part{begin, length(work, begin), 0};;) {
      const TokenId id = table_->found().find(work.text.substr(part.begin, part.length));
      const bool goes_back = id != PieceTrie::none && table_->is_unused(id);
      const auto half = goes_back ? work.halves.find(id) : work.halves.end();
      if (goes_back && part.depth <= deepest && half != work.halves.end()) {
        const std::uint32_t left = half->second;
        parts.push_back({part.begin + left, part.length - left, part.depth + 1});
        part = {part.begin, left, part.depth + 1};
        continue;
      }
      const bool known = id != PieceTrie::none && (!goes_back || part.depth > deepest);
      sink(PieceSpan{part.begin, part.length, known ? id : table_->unknown()});
      if (parts.empty()) return;
      part = parts.back();
      parts.pop_back();
    }
  }

  struct Part {
    std::uint32_t begin;
    std::uint32_t length;
    std::uint32_t depth;
  };

  const PieceTable* table_;
};

}  // namespace eigenformer::inline v0
