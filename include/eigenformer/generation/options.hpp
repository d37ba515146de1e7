// SPDX-License-Identifier: MIT
/// What a caller may ask of decoding. Meanings and defaults are those of transformers' generate(),
/// names mostly: beam_size is num_beams there, hypotheses num_return_sequences.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// When a beam search is done with an input.
enum class EarlyStopping {
  heuristic,  ///< no running beam, at its present length, beats the worst finished one ("false")
  first,      ///< as soon as beam_size hypotheses are finished ("true")
  never,      ///< no running beam can beat the worst finished one at any length ("never")
};

/// Options of decoding. What is unset comes from the model's folder, else it is as stated here.
struct GenerationOptions {
  // Length.
  std::optional<Index> max_new_tokens = {};  ///< generated, 1 up; goes before max_length
  std::optional<Index> max_length = {};      ///< prompt + generated, 1 up; prompt + 20
  std::optional<Index> min_new_tokens = {};  ///< generated before an end token, 0 up; 0
  std::optional<Index> min_length = {};      ///< prompt + generated before an end token, 0 up; 0

  // Search.
  std::optional<Index> beam_size = {};               ///< 1 (greedy, or sampling) to 1,024; 1
  std::optional<Index> hypotheses = {};              ///< returned for an input, 1 to beam_size; 1
  std::optional<EarlyStopping> early_stopping = {};  ///< of beams; heuristic
  std::optional<float> length_penalty = {};  ///< score = sum of log-probabilities / length^it; 1

  // Which tokens may come next.
  std::optional<float> repetition_penalty = {};    ///< divides logits of tokens seen, above 0; 1
  std::optional<Index> no_repeat_ngram_size = {};  ///< 0: any n-gram may repeat; 0
  std::optional<std::vector<std::vector<TokenId>>> bad_words = {};  ///< never complete one of these
  std::optional<std::vector<TokenId>> suppress_tokens = {};         ///< never one of these
  std::optional<std::vector<TokenId>> begin_suppress_tokens = {};   ///< not as the first token
  std::optional<TokenId> forced_bos_token = {};  ///< the first one after a prompt of one
  std::optional<std::vector<TokenId>> forced_eos_tokens = {};  ///< where max_length ends

  // Sampling: draws instead of taking the likeliest. Filters apply in this order.
  std::optional<bool> sample = {};        ///< whether to draw; false
  std::optional<float> temperature = {};  ///< divides logits, above 0; 1
  std::optional<Index> top_k = {};        ///< keeps the k likeliest; 0: all; 50
  std::optional<float> top_p = {};        ///< keeps the likeliest of this mass, 0 to 1; 1
  std::optional<float> min_p = {};  ///< keeps those above this share of the likeliest, 0 to 1; 0
  std::optional<float> typical_p = {};  ///< keeps the most typical of this mass, above 0 to 1; 1
  std::optional<float> epsilon_cutoff = {};  ///< keeps probabilities from this up, 0 to 1; 0
  std::optional<float> eta_cutoff = {};      ///< the same, lowered where entropy is high, 0 to 1; 0
  std::optional<std::uint64_t> seed = {};    ///< of the draws: equal seeds, equal draws; 0

  // Tokens with a meaning.
  std::optional<std::vector<TokenId>> stop_tokens = {};  ///< end a sequence ("eos_token_id"); none
  std::optional<TokenId> start_token = {};  ///< begins each target; encoder-decoders need it
  std::optional<TokenId> pad_token = {};    ///< in batches of other programs; unused here

  /// The options, with what they leave unset from `folder`.
  GenerationOptions or_from(const GenerationOptions& folder) const;
};

inline GenerationOptions GenerationOptions::or_from(const GenerationOptions& folder) const {
  GenerationOptions out = *this;
  const auto take = [](auto& mine, const auto& theirs) {
    if (!mine) mine = theirs;
  };
  // A caller's limit of one kind goes before the folder's of the other.
  if (!max_new_tokens && !max_length) {
    out.max_new_tokens = folder.max_new_tokens;
    out.max_length = folder.max_length;
  }
  take(out.min_new_tokens, folder.min_new_tokens);
  take(out.min_length, folder.min_length);
  take(out.beam_size, folder.beam_size);
  take(out.hypotheses, folder.hypotheses);
  take(out.early_stopping, folder.early_stopping);
  take(out.length_penalty, folder.length_penalty);
  take(out.repetition_penalty, folder.repetition_penalty);
  take(out.no_repeat_ngram_size, folder.no_repeat_ngram_size);
  take(out.bad_words, folder.bad_words);
  take(out.suppress_tokens, folder.suppress_tokens);
  take(out.begin_suppress_tokens, folder.begin_suppress_tokens);
  take(out.forced_bos_token, folder.forced_bos_token);
  take(out.forced_eos_tokens, folder.forced_eos_tokens);
  take(out.sample, folder.sample);
  take(out.temperature, folder.temperature);
  take(out.top_k, folder.top_k);
  take(out.top_p, folder.top_p);
  take(out.min_p, folder.min_p);
  take(out.typical_p, folder.typical_p);
  take(out.epsilon_cutoff, folder.epsilon_cutoff);
  take(out.eta_cutoff, folder.eta_cutoff);
  take(out.seed, folder.seed);
  take(out.stop_tokens, folder.stop_tokens);
  take(out.start_token, folder.start_token);
  take(out.pad_token, folder.pad_token);
  return out;
}

}  // namespace eigenformer::inline v0
