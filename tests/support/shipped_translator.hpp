// SPDX-License-Identifier: MIT
/// The Translator of the shipped model, and short ways to ask it.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "eigenformer/pipelines/translator.hpp"

namespace eigenformer::test {

inline const std::string shipped = EIGENFORMER_TEST_DATA "/../../models/fr-en-small";
inline const std::string cat = "Le chat mange une pomme.";  // The cat eats an apple.

inline const Translator& translator() {
  static const Translator one = Translator::load(shipped);
  return one;
}

inline TranslationOptions asking(const GenerationOptions& generation) {
  TranslationOptions options;
  options.generation = generation;
  return options;
}

inline Translation full(const std::string& text, const TranslationOptions& options = {},
                        const Translator& translate = translator()) {
  return translate.translate_full(text, options);
}

/// The best translation of a text of one sentence.
inline Alternative best(const GenerationOptions& generation, const std::string& text = cat) {
  return full(text, asking(generation)).sentences.at(0).alternatives.at(0);
}

}  // namespace eigenformer::test
