// SPDX-License-Identifier: MIT
/// From lines to what is written of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/pipelines/translator.hpp"
#include "files.hpp"
#include "json_text.hpp"
#include "translate_attention.hpp"
#include "translate_options.hpp"
#include "translate_text.hpp"

namespace program {

/// Translates lines in their order, counts them, and writes what the options ask for.
class LineTranslator {
 public:
  /// All outlive it. Throws Failure.
  LineTranslator(const eigenformer::Translator& translator, const Options& options, Writer& output)
      : translator_(translator), options_(options), output_(output) {
    asked_.generation = options.generation;
    asked_.alignment = options.format.alignment;
    if (options.attention) {
      asked_.attention = [](eigenformer::AttentionPlace, eigenformer::Index) { return true; };
      const eigenformer::TokenId start = translator.defaults().start_token.value();
      attention_.emplace(*options.attention, std::string(translator.tokenizer().piece_text(start)));
    }
  }

  /// The next lines, all written when it returns. Throws Failure that names a line; then those
  /// before it are written.
  void translate(std::span<const std::string> lines) {
    asked_.first_number = lines_;
    std::vector<eigenformer::Translation> translations;
    try {
      translations = translator_.translate_full(lines, asked_);
    } catch (const eigenformer::Error& error) {
      if (lines.size() == 1) throw failure(error.what());
    }
    if (translations.empty()) {  // one by one, to find out which it is
      for (std::size_t i = 0; i < lines.size(); ++i) translate(lines.subspan(i, 1));
      return;
    }
    for (std::size_t i = 0; i < lines.size(); ++i) write(lines[i], translations[i]);
    output_.flush();
  }

  /// Whatever happened to the next lines, they are done with.
  void skip(std::uint64_t lines = 1) { lines_ += lines; }

  /// Ends files, and says what was wrong with the input.
  void finish() {
    if (attention_) attention_->finish();
    if (replaced_ == 0) return;
    std::fprintf(
        stderr,
        "translate: bytes that were not UTF-8 became U+FFFD %llu times, first in line %llu\n",
        static_cast<unsigned long long>(replaced_),
        static_cast<unsigned long long>(first_replaced_));
  }

  std::uint64_t lines() const { return lines_; }
  /// Of the best translations.
  std::uint64_t sentences() const { return sentences_; }
  std::uint64_t tokens() const { return tokens_; }

 private:
  Failure failure(const std::string& why) const {
    return {ExitStatus::data, "line " + std::to_string(lines_ + 1) + ": " + why};
  }

  void write(const std::string& source, const eigenformer::Translation& translation) {
    expect_numbers(translation);
    std::string out;
    const TranslatedLine line{lines_, source, translation};
    const Format& format = options_.format;
    (format.jsonl ? append_json : format.n_best ? append_n_best : append_text)(out, line, format);
    output_.write(out);
    if (attention_) attention_->add(lines_, translation);
    ++lines_;
    if (replaced_ == 0) first_replaced_ = lines_;
    replaced_ += translation.replaced;
    for (const eigenformer::TranslatedSentence& sentence : translation.sentences) {
      if (const auto* best = sentence.alternative(0)) {
        ++sentences_;
        tokens_ += best->pieces.size();
      }
    }
  }

  void expect_numbers(const eigenformer::Translation& translation) {
    for (const eigenformer::TranslatedSentence& sentence : translation.sentences) {
      const eigenformer::Alternative* const best = sentence.alternative(0);
      if (best == nullptr || best->finish != eigenformer::FinishReason::not_a_number) continue;
      output_.flush();
      throw failure("the model computes what is not a number");
    }
  }

  const eigenformer::Translator& translator_;
  const Options& options_;
  Writer& output_;
  eigenformer::TranslationOptions asked_;
  std::optional<AttentionFile> attention_;
  std::uint64_t lines_ = 0, sentences_ = 0, tokens_ = 0, replaced_ = 0, first_replaced_ = 0;
};

}  // namespace program
