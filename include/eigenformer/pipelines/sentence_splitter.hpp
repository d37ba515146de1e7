// SPDX-License-Identifier: MIT
/// Text into sentences or lines for translation. Sentences of any language are found by rules, not
/// by a model: sentence_scanner.hpp has those of marks, sentence_rules.hpp those of full stops,
/// abbreviations.hpp the words.
#pragma once

#include <string_view>
#include <vector>

#include "eigenformer/pipelines/sentence_cutter.hpp"
#include "eigenformer/pipelines/sentence_scanner.hpp"

namespace eigenformer::inline v0::pipelines {

/// The text's sentences. A line break always ends one. For any bytes: texts and separators, in
/// order, are together the text again; the time is linear in its length.
inline std::vector<Sentence> split_sentences(std::string_view text) {
  return detail::SentenceScanner(text).scan();
}

/// The text's lines, without the white space around them. Empty lines are in the separators.
inline std::vector<Sentence> split_lines(std::string_view text) {
  detail::SentenceCutter cutter(text);
  while (!cutter.at_end()) {
    const Character c = cutter.next();
    if (c.kind == TextClass::separator) {
      cutter.cut_before_white_space();
    } else {
      cutter.advance(c);
    }
  }
  return cutter.finish();
}

}  // namespace eigenformer::inline v0::pipelines
