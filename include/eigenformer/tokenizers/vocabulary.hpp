// SPDX-License-Identifier: MIT
/// A vocabulary as vocab.json has it: one object, texts to ids.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/types.hpp"
#include "eigenformer/io/json_value.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/tokenizers/piece_trie.hpp"

namespace eigenformer::inline v0 {

/// Texts and ids, found both ways. Moving it leaves its texts where they are.
class Vocabulary {
 public:
  /// The members of an object. Ids need not be dense; of several texts with one id, the last stands
  /// for it. Throws Error(format): not such an object, empty, or over the limits.
  Vocabulary(const io::Json& json, const io::LoadLimits& limits) {
    const io::JsonChildren members = json.members();
    const auto most = static_cast<std::size_t>(limits.vocabulary);
    if (members.empty() || members.size() > most) {
      throw json.error(ErrorCode::format, "a vocabulary of " + std::to_string(members.size()) +
                                              " entries, expected 1 to " + std::to_string(most) +
                                              " (LoadLimits::vocabulary)");
    }
    copy(members, limits);
    std::vector<PieceTrie::Entry> entries = by_id_;
    PieceTrie::sort(entries);  // JSON has no key twice
    by_text_ = PieceTrie(entries);
    std::stable_sort(by_id_.begin(), by_id_.end(),
                     [](const auto& a, const auto& b) { return a.value < b.value; });
  }

  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  /// The number of texts.
  Index size() const { return static_cast<Index>(by_id_.size()); }

  std::optional<TokenId> find(std::string_view text) const {
    const TokenId id = by_text_.find(text);
    if (id == PieceTrie::none) return std::nullopt;
    return id;
  }

  /// All texts, by ascending id.
  std::span<const PieceTrie::Entry> entries() const { return by_id_; }

  std::optional<std::string_view> find(TokenId id) const {
    const auto after =
        std::upper_bound(by_id_.begin(), by_id_.end(), id,
                         [](TokenId wanted, const auto& entry) { return wanted < entry.value; });
    if (after == by_id_.begin() || after[-1].value != id) return std::nullopt;
    return after[-1].text;
  }

 private:
  void copy(const io::JsonChildren& members, const io::LoadLimits& limits) {
    std::size_t bytes = 0;
    for (const io::Json& member : members) bytes += member.key().size();
    texts_.reserve(bytes);
    by_id_.reserve(members.size());
    for (const io::Json& member : members) {
      const std::string_view text = member.key();
      if (text.size() > limits.piece_bytes) {
        throw member.error(ErrorCode::format,
                           "a text of " + std::to_string(text.size()) + " bytes, the limit is " +
                               std::to_string(limits.piece_bytes) + " (LoadLimits::piece_bytes)");
      }
      const auto id = static_cast<TokenId>(member.integer(0, limits.vocabulary - 1));
      const char* place = texts_.data() + texts_.size();
      texts_.insert(texts_.end(), text.begin(), text.end());
      by_id_.push_back({{place, text.size()}, id});
    }
  }

  std::vector<char> texts_;  ///< back to back; never moved, reserved at once
  std::vector<PieceTrie::Entry> by_id_;
  PieceTrie by_text_;
};

}  // namespace eigenformer::inline v0
