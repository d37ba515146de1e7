// SPDX-License-Identifier: MIT
/// Decoding: from a session and the beginnings of its targets to hypotheses.
#pragma once

#include <vector>

#include "eigenformer/generation/options.hpp"
#include "eigenformer/generation/result.hpp"
#include "eigenformer/models/interfaces.hpp"
#if EIGENFORMER_DEFINES(EIGENFORMER_PART_GENERATION)
#include "eigenformer/generation/beam_search.hpp"
#include "eigenformer/generation/greedy.hpp"
#endif

namespace eigenformer::inline v0 {

/// Continues the rows of `session`, which is new and has one for each prompt. An input's answers do
/// not depend on the others. One beam is a greedy search, or sampling. Throws
/// Error(invalid_argument) for options out of range, Error(out_of_range) for ids outside the
/// vocabulary and prompts longer than the model's positions, and what the hooks throw.
std::vector<Generated> generate(DecodingSession& session, const Prompts& prompts,
                                const GenerationOptions& options,
                                const GenerationHooks& hooks = {});

#if EIGENFORMER_DEFINES(EIGENFORMER_PART_GENERATION)
EIGENFORMER_INLINE std::vector<Generated> generate(DecodingSession& session, const Prompts& prompts,
                                                   const GenerationOptions& options,
                                                   const GenerationHooks& hooks) {
  const Profile::Scope scope(session.context().profile(), {"generation"});
  expect_range(prompts.batch.sequences(), session.rows(), session.rows(), "generate: prompts");
  prompts.expect_whole();
  if (options.beam_size.value_or(1) > 1) {
    return BeamSearch(session, options, hooks).run(prompts);
  }
  return GreedySearch(session, options, hooks).run(prompts);
}

#endif

}  // namespace eigenformer::inline v0
