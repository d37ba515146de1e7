// SPDX-License-Identifier: MIT
/// How likely a model finds given targets, and the score that hypotheses are ordered by.
#pragma once

#include <vector>

#include "eigenformer/core/shape.hpp"
#include "eigenformer/generation/result.hpp"
#include "eigenformer/kernels/reference/math64.hpp"
#include "eigenformer/models/interfaces.hpp"

namespace eigenformer::inline v0 {

/// sum / tokens^length_penalty, as transformers divides; 0 for no tokens.
inline float hypothesis_score(float sum, Index tokens, float length_penalty) {
  if (tokens == 0) return 0.0f;
  return sum / static_cast<float>(kernels::reference::pow(static_cast<double>(tokens),
                                                          static_cast<double>(length_penalty)));
}

/// Targets to be scored.
struct Targets {
  std::span<const TokenId> tokens;  ///< stacked; a stop token, if it is to count, included
  const Batch& batch;               ///< a sequence for each prompt, empty ones allowed
};

/// The log-probability of each target token after its prompt and the tokens before it, [tokens of
/// all targets]. The session is new, with a row for each prompt. Throws Error(invalid_argument),
/// Error(out_of_range).
inline std::vector<float> score_targets(DecodingSession& session, const Prompts& prompts,
                                        const Targets& targets) {
  expect_range(targets.batch.sequences(), prompts.batch.sequences(), prompts.batch.sequences(),
               "score_targets: targets");
  prompts.expect_whole();
  expect_range(std::ssize(targets.tokens), targets.batch.tokens(), targets.batch.tokens(),
               "score_targets: target tokens");
  std::vector<TokenId> fed, followers;
  Batch batch;
  for (Index s = 0; s < prompts.batch.sequences(); ++s) {
    const auto prompt = prompts.of(s);
    expect_range(static_cast<Index>(prompt.size()), 1, session.longest(), "score_targets: prompt");
    std::vector<TokenId> whole(prompt.begin(), prompt.end());
    const auto begin = targets.tokens.begin() + targets.batch.begin(s);
    whole.insert(whole.end(), begin, begin + targets.batch.length(s));
    if (targets.batch.length(s) == 0) whole.push_back(0);  // fed is the prompt, scored for nobody
    fed.insert(fed.end(), whole.begin(), whole.end() - 1);
    followers.insert(followers.end(), whole.begin() + 1, whole.end());
    batch.add(static_cast<Index>(whole.size()) - 1);
  }
  session.advance(fed, batch);
  std::vector<float> all(followers.size()), scores;
  session.score(followers, all);
  for (Index s = 0; s < batch.sequences(); ++s) {
    const auto end = all.begin() + batch.end(s);
    if (targets.batch.length(s) > 0)
      scores.insert(scores.end(), end - targets.batch.length(s), end);
  }
  return scores;
}

}  // namespace eigenformer::inline v0
