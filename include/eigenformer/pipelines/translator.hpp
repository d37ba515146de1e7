// SPDX-License-Identifier: MIT
/// Text in, text out: a model's folder as a translator.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/models/interfaces.hpp"
#include "eigenformer/pipelines/translation.hpp"
#include "eigenformer/tokenizers/marian_tokenizer.hpp"
#if EIGENFORMER_DEFINES(EIGENFORMER_PART_PIPELINES)
#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/pipelines/text_stream.hpp"
#include "eigenformer/pipelines/translation_engine.hpp"
#endif

namespace eigenformer::inline v0 {

class TranslationEngine;

/// Translates by the model of a folder. What a text becomes depends on it and the options alone:
/// not on the texts beside it, the threads, or the batches. Any number of threads may call one.
class Translator {
 public:
  /// A folder as a hub has it: what open_model() and MarianTokenizer::load() read. Throws Error:
  /// what those throw, unsupported for a family without a tokenizer here, invalid_argument,
  /// out_of_memory also for threads that the system does not give.
  static Translator load(const std::string& folder, const TranslatorOptions& options = {});

  Translator(Translator&&) noexcept;
  Translator& operator=(Translator&&) noexcept;
  ~Translator();

  /// The text's translation, its sentences joined as they were. White space and what is empty stay
  /// as they are. Options that are unset come from the folder; a length that nobody sets ends at
  /// the model's positions; `hypotheses` is 1, whatever anybody sets. Throws Error:
  /// invalid_argument for options out of range and for what Split cuts off if it is over
  /// LoadLimits::text_bytes, not_a_number where a NaN or an infinity reaches the model's logits,
  /// out_of_memory; after any of them the Translator is as it was.
  std::string operator()(std::string_view text, const GenerationOptions& options = {}) const;

  /// Each text's, in their order; so `translate({"Un.", "Deux."})`, too.
  std::vector<std::string> operator()(std::span<const std::string> texts,
                                      const GenerationOptions& options = {}) const;
  std::vector<std::string> operator()(std::initializer_list<std::string> texts,
                                      const GenerationOptions& options = {}) const {
    return (*this)(std::span(texts.begin(), texts.size()), options);
  }

  /// With all that is known of each: see Translation. NaN is reported there. Throws the other
  /// errors of operator(), and Error(cancelled).
  std::vector<Translation> translate_full(std::span<const std::string> texts,
                                          const TranslationOptions& options = {}) const;

  /// The same of one text. A template, so that {} is no text and not an empty one.
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view> Translation
  translate_full(const Text& text, const TranslationOptions& options = {})
  const {
    const std::string one{std::string_view(text)};
    return std::move(translate_full(std::span(&one, 1), options)[0]);
  }

  /// Gives the text's translation as it comes to be, in whole characters: token by token in a
  /// greedy search or sampling, sentence by sentence under beams. Together they are what operator()
  /// gives. `on_text` may end it by AfterStep::cancel. Throws what operator() throws.
  void stream(std::string_view text, const std::function<AfterStep(std::string_view)>& on_text,
              const GenerationOptions& options = {}) const;

  const SequenceToSequenceModel& model() const;
  const MarianTokenizer& tokenizer() const;
  /// What the folder says of decoding.
  const GenerationOptions& defaults() const;

 private:
  explicit Translator(std::unique_ptr<TranslationEngine> engine);

  std::unique_ptr<TranslationEngine> engine_;
};

#if EIGENFORMER_DEFINES(EIGENFORMER_PART_PIPELINES)

namespace detail {

/// What errors say was being done.
inline constexpr const char* translating = "translate";

inline TranslationOptions one_hypothesis(const GenerationOptions& generation) {
  TranslationOptions out;
  out.generation = generation;
  out.generation.hypotheses = 1;
  return out;
}

}  // namespace detail

EIGENFORMER_INLINE Translator Translator::load(const std::string& folder,
                                               const TranslatorOptions& options) {
  expect_range(options.batch_tokens, 1, Index{1} << 40, "batch_tokens");
  return io::or_out_of_memory(folder, [&] {
    OpenedModel opened = open_model(folder, {options.load, options.weights});
    if (opened.model_type != "marian") {
      throw Error(ErrorCode::unsupported, folder + ": a model of type \"" + opened.model_type +
                                              "\" has no tokenizer that this version reads");
    }
    if (!opened.defaults.start_token) {
      throw Error(ErrorCode::format, folder + "/config.json: decoder_start_token_id is missing");
    }
    return Translator(std::make_unique<TranslationEngine>(
        std::move(opened), MarianTokenizer::load(folder, options.load.limits), options));
  });
}

EIGENFORMER_INLINE Translator::Translator(std::unique_ptr<TranslationEngine> engine)
    : engine_(std::move(engine)) {}
EIGENFORMER_INLINE Translator::Translator(Translator&&) noexcept = default;
EIGENFORMER_INLINE Translator& Translator::operator=(Translator&&) noexcept = default;
EIGENFORMER_INLINE Translator::~Translator() = default;

EIGENFORMER_INLINE const SequenceToSequenceModel& Translator::model() const {
  return *engine_->opened().model;
}
EIGENFORMER_INLINE const MarianTokenizer& Translator::tokenizer() const {
  return engine_->tokenizer();
}
EIGENFORMER_INLINE const GenerationOptions& Translator::defaults() const {
  return engine_->opened().defaults;
}

EIGENFORMER_INLINE std::string Translator::operator()(std::string_view text,
                                                      const GenerationOptions& options) const {
  return io::or_out_of_memory(detail::translating, [&] {
    const std::string one(text);
    return std::move((*this)(std::span(&one, 1), options)[0]);
  });
}

EIGENFORMER_INLINE std::vector<std::string> Translator::operator()(
    std::span<const std::string> texts, const GenerationOptions& options) const {
  return io::or_out_of_memory(detail::translating, [&] {
    std::vector<std::string> out;
    for (const Translation& translation : translate_full(texts, detail::one_hypothesis(options))) {
      for (const TranslatedSentence& sentence : translation.sentences) {
        expect_numbers(sentence);
      }
      out.push_back(translation.text());
    }
    return out;
  });
}

EIGENFORMER_INLINE std::vector<Translation> Translator::translate_full(
    std::span<const std::string> texts, const TranslationOptions& options) const {
  return io::or_out_of_memory(detail::translating, [&] {
    Segmenter segmenter = engine_->segmenter();
    for (const std::string& text : texts) segmenter.add(text);
    std::vector<TranslatedSentence> sentences = engine_->translate(segmenter.segments(), options);
    std::vector<Translation> out(texts.size());
    for (std::size_t t = 0; t < texts.size(); ++t) out[t].replaced = segmenter.replaced()[t];
    for (std::size_t s = 0; s < sentences.size(); ++s) {
      out[segmenter.segments()[s].text].sentences.push_back(std::move(sentences[s]));
    }
    return out;
  });
}

EIGENFORMER_INLINE void Translator::stream(
    std::string_view text, const std::function<AfterStep(std::string_view)>& on_text,
    const GenerationOptions& options) const {
  io::or_out_of_memory(detail::translating, [&] {
    const TranslationOptions all = engine_->with_defaults(detail::one_hypothesis(options));
    Segmenter segmenter = engine_->segmenter();
    segmenter.add(text);
    TextStream stream(engine_->tokenizer(), on_text);
    OnStep on_step;
    if (all.generation.beam_size.value_or(1) == 1) {
      on_step = [&](const GenerationStep& step) { return stream.advance(step.tokens); };
    }
    for (Segment& segment : segmenter.segments()) {
      const TranslatedSentence sentence = engine_->translate_one(segment, all, on_step);
      expect_numbers(sentence);
      if (stream.finish(sentence.text_and_separator(0)) == AfterStep::cancel) return;
    }
  });
}
#endif

}  // namespace eigenformer::inline v0
