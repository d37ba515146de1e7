// SPDX-License-Identifier: MIT
/// A prefix tree over texts: which of them does a text begin with? Nodes are numbered level by
/// level, so that the children of a node are neighbours, and so is all that is known of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {

/// Texts to numbers. A text of n bytes takes at most 9 n bytes, and is found in n steps.
class PieceTrie {
 public:
  /// A text, any bytes but at least one, and its number, 0 and up.
  struct Entry {
    std::string_view text;
    std::int32_t value;
  };

  using Node = std::uint32_t;
  static constexpr Node root = 0;

  PieceTrie() : nodes_(2, {1, none}) {}

  /// Of entries sorted by text, no text twice; fewer than 4 GiB of them.
  explicit PieceTrie(const std::vector<Entry>& entries) { build(entries); }

  /// Sorts entries for the constructor. A text that occurs twice then has itself as neighbour.
  static void sort(std::vector<Entry>& entries) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.text < b.text; });
  }

  /// The child that a byte leads to, or root where there is none.
  Node step(Node node, char byte) const {
    const auto label = static_cast<unsigned char>(byte);
    std::uint32_t first = nodes_[node].first_child;
    std::uint32_t count = nodes_[node + 1].first_child - first;
    while (count > 1) {
      const std::uint32_t half = count / 2;
      first += labels_[first + half] <= label ? half : 0;
      count -= half;
    }
    return count != 0 && labels_[first] == label ? first : root;
  }

  /// The number of the text that leads to a node, or none.
  std::int32_t value(Node node) const { return nodes_[node].value; }

  static constexpr std::int32_t none = -1;

  /// The number of a text, or none.
  std::int32_t find(std::string_view text) const {
    Node node = root;
    for (const char byte : text) {
      node = step(node, byte);
      if (node == root) return none;
    }
    return value(node);
  }

  /// Bytes of the longest of the texts that `text` begins with, or 0.
  std::size_t longest_prefix(std::string_view text) const {
    std::size_t longest = 0;
    Node node = root;
    for (std::size_t i = 0; i < text.size(); ++i) {
      node = step(node, text[i]);
      if (node == root) break;
      if (value(node) != none) longest = i + 1;
    }
    return longest;
  }

  /// Whether one of the texts begins with that byte.
  bool has_first(char byte) const { return step(root, byte) != root; }

  bool empty() const { return nodes_.size() <= 2; }

 private:
  struct Unit {
    std::uint32_t first_child;  ///< the last one is before the next node's first
    std::int32_t value;
  };

  /// The entries that share a node's text.
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };

  /// The root, and of each text the bytes that it does not share with the one before it.
  static std::size_t count_nodes(const std::vector<Entry>& entries) {
    std::size_t count = 1;
    std::string_view before;
    for (const Entry& entry : entries) {
      const std::size_t most = std::min(before.size(), entry.text.size());
      std::size_t shared = 0;
      while (shared < most && entry.text[shared] == before[shared]) ++shared;
      count += entry.text.size() - shared;
      before = entry.text;
    }
    return count;
  }

  void build(const std::vector<Entry>& entries) {
    std::vector<Range> level = {{0, static_cast<std::uint32_t>(entries.size())}};
    std::vector<Range> next;
    const std::size_t count = count_nodes(entries);
    nodes_.reserve(count + 1);
    labels_.reserve(count);
    std::uint32_t nodes = 1;
    labels_.push_back(0);  // the root has none
    for (std::size_t depth = 0; !level.empty(); ++depth) {
      for (Range range : level) {
        std::int32_t value = none;
        if (range.first < range.last && entries[range.first].text.size() == depth) {
          value = entries[range.first++].value;
        }
        nodes_.push_back({nodes, value});
        while (range.first < range.last) {
          const std::uint32_t begin = range.first;
          const char label = entries[begin].text[depth];
          while (range.first < range.last && entries[range.first].text[depth] == label) {
            ++range.first;
          }
          next.push_back({begin, range.first});
          labels_.push_back(static_cast<unsigned char>(label));
          ++nodes;
        }
      }
      level.swap(next);
      next.clear();
    }
    nodes_.push_back({nodes, none});
  }

  std::vector<Unit> nodes_;  ///< and one more, whose first child ends the last one's
  std::vector<unsigned char> labels_;
};

}  // namespace eigenformer::inline v0
