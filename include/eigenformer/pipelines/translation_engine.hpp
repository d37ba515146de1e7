// SPDX-License-Identifier: MIT
/// What is behind a Translator: segments in batches, batches on threads.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/generation/plan.hpp"
#include "eigenformer/generation/sampling.hpp"
#include "eigenformer/generation/token_rules.hpp"
#include "eigenformer/pipelines/batches.hpp"
#include "eigenformer/pipelines/context_pool.hpp"
#include "eigenformer/pipelines/segments.hpp"
#include "eigenformer/pipelines/sentence_translator.hpp"
#include "eigenformer/pipelines/translation.hpp"
#include "eigenformer/tokenizers/marian_tokenizer.hpp"

namespace eigenformer::inline v0 {

/// A model with its tokenizer, and contexts for any number of callers.
class TranslationEngine {
 public:
  /// Throws Error(invalid_argument) for options out of range.
  TranslationEngine(OpenedModel opened, MarianTokenizer tokenizer, const TranslatorOptions& options)
      : opened_(std::move(opened)),
        tokenizer_(std::move(tokenizer)),
        options_(options),
        threads_(options.executor ? nullptr : std::make_unique<ThreadPool>(options.threads)),
        contexts_(options.executor ? *options.executor : *threads_, options.isa, options.profile) {
    expect_range(contexts_.threads(), 1, Index{1} << 20, "workers of the executor");
  }

  const OpenedModel& opened() const { return opened_; }
  const MarianTokenizer& tokenizer() const { return tokenizer_; }

  Segmenter segmenter() const {
    return Segmenter(tokenizer_, options_.split, opened_.model->longest());
  }

  /// Options with what the folder says, and checked: wrong ones are wrong for no texts, too.
  TranslationOptions with_defaults(const TranslationOptions& options) const {
    TranslationOptions out = options;
    out.generation = options.generation.or_from(opened_.defaults);
    if (!out.generation.max_length && !out.generation.max_new_tokens) {
      out.generation.max_new_tokens = opened_.model->longest();
    }
    const GenerationPlan plan(out.generation, opened_.model->target_vocab());
    const TokenRules rules(out.generation, opened_.model->target_vocab());
    if (plan.sample) sampling::settings_of(out.generation);
    expect_range(*out.generation.start_token, 0, opened_.model->target_vocab() - 1, "start_token");
    return out;
  }

  /// Every segment's translation, in their order.
  std::vector<TranslatedSentence> translate(std::vector<Segment>& segments,
                                            const TranslationOptions& given) const {
    const TranslationOptions options = with_defaults(given);
    const SentenceTranslator translate_batch(*opened_.model, tokenizer_, options);
    std::vector<TranslatedSentence> out(segments.size());
    std::vector<std::size_t> full;
    std::vector<Index> lengths;
    for (std::size_t s = 0; s < segments.size(); ++s) {
      if (segments[s].source.empty()) {
        out[s].separator = std::move(segments[s].separator);
      } else {
        full.push_back(s);
        lengths.push_back(static_cast<Index>(segments[s].tokens.size()));
      }
    }
    const auto batches = batches_by_tokens(lengths, options_.batch_tokens, contexts_.threads());
    contexts_.for_each(batches.size(), [&](std::size_t b, Context& context) {
      std::vector<Segment*> batch;
      for (const std::size_t i : batches[b]) batch.push_back(&segments[full[i]]);
      std::vector<TranslatedSentence> sentences = translate_batch(batch, context);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        out[full[batches[b][i]]] = std::move(sentences[i]);
      }
    });
    return out;
  }

  /// One segment's, step by step; `options` as with_defaults() gives them.
  TranslatedSentence translate_one(Segment& segment, const TranslationOptions& options,
                                   const OnStep& on_step) const {
    if (segment.source.empty()) {
      TranslatedSentence out;
      out.separator = std::move(segment.separator);
      return out;
    }
    const FloatingPointGuard guard;
    const SentenceTranslator translate_batch(*opened_.model, tokenizer_, options);
    Segment* const only = &segment;
    const auto context = contexts_.on_all_threads();
    return std::move(translate_batch(std::span(&only, 1), *context, on_step)[0]);
  }

 private:
  OpenedModel opened_;
  MarianTokenizer tokenizer_;
  TranslatorOptions options_;
  std::unique_ptr<ThreadPool> threads_;  ///< nullptr: the caller has an executor
  mutable ContextPool contexts_;
};

}  // namespace eigenformer::inline v0
