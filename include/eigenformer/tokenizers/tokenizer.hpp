// SPDX-License-Identifier: MIT
/// What a pipeline sees of a tokenizer: text to ids and back.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// What becomes of special tokens (eos, padding, unknown) when ids become text.
enum class SpecialTokens {
  skip,  ///< they leave no trace
  keep,  ///< they are written as they are called
};

/// Text to ids and back. Implementations are const and safe to use from any number of threads.
class Tokenizer {
 public:
  Tokenizer() = default;
  virtual ~Tokenizer() = default;

  /// The ids of a text as the model wants its input: with eos, or what else belongs to it. Any
  /// bytes are a text; what is not UTF-8 becomes U+FFFD. Throws Error(invalid_argument) where the
  /// text is over LoadLimits::text_bytes.
  virtual std::vector<TokenId> encode(std::string_view text) const = 0;

  /// The text of ids as the model gives them; special tokens are left out. Throws
  /// Error(out_of_range) for an id that the tokenizer does not know.
  virtual std::string decode(std::span<const TokenId> ids) const = 0;

  /// What an id that the model gives stands for, as the vocabulary writes it ("▁Hello"); valid as
  /// long as the tokenizer. Throws Error(out_of_range).
  virtual std::string_view piece_text(TokenId id) const = 0;

  /// Whether an id that the model gives begins a word. Throws Error(out_of_range).
  virtual bool begins_word(TokenId id) const = 0;

  /// Whether decode leaves the id out.
  virtual bool is_special(TokenId id) const = 0;

 protected:
  Tokenizer(const Tokenizer&) = default;
  Tokenizer& operator=(const Tokenizer&) = default;
};

}  // namespace eigenformer::inline v0
