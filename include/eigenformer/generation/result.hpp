// SPDX-License-Identifier: MIT
/// What decoding takes besides options, and what it gives.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "eigenformer/core/batch.hpp"
#include "eigenformer/core/shape.hpp"

namespace eigenformer::inline v0 {

/// Why a sequence ended.
enum class FinishReason {
  stop,          ///< its last token is a stop token
  length,        ///< it is as long as the options, or the model's positions, allow
  cancelled,     ///< the caller's callback said so
  not_a_number,  ///< the model's next logits had a NaN or an infinity: the tokens before are good
  no_candidate,  ///< the rules forbid every token
};

constexpr const char* name(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop: return "stop";
    case FinishReason::length: return "length";
    case FinishReason::cancelled: return "cancelled";
    case FinishReason::not_a_number: return "not_a_number";
    case FinishReason::no_candidate: return "no_candidate";
  }
  return "unknown";
}

/// One answer to an input.
struct Hypothesis {
  std::vector<TokenId> tokens;  ///< generated ones, without the prompt; a stop token included
  /// [tokens]: the model's, before any rule; under beams after the rules, as they are searched by.
  std::vector<float> log_probabilities;
  float score = 0.0f;  ///< sum of log_probabilities / tokens^length_penalty
  FinishReason finish = FinishReason::stop;
};

/// All answers to an input, best first. There are fewer than asked for where the vocabulary has no
/// more, and one, with the reason in `finish`, where the search ended early.
struct Generated {
  std::vector<Hypothesis> hypotheses;
};

/// The beginnings of the targets: for an encoder-decoder the start token and, where a target has to
/// begin in a certain way, its first tokens.
struct Prompts {
  std::span<const TokenId> tokens;  ///< stacked
  const Batch& batch;               ///< a sequence of 1 token and more for each row of the session
  /// Which input each is, for its random numbers; empty: 0, 1, 2, ...
  std::span<const std::uint64_t> numbers = {};

  /// Throws Error(invalid_argument) unless there are as many tokens and numbers as the batch says.
  void expect_whole() const {
    expect_range(std::ssize(tokens), batch.tokens(), batch.tokens(), "Prompts: tokens");
    if (numbers.empty()) return;
    expect_range(std::ssize(numbers), batch.sequences(), batch.sequences(), "Prompts: numbers");
  }

  std::span<const TokenId> of(Index input) const {
    return tokens.subspan(static_cast<std::size_t>(batch.begin(input)),
                          static_cast<std::size_t>(batch.length(input)));
  }
  std::uint64_t number(Index input) const {
    return numbers.empty() ? static_cast<std::uint64_t>(input)
                           : numbers[static_cast<std::size_t>(input)];
  }
};

/// A token just chosen.
struct GenerationStep {
  Index input;       ///< its place in the prompts
  Index hypothesis;  ///< 0, or which of several samples
  /// All generated so far; under beams those of the best running beam, which may change.
  std::span<const TokenId> tokens;
  float log_probability;  ///< of the last one, as in Hypothesis
};

enum class AfterStep { go_on, cancel };

/// The next token's logits of a row, after the rules and before the sampling filters; under beams
/// log-probabilities.
struct NextLogits {
  Index input;
  std::span<const TokenId> tokens;  ///< the prompt, then what has been generated
  std::span<float> logits;          ///< [vocab], to be changed at will
};

/// Calls into the caller's code, on the thread that decodes. What they throw ends the decoding.
struct GenerationHooks {
  std::function<void(const NextLogits&)> change_logits = {};
  std::function<AfterStep(const GenerationStep&)> on_step = {};  ///< once a step and running input
};

}  // namespace eigenformer::inline v0
