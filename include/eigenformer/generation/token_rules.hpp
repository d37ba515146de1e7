// SPDX-License-Identifier: MIT
/// Which tokens may come next: the rules of transformers' logits processors, in their order.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "eigenformer/core/shape.hpp"
#include "eigenformer/generation/option_error.hpp"
#include "eigenformer/generation/options.hpp"

namespace eigenformer::inline v0 {

/// A row as rules see it.
struct RowHistory {
  std::span<const TokenId> tokens;  ///< the prompt, then what has been generated
  Index prompt;                     ///< tokens of the prompt
  Index end_length;                 ///< the length at which the row ends

  Index length() const { return static_cast<Index>(tokens.size()); }
  Index generated() const { return length() - prompt; }
};

/// What a rule does to a token's logit.
enum class TokenEdit {
  penalized,  ///< repetition_penalty
  forbidden,  ///< -infinity
};

struct EditedToken {
  TokenId token;
  TokenEdit edit;
};

/// Rules touch few tokens of a row. edits() names them, so that a search need not write all logits;
/// apply() is the same over a row that is written.
class TokenRules {
 public:
  static constexpr float never = -std::numeric_limits<float>::infinity();

  /// Throws Error(invalid_argument) that names the option.
  TokenRules(const GenerationOptions& options, Index vocab)
      : vocab_(vocab),
        penalty_(options.repetition_penalty.value_or(1.0f)),
        ngram_(options.no_repeat_ngram_size.value_or(0)),
        min_length_(options.min_length.value_or(0)),
        min_new_tokens_(options.min_new_tokens.value_or(0)),
        stop_(tokens_of(options.stop_tokens, "stop_tokens")),
        suppressed_(tokens_of(options.suppress_tokens, "suppress_tokens")),
        begin_suppressed_(tokens_of(options.begin_suppress_tokens, "begin_suppress_tokens")),
        forced_end_(tokens_of(options.forced_eos_tokens, "forced_eos_tokens")) {
    if (!(penalty_ > 0.0f) || !std::isfinite(penalty_)) {
      throw option_error("repetition_penalty", "a finite number above 0", penalty_);
    }
    constexpr Index most = std::numeric_limits<std::int32_t>::max();
    expect_range(ngram_, 0, most, "no_repeat_ngram_size");
    expect_range(min_length_, 0, most, "min_length");
    expect_range(min_new_tokens_, 0, most, "min_new_tokens");
    if (options.forced_bos_token) {
      expect_range(*options.forced_bos_token, 0, vocab - 1, "forced_bos_token");
      forced_first_.push_back(*options.forced_bos_token);
    }
    for (const auto& word : options.bad_words.value_or(std::vector<std::vector<TokenId>>())) {
      expect_range(static_cast<Index>(word.size()), 1, most, "bad_words: tokens of a word");
      for (const TokenId token : word) expect_range(token, 0, vocab - 1, "bad_words");
      const bool is_stop = word.size() == 1 && contains(stop_, word[0]);
      if (!is_stop) bad_words_.push_back(word);
    }
  }

  /// The tokens of which one must come next, with a logit of 0 and in ascending order, or nothing.
  /// A token that is both forced and suppressed leaves the row without a candidate.
  std::span<const TokenId> forced(const RowHistory& row) const {
    if (row.length() == row.end_length - 1 && !forced_end_.empty()) return forced_end_;
    if (row.length() == 1 && !forced_first_.empty()) return forced_first_;
    return {};
  }
  /// Whether a forced token is suppressed.
  bool suppressed(const RowHistory& row, TokenId token) const {
    return contains(suppressed_, token) || (begins(row) && contains(begin_suppressed_, token));
  }

  /// Appends what changes where nothing is forced: each token once, ascending.
  void edits(const RowHistory& row, std::vector<EditedToken>& out) const {
    const auto first = static_cast<std::ptrdiff_t>(out.size());
    const auto forbid = [&](TokenId token) { out.push_back({token, TokenEdit::forbidden}); };
    if (penalty_ != 1.0f) {
      for (const TokenId token : row.tokens) out.push_back({token, TokenEdit::penalized});
    }
    find_ngrams(row.tokens, forbid);
    for (const auto& word : bad_words_) {
      if (ends_with(row.tokens, std::span(word).first(word.size() - 1))) forbid(word.back());
    }
    if (row.length() < min_length_ || row.generated() < min_new_tokens_) {
      std::for_each(stop_.begin(), stop_.end(), forbid);
    }
    std::for_each(suppressed_.begin(), suppressed_.end(), forbid);
    if (begins(row)) std::for_each(begin_suppressed_.begin(), begin_suppressed_.end(), forbid);
    keep_strictest(out, first);
  }

  /// A logit after an edit.
  float edited(TokenEdit edit, float logit) const {
    if (edit == TokenEdit::forbidden) return never;
    return logit < 0.0f ? logit * penalty_ : logit / penalty_;
  }

  /// All of it on a row's logits [vocab].
  void apply(const RowHistory& row, std::span<float> logits) {
    const auto forced_tokens = forced(row);
    if (!forced_tokens.empty()) {
      std::fill(logits.begin(), logits.end(), never);
      for (const TokenId token : forced_tokens) {
        if (!suppressed(row, token)) logits[static_cast<std::size_t>(token)] = 0.0f;
      }
      return;
    }
    scratch_.clear();
    edits(row, scratch_);
    for (const auto& [token, edit] : scratch_) {
      float& logit = logits[static_cast<std::size_t>(token)];
      logit = edited(edit, logit);
    }
  }

 private:
  static bool contains(const std::vector<TokenId>& sorted, TokenId token) {
    return std::binary_search(sorted.begin(), sorted.end(), token);
  }
  static bool ends_with(std::span<const TokenId> tokens, std::span<const TokenId> end) {
    return end.size() <= tokens.size() &&
           std::equal(end.begin(), end.end(),
                      tokens.end() - static_cast<std::ptrdiff_t>(end.size()));
  }
  /// Sorted, each once.
  std::vector<TokenId> tokens_of(const std::optional<std::vector<TokenId>>& option,
                                 const char* name) const {
    std::vector<TokenId> tokens = option.value_or(std::vector<TokenId>());
    for (const TokenId token : tokens) expect_range(token, 0, vocab_ - 1, name);
    std::sort(tokens.begin(), tokens.end());
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    return tokens;
  }

  /// Whether the next token is the first that the model is free to choose.
  bool begins(const RowHistory& row) const {
    const bool after_forced = row.prompt <= 1 && !forced_first_.empty();
    return row.generated() == (after_forced ? 1 : 0);
  }
  /// function(token) for each that would complete an n-gram a second time.
  template <class Function>
  void find_ngrams(std::span<const TokenId> tokens, Function function) const {
    const auto n = static_cast<std::size_t>(ngram_);
    if (n == 0 || tokens.size() < n) return;
    const auto begun = tokens.last(n - 1);
    for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
      const auto ngram = tokens.subspan(i, n);
      if (std::equal(begun.begin(), begun.end(), ngram.begin())) function(ngram.back());
    }
  }
  /// Ids of other vocabularies go: a prompt may have some that the output does not.
  void keep_strictest(std::vector<EditedToken>& out, std::ptrdiff_t first) const {
    const auto begin = out.begin() + first;
    std::sort(begin, out.end(), [](const EditedToken& a, const EditedToken& b) {
      return a.token != b.token ? a.token < b.token : a.edit > b.edit;
    });
    const auto end = std::unique(begin, out.end(), [](const EditedToken& a, const EditedToken& b) {
      return a.token == b.token;
    });
    out.erase(end, out.end());
    while (static_cast<std::ptrdiff_t>(out.size()) > first && out.back().token >= vocab_) {
      out.pop_back();
    }
  }

  Index vocab_;
  float penalty_;
  Index ngram_, min_length_, min_new_tokens_;
  std::vector<TokenId> stop_, suppressed_, begin_suppressed_, forced_first_, forced_end_;
  std::vector<std::vector<TokenId>> bad_words_;
  std::vector<EditedToken> scratch_;
};

}  // namespace eigenformer::inline v0
