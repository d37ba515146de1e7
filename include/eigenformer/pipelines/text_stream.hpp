// SPDX-License-Identifier: MIT
/// Text given out while its tokens come.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "eigenformer/generation/result.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/tokenizers/tokenizer.hpp"

namespace eigenformer::inline v0 {

/// Gives a sequence's text to `on_text` as far as no later token can change it.
class TextStream {
 public:
  /// Both outlive it. `on_text` is not called again after it has said cancel.
  TextStream(const Tokenizer& tokenizer, const std::function<AfterStep(std::string_view)>& on_text)
      : tokenizer_(tokenizer), on_text_(on_text) {}

  /// All tokens so far.
  AfterStep advance(std::span<const TokenId> tokens) {
    const std::string text = tokenizer_.decode(tokens);
    return send(std::string_view(text).substr(0, certain(text)));
  }

  /// The whole text of the sequence, whose tokens have ended: what is left of it is given out. The
  /// next token begins another sequence.
  AfterStep finish(std::string_view text) {
    send(text);
    sent_.clear();
    return answer_;
  }

 private:
  /// How much of a text stays as it is, whatever follows.
  static std::size_t certain(std::string_view text) {
    // Bytes of a character of which more may come.
    while (text.ends_with(io::replacement_character)) {
      text.remove_suffix(io::replacement_character.size());
    }
    // A decoder may yet take out the space before it: "do n ' t" becomes "don't".
    constexpr std::size_t longest = std::string_view(" n ' t").size();
    std::size_t at = text.size() - std::min(text.size(), longest);
    for (; (at = text.find(' ', at)) != std::string_view::npos; ++at) {
      if (may_become_suffix(text.substr(at))) return at;
    }
    return text.size();
  }

  static bool may_become_suffix(std::string_view text) {
    std::string letters;
    io::append_replacing(letters, text, " ", "");
    for (const std::string_view suffix : {"n't", "'ve", "'re", "'s", "'m"}) {
      if (suffix.starts_with(letters)) return true;
    }
    return false;
  }

  AfterStep send(std::string_view text) {
    if (answer_ == AfterStep::cancel || text.size() <= sent_.size()) return answer_;
    if (!text.starts_with(sent_)) return answer_;
    const std::string_view fresh = text.substr(sent_.size());
    answer_ = on_text_(fresh);
    sent_ += fresh;
    return answer_;
  }

  const Tokenizer& tokenizer_;
  const std::function<AfterStep(std::string_view)>& on_text_;
  std::string sent_;
  AfterStep answer_ = AfterStep::go_on;
};

}  // namespace eigenformer::inline v0
