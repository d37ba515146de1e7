// SPDX-License-Identifier: MIT
/// How a folder wants its model to decode: generation_config.json, or config.json's older keys.
#pragma once

#include <string>
#include <vector>

#include "eigenformer/generation/options.hpp"
#include "eigenformer/io/json_value.hpp"

namespace eigenformer::inline v0 {

namespace detail {

/// Reads keys of one JSON object; null means absent, as in published files.
class GenerationKeys {
 public:
  GenerationKeys(const io::Json& json, Index vocab) : json_(json), last_token_(vocab - 1) {}

  void read(const char* key, std::optional<Index>& out, Index least) const {
    if (const auto value = json_.find(key)) out = value->integer(least, most);
  }
  void read(const char* key, std::optional<float>& out, double least, double greatest) const {
    if (const auto value = json_.find(key)) {
      out = static_cast<float>(value->number(least, greatest));
    }
  }
  void read(const char* key, std::optional<bool>& out) const {
    if (const auto value = json_.find(key)) out = value->boolean();
  }
  void read(const char* key, std::optional<TokenId>& out) const {
    if (const auto value = json_.find(key)) out = token(*value);
  }
  /// One id, or an array of them.
  void read(const char* key, std::optional<std::vector<TokenId>>& out) const {
    if (const auto value = json_.find(key)) out = tokens(*value);
  }
  void read(const char* key, std::optional<std::vector<std::vector<TokenId>>>& out) const {
    const auto value = json_.find(key);
    if (!value) return;
    out.emplace();
    for (const io::Json& word : value->elements()) {
      if (word.elements().empty()) throw word.expected("a token or more");
      out->push_back(tokens(word));
    }
  }
  void read(const char* key, std::optional<EarlyStopping>& out) const {
    const auto value = json_.find(key);
    if (!value) return;
    if (value->kind() == io::JsonKind::string) {
      if (value->string() != "never") throw value->expected("true, false or \"never\"");
      out = EarlyStopping::never;
    } else {
      out = value->boolean() ? EarlyStopping::first : EarlyStopping::heuristic;
    }
  }
  /// Throws Error(unsupported) where a key that would change the output is set.
  void expect_neutral(const char* key, double neutral) const {
    const auto value = json_.find(key);
    if (!value) return;
    const bool number =
        value->kind() == io::JsonKind::integer || value->kind() == io::JsonKind::real;
    if (number && value->number(-1e300, 1e300) == neutral) return;
    if (value->kind() == io::JsonKind::boolean && !value->boolean()) return;
    if (value->kind() == io::JsonKind::array && value->elements().empty()) return;
    throw value->error(ErrorCode::unsupported,
                       "decoding has no " + std::string(key) + ", got " + value->description());
  }

 private:
  static constexpr Index most = 2147483647;

  TokenId token(const io::Json& value) const {
    return static_cast<TokenId>(value.integer(0, last_token_));
  }
  std::vector<TokenId> tokens(const io::Json& value) const {
    if (value.kind() != io::JsonKind::array) return {token(value)};
    std::vector<TokenId> out;
    for (const io::Json& element : value.elements()) out.push_back(token(element));
    return out;
  }

  const io::Json& json_;
  Index last_token_;
};

}  // namespace detail

/// Reads a generation_config.json, or the same keys of a config.json; ids are below `vocab`. Keys
/// that don't change the output are passed over. Throws Error(format), and Error(unsupported) for
/// ways of decoding that are not here.
inline GenerationOptions read_generation_config(const io::Json& json, Index vocab) {
  constexpr double huge = 3e38, tiny = 1e-30;
  const detail::GenerationKeys keys(json, vocab);
  GenerationOptions out;
  keys.read("max_new_tokens", out.max_new_tokens, 1);
  keys.read("max_length", out.max_length, 1);
  keys.read("min_new_tokens", out.min_new_tokens, 0);
  keys.read("min_length", out.min_length, 0);
  keys.read("num_beams", out.beam_size, 1);
  keys.read("num_return_sequences", out.hypotheses, 1);
  keys.read("early_stopping", out.early_stopping);
  keys.read("length_penalty", out.length_penalty, -huge, huge);
  keys.read("repetition_penalty", out.repetition_penalty, tiny, huge);
  keys.read("no_repeat_ngram_size", out.no_repeat_ngram_size, 0);
  keys.read("bad_words_ids", out.bad_words);
  keys.read("suppress_tokens", out.suppress_tokens);
  keys.read("begin_suppress_tokens", out.begin_suppress_tokens);
  keys.read("forced_bos_token_id", out.forced_bos_token);
  keys.read("forced_eos_token_id", out.forced_eos_tokens);
  keys.read("do_sample", out.sample);
  keys.read("temperature", out.temperature, 0, huge);
  keys.read("top_k", out.top_k, 0);
  keys.read("top_p", out.top_p, 0, 1);
  keys.read("min_p", out.min_p, 0, 1);
  keys.read("typical_p", out.typical_p, tiny, 1);
  keys.read("epsilon_cutoff", out.epsilon_cutoff, 0, 1);
  keys.read("eta_cutoff", out.eta_cutoff, 0, 1);
  keys.read("eos_token_id", out.stop_tokens);
  keys.read("decoder_start_token_id", out.start_token);
  keys.read("pad_token_id", out.pad_token);
  for (const char* const key :
       {"encoder_repetition_penalty", "num_beam_groups", "guidance_scale"}) {
    keys.expect_neutral(key, 1);
  }
  for (const char* const key :
       {"encoder_no_repeat_ngram_size", "diversity_penalty", "penalty_alpha", "sequence_bias",
        "constraints", "force_words_ids", "exponential_decay_length_penalty", "renormalize_logits",
        "watermarking_config", "dola_layers", "top_h"}) {
    keys.expect_neutral(key, 0);
  }
  return out;
}

}  // namespace eigenformer::inline v0
