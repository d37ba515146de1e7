// SPDX-License-Identifier: MIT
/// Options with nothing left open, and checked.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "eigenformer/core/shape.hpp"
#include "eigenformer/generation/option_error.hpp"
#include "eigenformer/generation/options.hpp"

namespace eigenformer::inline v0 {

/// What a search does, for a vocabulary. TokenRules and Sampler read the rest of the options.
struct GenerationPlan {
  /// Throws Error(invalid_argument) that names the option, its range and what it is.
  GenerationPlan(const GenerationOptions& options, Index vocab)
      : max_new_tokens(options.max_new_tokens),
        max_length(options.max_length),
        beam_size(options.beam_size.value_or(1)),
        hypotheses(options.hypotheses.value_or(1)),
        early_stopping(options.early_stopping.value_or(EarlyStopping::heuristic)),
        length_penalty(options.length_penalty.value_or(1.0f)),
        sample(options.sample.value_or(false)),
        seed(options.seed.value_or(0)),
        stop_tokens(options.stop_tokens.value_or(std::vector<TokenId>())) {
    if (max_new_tokens) expect_range(*max_new_tokens, 1, most, "max_new_tokens");
    if (max_length) expect_range(*max_length, 1, most, "max_length");
    expect_range(beam_size, 1, 1024, "beam_size");
    const bool draws = sample && beam_size == 1;
    expect_range(hypotheses, 1, draws ? 1024 : beam_size, "hypotheses");
    if (!std::isfinite(length_penalty)) {
      throw option_error("length_penalty", "a finite number", length_penalty);
    }
    if (sample && beam_size > 1) {
      throw Error(ErrorCode::unsupported, "sample: expected beam_size 1, got " +
                                              std::to_string(beam_size) +
                                              ": beams that draw are not supported");
    }
    for (const TokenId token : stop_tokens) expect_range(token, 0, vocab - 1, "stop_tokens");
    std::sort(stop_tokens.begin(), stop_tokens.end());
    stop_tokens.erase(std::unique(stop_tokens.begin(), stop_tokens.end()), stop_tokens.end());
  }

  bool stops(TokenId token) const {
    return std::binary_search(stop_tokens.begin(), stop_tokens.end(), token);
  }

  /// The length at which a row ends, for a prompt of `prompt` tokens in a model of `longest`
  /// positions: the last token need not be fed to it any more.
  Index end_length(Index prompt, Index longest) const {
    if (max_new_tokens) return std::min(prompt + *max_new_tokens, longest + 1);
    if (max_length) return std::min(*max_length, longest + 1);
    return std::min(prompt + 20, longest);  // as transformers does where nobody says anything
  }

  static constexpr Index most = Index{1} << 40;  ///< of lengths

  std::optional<Index> max_new_tokens, max_length;
  Index beam_size;
  Index hypotheses;
  EarlyStopping early_stopping;
  float length_penalty;
  bool sample;
  std::uint64_t seed;
  std::vector<TokenId> stop_tokens;  ///< ascending, each once
};

}  // namespace eigenformer::inline v0
