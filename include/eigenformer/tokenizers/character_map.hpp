// SPDX-License-Identifier: MIT
/// SentencePiece's compiled normalisation rules: a double-array trie
/// (github.com/s-yata/darts-clone) of the texts to replace, and the replacements, each ended by a
/// NUL. The trie comes from a file and is checked whole before the first step in it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"

namespace eigenformer::inline v0 {

/// The rules of one model. The blob must outlive the map.
class CharacterMap {
 public:
  /// What the beginning of a text becomes.
  struct Match {
    std::size_t length = 0;  ///< bytes of the text; 0: no rule begins here
    std::string_view replacement;
  };

  /// No rules.
  CharacterMap() = default;

  /// `blob`: 4 bytes with the trie's size, the trie, the replacements; `place` names it in errors.
  /// Throws Error(format).
  CharacterMap(std::string_view blob, const std::string& place) {
    if (blob.empty()) return;
    split(blob, place);
    check_units(place);
    check_walks(place);
    const std::uint32_t base = offset(unit(0));
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      first_[byte] = label(unit(base ^ byte)) == byte;
    }
  }

  /// Whether a rule's text may begin with that byte.
  bool has_first(char byte) const { return first_[static_cast<unsigned char>(byte)]; }

  /// The longest rule that the text begins with.
  Match find(std::string_view text) const {
    Match match;
    if (text.empty() || !has_first(text[0])) return match;
    std::uint32_t node = offset(unit(0));
    std::uint32_t place = none;
    std::size_t found = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      node ^= byte;
      const std::uint32_t here = unit(node);
      if (label(here) != byte) break;
      node ^= offset(here);
      if (!has_leaf(here)) continue;
      match.length = i + 1;
      place = value(unit(node));
      // The original looks at no more rules than this; its own compiler makes no deeper ones.
      if (++found == most_prefixes) break;
    }
    if (place != none) match.replacement = replacements_.data() + place;
    return match;
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;
  static constexpr std::size_t most_prefixes = 32;

  // The parts of a unit. A value's label is above 255, so that no byte leads to it.
  static std::uint32_t label(std::uint32_t unit) { return unit & 0x800000FF; }
  static bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
  static std::uint32_t offset(std::uint32_t unit) { return unit >> 10 << ((unit & 0x200) >> 6); }
  static std::uint32_t value(std::uint32_t unit) { return unit & 0x7FFFFFFF; }
  static bool is_value(std::uint32_t unit) { return unit >> 31 != 0; }

  std::uint32_t unit(std::uint32_t index) const {
    std::uint32_t out = 0;  // the blob is at any address
    std::memcpy(&out, trie_.data() + std::size_t{index} * 4, 4);
    return out;
  }

  static Error error(const std::string& place, const std::string& text) {
    return Error(ErrorCode::format, place + ": " + text);
  }

  void split(std::string_view blob, const std::string& place) {
    if (blob.size() <= 4) {
      throw error(place, std::to_string(blob.size()) + " bytes are too few for rules");
    }
    std::uint32_t size = 0;
    std::memcpy(&size, blob.data(), 4);
    blob.remove_prefix(4);
    if (size < 1024 || size % 1024 != 0 || size >= blob.size()) {
      throw error(place, "a trie of " + std::to_string(size) + " bytes in " +
                             std::to_string(blob.size()) +
                             ", expected a multiple of 1024, and replacements after it");
    }
    trie_ = blob.substr(0, size);
    replacements_ = blob.substr(size);
    units_ = size / 4;
    if (replacements_.back() != '\0') {
      throw error(place, "the replacements do not end with a NUL");
    }
  }

  /// Every unit leads into the trie, whatever byte follows, and every value into the replacements.
  void check_units(const std::string& place) const {
    const auto leads_out = [&](std::uint32_t index) {
      return ((index ^ offset(unit(index))) | 0xFF) >= units_;
    };
    const auto fail = [&](std::uint32_t index, const std::string& what) {
      throw error(place, "unit " + std::to_string(index) + " of the trie " + what);
    };
    if (label(unit(0)) != 0 || has_leaf(unit(0)) || offset(unit(0)) == 0 || leads_out(0)) {
      fail(0, "is not a root");
    }
    for (std::uint32_t i = 1; i < units_; ++i) {
      const std::uint32_t here = unit(i);
      if (is_value(here)) {
        if (value(here) >= replacements_.size()) fail(i, "leads out of the replacements");
      } else if (leads_out(i)) {
        fail(i, "leads out of the trie");
      } else if (has_leaf(here) && !is_value(unit(i ^ offset(here)))) {
        fail(i, "has no value where one should be");
      }
    }
  }

  /// The trie ends: no walk from the root comes back to where it was. Units with the same children
  /// share them, so a walk is one over the places of children.
  void check_walks(const std::string& place) const {
    // Of each place, the units that are its children, as chains.
    std::vector<std::uint32_t> first(units_, none), next(units_, none);
    for (std::uint32_t i = 0; i < units_; ++i) {
      if (is_value(unit(i))) continue;
      const std::uint32_t parent = i ^ label(unit(i));
      next[i] = std::exchange(first[parent], i);
    }
    const auto each_child = [&](std::uint32_t parent, auto visit) {
      for (std::uint32_t i = first[parent]; i != none; i = next[i]) visit(i ^ offset(unit(i)));
    };
    std::vector<std::uint32_t> reached = {offset(unit(0))};
    std::vector<std::uint32_t> entries(units_, 0);  // ways into a place from places reached
    for (std::size_t at = 0; at < reached.size(); ++at) {
      each_child(reached[at], [&](std::uint32_t child) {
        if (entries[child]++ == 0 && child != reached[0]) reached.push_back(child);
      });
    }
    // Taken off from the root on, all places go, unless some of them lie on a ring.
    std::size_t gone = 0;
    std::vector<std::uint32_t> free;
    if (entries[reached[0]] == 0) free.push_back(reached[0]);
    while (!free.empty()) {
      const std::uint32_t parent = free.back();
      free.pop_back();
      ++gone;
      each_child(parent, [&](std::uint32_t child) {
        if (--entries[child] == 0) free.push_back(child);
      });
    }
    if (gone != reached.size()) throw error(place, "the trie leads in a ring");
  }

  std::string_view trie_;
  std::string_view replacements_;
  std::uint32_t units_ = 0;
  bool first_[256] = {};
};

}  // namespace eigenformer::inline v0
