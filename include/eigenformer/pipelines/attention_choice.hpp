// SPDX-License-Identifier: MIT
/// What a picture of attention shows: the tokens on its two axes, and a head's weights.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/pipelines/translation.hpp"
#include "eigenformer/pipelines/word_alignment.hpp"

namespace eigenformer::inline v0 {

/// Which of a sentence's heads to look at.
struct AttentionChoice {
  AttentionKind kind = AttentionKind::cross;
  std::optional<Index> layer = {};  ///< from 0; unset: the last that was kept
  std::optional<Index> head = {};   ///< from 0; unset: the mean of those kept
};

/// What stands on an axis.
struct AttentionTokens {
  std::vector<std::string> pieces;
  std::vector<Word> words;  ///< of the pieces
};

/// Who looks. In the decoder that is the piece which is being chosen.
inline AttentionTokens attention_queries(const TranslatedSentence& sentence, AttentionKind kind) {
  if (kind == AttentionKind::encoder) return {sentence.source_pieces, sentence.source_words};
  if (sentence.alternatives.empty()) return {};
  return {sentence.alternatives[0].pieces, sentence.words};
}

/// What is looked at. In the decoder that is "start", and every piece but the last.
inline AttentionTokens attention_keys(const TranslatedSentence& sentence, AttentionKind kind) {
  if (kind != AttentionKind::decoder) return {sentence.source_pieces, sentence.source_words};
  AttentionTokens chosen = attention_queries(sentence, kind);
  if (chosen.pieces.empty()) return {};
  AttentionTokens out{{"start"}, {{"start", 0, 1, true}}};
  out.pieces.insert(out.pieces.end(), chosen.pieces.begin(), chosen.pieces.end() - 1);
  const auto count = static_cast<Index>(out.pieces.size());
  for (Word& word : chosen.words) {
    word.first += 1;
    word.count = std::min(word.count, count - word.first);
    if (word.count > 0) out.words.push_back(word);
  }
  return out;
}

/// The last layer of a kind that was kept, -1: none.
inline Index last_layer(const TranslatedSentence& sentence, AttentionKind kind) {
  Index last = -1;
  for (const AttentionMap& map : sentence.attention) {
    if (map.place.kind == kind) last = std::max(last, map.place.layer);
  }
  return last;
}

namespace detail {

/// For a choice that nothing which was kept meets.
[[noreturn]] inline void refuse_choice(const TranslatedSentence& sentence,
                                       const AttentionChoice& choice) {
  std::string text = std::string(name(choice.kind)) + " attention";
  if (choice.layer) text += ", layer " + std::to_string(*choice.layer);
  if (choice.head) text += ", head " + std::to_string(*choice.head);
  const Index last = last_layer(sentence, choice.kind);
  if (last < 0) {
    text += ": no layer of that kind was kept";
  } else if (choice.layer.value_or(last) != last) {
    text += ": was not kept, layer " + std::to_string(last) + " is the last one that was";
  } else {
    text += ": that head was not kept";
  }
  throw Error(ErrorCode::invalid_argument, text + " (TranslationOptions::attention)");
}

}  // namespace detail

/// The weights [queries, keys] in pieces. Throws Error(invalid_argument) where they were not kept.
inline Matrix<double> chosen_attention(const TranslatedSentence& sentence,
                                       const AttentionChoice& choice) {
  const AttentionPlace place{choice.kind, choice.layer.value_or(last_layer(sentence, choice.kind))};
  Matrix<double> sum;
  int heads = 0;
  for (const AttentionMap& map : sentence.attention) {
    if (map.place != place || map.head != choice.head.value_or(map.head)) continue;
    if (heads++ == 0) {
      sum = map.weights;
    } else {
      sum += map.weights;
    }
  }
  if (heads == 0) detail::refuse_choice(sentence, choice);
  sum /= static_cast<double>(heads);
  return sum;
}

}  // namespace eigenformer::inline v0
