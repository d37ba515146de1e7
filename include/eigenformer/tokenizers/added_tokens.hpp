// SPDX-License-Identifier: MIT
/// Tokens that are cut out of a text before anything else looks at it, as transformers' tokenizers
/// do it with special and added tokens.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/types.hpp"
#include "eigenformer/tokenizers/piece_trie.hpp"

namespace eigenformer::inline v0 {

/// One of them.
struct AddedToken {
  std::string text;  ///< not empty
  TokenId id;
  bool special;  ///< decoding may leave it out
};

/// All of them, found by text, by id, and in a text. Of several with one text or one id, the last
/// one counts.
class AddedTokens {
 public:
  AddedTokens() = default;

  explicit AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
    std::vector<PieceTrie::Entry> entries;
    for (std::size_t i = tokens_.size(); i-- > 0;) {
      entries.push_back({tokens_[i].text, static_cast<std::int32_t>(i)});
      by_id_.push_back(i);
      first_[static_cast<unsigned char>(tokens_[i].text[0])] = true;
    }
    std::stable_sort(by_id_.begin(), by_id_.end(), [this](std::size_t a, std::size_t b) {
      return tokens_[a].id < tokens_[b].id;
    });
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.text < b.text; });
    const auto twins = std::unique(entries.begin(), entries.end(),
                                   [](const auto& a, const auto& b) { return a.text == b.text; });
    entries.erase(twins, entries.end());
    trie_ = PieceTrie(entries);
  }

  /// The token with that text, or null; so long as this lives.
  const AddedToken* find(std::string_view text) const {
    const std::int32_t index = trie_.find(text);
    return index == PieceTrie::none ? nullptr : &tokens_[static_cast<std::size_t>(index)];
  }

  const AddedToken* find(TokenId id) const {
    const auto at =
        std::lower_bound(by_id_.begin(), by_id_.end(), id,
                         [this](std::size_t i, TokenId wanted) { return tokens_[i].id < wanted; });
    return at != by_id_.end() && tokens_[*at].id == id ? &tokens_[*at] : nullptr;
  }

  /// A text taken apart: calls between(text) for what is not a token, and token(AddedToken) for
  /// what is. The leftmost token counts, and of several that begin there the longest.
  template <class Between, class Token>
  void split(std::string_view text, Between between, Token token) const {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length =
          first_[static_cast<unsigned char>(text[at])] ? trie_.longest_prefix(text.substr(at)) : 0;
      if (length == 0) {
        ++at;
        continue;
      }
      if (at > begin) between(text.substr(begin, at - begin));
      token(*find(text.substr(at, length)));
      begin = at += length;
    }
    if (begin < text.size()) between(text.substr(begin));
  }

 private:
  std::vector<AddedToken> tokens_;
  std::vector<std::size_t> by_id_;  ///< sorted by id
  PieceTrie trie_;
  std::array<bool, 256> first_{};
};

}  // namespace eigenformer::inline v0
