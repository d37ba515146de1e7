// SPDX-License-Identifier: MIT
/// Segments to their translations, a batch at a time, on one context.
#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/generation/generate.hpp"
#include "eigenformer/pipelines/segments.hpp"
#include "eigenformer/pipelines/translation.hpp"
#include "eigenformer/tokenizers/marian_tokenizer.hpp"

namespace eigenformer::inline v0 {

/// Keeps the weights that a call asked for, and adds up those that an alignment is made from.
class TranslationWatcher final : public AttentionObserver {
 public:
  explicit TranslationWatcher(const TranslationOptions& options) : options_(options) {}

  bool wants(AttentionPlace place, Index head) const override {
    return (options_.alignment && place.kind == AttentionKind::cross) || keeps(place, head);
  }
  void observe(const AttentionRecord& record) override {
    const auto& [place, head, sequence, weights] = record;
    if (keeps(place, head)) kept_.push_back({place, head, Matrix<double>(weights)});
    if (!options_.alignment || place.kind != AttentionKind::cross) return;
    if (place.layer == last_layer_ && sum_.size() > 0) {
      sum_ += as_eigen(weights);
    } else {
      sum_ = Matrix<double>(weights);
      last_layer_ = place.layer;
    }
  }

  std::vector<AttentionMap>& kept() { return kept_; }
  /// Of all heads of the decoder's last layer, added: [target pieces, source pieces].
  const Matrix<double>& cross() const { return sum_; }

 private:
  bool keeps(AttentionPlace place, Index head) const {
    return options_.attention && options_.attention(place, head);
  }

  const TranslationOptions& options_;
  std::vector<AttentionMap> kept_;
  Matrix<double> sum_;
  Index last_layer_ = 0;
};

/// Called once a step and sentence, on the thread that decodes.
using OnStep = std::function<AfterStep(const GenerationStep&)>;

/// One call's way through a model. Any number of threads may use one, each with its own context.
class SentenceTranslator {
 public:
  /// All outlive it; options.generation has the model's own defaults.
  SentenceTranslator(const SequenceToSequenceModel& model, const MarianTokenizer& tokenizer,
                     const TranslationOptions& options)
      : model_(model), tokenizer_(tokenizer), options_(options) {}

  /// Segments of text, none empty -> what they become, in the same order. The steps' inputs are
  /// places in `segments`. Throws what generate() throws, and Error(cancelled).
  std::vector<TranslatedSentence> operator()(std::span<Segment* const> segments, Context& context,
                                             const OnStep& on_step = {}) const {
    const Profile::Scope scope(context.profile(), {"translation"});
    const std::vector<Generated> generated = generate(segments, context, on_step);
    std::vector<TranslatedSentence> out;
    for (std::size_t s = 0; s < segments.size(); ++s) {
      out.push_back(describe(*segments[s], generated[s]));
      const bool any = !generated[s].hypotheses.empty();
      if (any && (options_.alignment || options_.attention)) {
        expect_going_on();
        watch(segments[s]->tokens, generated[s].hypotheses[0].tokens, context, out.back());
      }
    }
    return out;
  }

 private:
  TokenId start_token() const { return *options_.generation.start_token; }

  std::vector<Generated> generate(std::span<Segment* const> segments, Context& context,
                                  const OnStep& on_step) const {
    expect_going_on();
    std::vector<TokenId> sources;
    std::vector<std::uint64_t> numbers;
    Batch batch, prompt_batch;
    for (const Segment* segment : segments) {
      sources.insert(sources.end(), segment->tokens.begin(), segment->tokens.end());
      batch.add(static_cast<Index>(segment->tokens.size()));
      prompt_batch.add(1);
      numbers.push_back(((options_.first_number + segment->text) << 20) + segment->number);
    }
    const std::vector<TokenId> prompts(segments.size(), start_token());
    const auto session = model_.start(sources, batch, context);
    GenerationHooks hooks;
    hooks.on_step = [&](const GenerationStep& step) {
      expect_going_on();
      return on_step ? on_step(step) : AfterStep::go_on;
    };
    return eigenformer::generate(*session, {prompts, prompt_batch, numbers}, options_.generation,
                                 hooks);
  }

  void expect_going_on() const {
    if (options_.cancelled && options_.cancelled()) {
      throw Error(ErrorCode::cancelled, "translate: the caller cancelled it");
    }
  }

  TranslatedSentence describe(Segment& segment, const Generated& generated) const {
    TranslatedSentence out;
    std::vector<Piece> pieces;
    for (const TokenId id : segment.tokens) {
      pieces.push_back(
          {tokenizer_.source_piece_text(id), tokenizer_.source_begins_word(id), is_no_word(id)});
      out.source_pieces.emplace_back(pieces.back().text);
    }
    const std::vector<std::string> unknown = unknown_parts(segment);
    for (std::size_t p = 0, next = 0; p < pieces.size() && next < unknown.size(); ++p) {
      if (segment.tokens[p] == tokenizer_.unknown()) pieces[p].text = unknown[next++];
    }
    out.source_words = words_of(pieces);
    for (const Hypothesis& hypothesis : generated.hypotheses) {
      pieces.clear();
      Alternative alternative{tokenizer_.decode(hypothesis.tokens),
                              {},
                              hypothesis.log_probabilities,
                              hypothesis.score,
                              hypothesis.finish};
      for (const TokenId id : hypothesis.tokens) {
        pieces.push_back({tokenizer_.piece_text(id), tokenizer_.begins_word(id), is_no_word(id)});
        alternative.pieces.emplace_back(pieces.back().text);
      }
      if (out.alternatives.empty()) out.words = words_of(pieces);
      out.alternatives.push_back(std::move(alternative));
    }
    out.source = std::move(segment.source);
    out.separator = std::move(segment.separator);
    return out;
  }

  /// What the vocabulary has no pieces for, in order.
  std::vector<std::string> unknown_parts(const Segment& segment) const {
    const auto& tokens = segment.tokens;
    const bool any = std::find(tokens.begin(), tokens.end(), tokenizer_.unknown()) != tokens.end();
    return any ? tokenizer_.unknown_source(segment.code + segment.source)
               : std::vector<std::string>();
  }

  /// What is unknown is part of a word; other special tokens are none.
  bool is_no_word(TokenId id) const {
    return tokenizer_.is_special(id) && id != tokenizer_.unknown();
  }

  /// The same translation once more, all its tokens at once, under a watcher: the same bits.
  void watch(std::span<const TokenId> source, std::span<const TokenId> target, Context& context,
             TranslatedSentence& out) const {
    if (target.empty()) return;
    TranslationWatcher watcher(options_);
    std::vector<TokenId> fed{start_token()};
    fed.insert(fed.end(), target.begin(), target.end() - 1);
    context.watch(watcher);
    try {
      const auto session = model_.start(source, Batch(static_cast<Index>(source.size())), context);
      session->advance(fed, Batch(static_cast<Index>(fed.size())));
    } catch (...) {
      context.unwatch();
      throw;
    }
    context.unwatch();
    out.attention = std::move(watcher.kept());
    if (options_.alignment) {
      out.alignment = align_words(watcher.cross(), out.source_words, out.words);
    }
  }

  const SequenceToSequenceModel& model_;
  const MarianTokenizer& tokenizer_;
  const TranslationOptions& options_;
};

}  // namespace eigenformer::inline v0
