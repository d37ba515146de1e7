// SPDX-License-Identifier: MIT
/// What a Translator takes and gives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/attention_observer.hpp"
#include "eigenformer/core/error.hpp"
#include "eigenformer/core/executor.hpp"
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/core/profile.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/generation/options.hpp"
#include "eigenformer/generation/result.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/kernels/dispatch.hpp"
#include "eigenformer/pipelines/segments.hpp"
#include "eigenformer/pipelines/text_class.hpp"
#include "eigenformer/pipelines/word_alignment.hpp"

namespace eigenformer::inline v0 {

/// How a Translator is loaded.
struct TranslatorOptions {
  io::LoadOptions load = {};
  std::optional<Storage> weights = {};  ///< unset: as most of the file's numbers are
  Index threads = 1;                    ///< 1 to 1,024, the calling one among them
  /// Who works, in place of threads of its own: outlives the Translator, which runs tasks on it
  /// from each thread that calls.
  Executor* executor = nullptr;
  Split split = Split::sentences;  ///< what is translated by itself
  Index batch_tokens = 2048;       ///< of the source at a time and thread, 1 up
  Isa isa = fastest_isa;           ///< kernels none faster than these
  /// Where time goes: outlives the Translator, which alone writes to it, whenever a batch is done.
  /// To be read when no call is running. Time is that of threads, added up.
  Profile* profile = nullptr;
};

/// What translate_full() is asked for.
struct TranslationOptions {
  GenerationOptions generation = {};
  /// The heads whose weights are kept, of each sentence's best translation; unset: none.
  std::function<bool(AttentionPlace place, Index head)> attention = {};
  bool alignment = false;  ///< whether to say which words belong together
  /// The first text's number, for the draws of sampling: whoever gives a corpus call by call counts
  /// on, and its draws do not depend on where the calls begin. Its lower 44 bits count, 28
  /// of them where several hypotheses are drawn.
  std::uint64_t first_number = 0;
  /// Asked at every step, from several threads: true ends the call by Error(cancelled).
  std::function<bool()> cancelled = {};
};

/// One way to translate a sentence.
struct Alternative {
  std::string text;
  std::vector<std::string> pieces;       ///< as the vocabulary writes them, the end token too
  std::vector<float> log_probabilities;  ///< of each piece
  float score = 0.0f;                    ///< sum of log_probabilities / pieces^length_penalty
  FinishReason finish = FinishReason::stop;
};

/// The weights of one head, of a sentence and its best translation. Of the decoder and of what it
/// sees of the source, row t is where piece t of the translation was chosen: after the start token
/// (t = 0) or piece t - 1.
struct AttentionMap {
  AttentionPlace place;
  Index head;
  Matrix<double> weights;  ///< [queries, keys] in pieces; rows sum to 1
};

/// A sentence (or what else the text was cut into) and its translations.
struct TranslatedSentence {
  std::string source;
  std::vector<std::string> source_pieces;  ///< as the model got them, the end token too
  std::vector<Word> source_words;          ///< of source_pieces, spelt as in the source
  std::vector<Word> words;                 ///< of the best translation's pieces
  /// Best first. One, as it was when its logits became NaN, says so in `finish`; none where there
  /// is nothing to translate.
  std::vector<Alternative> alternatives;
  std::vector<AlignedWords> alignment;
  std::vector<AttentionMap> attention;
  /// White space that followed in the text; nothing: the next sentence followed directly.
  std::optional<std::string> separator;

  /// The n-th alternative, or the last where there are fewer; nullptr: there is none.
  const Alternative* alternative(std::size_t n) const {
    return alternatives.empty() ? nullptr : &alternatives[std::min(n, alternatives.size() - 1)];
  }
  /// Its text, with what goes between it and the next sentence.
  std::string text_and_separator(std::size_t n) const;
};

/// Throws Error(not_a_number) where the best translation ends in that.
inline void expect_numbers(const TranslatedSentence& sentence) {
  const Alternative* const best = sentence.alternative(0);
  if (best == nullptr || best->finish != FinishReason::not_a_number) return;
  throw Error(ErrorCode::not_a_number, "the model's logits are not numbers after " +
                                           std::to_string(best->pieces.size()) +
                                           " tokens of the translation");
}

/// A text's translation.
struct Translation {
  std::vector<TranslatedSentence> sentences;
  std::size_t replaced = 0;  ///< U+FFFD that stand for bytes of the text that were not UTF-8

  /// Every sentence's n-th alternative, from 0, the best; a sentence with fewer gives its last.
  std::string text(std::size_t n = 0) const {
    std::string out;
    for (const TranslatedSentence& sentence : sentences) out += sentence.text_and_separator(n);
    return out;
  }
  /// Of text(n): the sum of the sentences' scores.
  float score(std::size_t n = 0) const {
    float sum = 0.0f;
    for (const TranslatedSentence& sentence : sentences) {
      if (const Alternative* alternative = sentence.alternative(n)) sum += alternative->score;
    }
    return sum;
  }
  /// How many texts there are to choose from: the most alternatives that a sentence has.
  std::size_t alternatives() const {
    std::size_t most = 0;
    for (const TranslatedSentence& sentence : sentences) {
      most = std::max(most, sentence.alternatives.size());
    }
    return most;
  }
};

namespace detail {

/// Whether the text is empty or ends in a script that puts no space between sentences: Chinese or
/// Japanese.
inline bool ends_without_space(std::string_view text) {
  if (text.empty()) return true;
  std::size_t begin = text.size() - 1;
  while (begin > 0 && io::continues_character(text[begin])) --begin;
  const char32_t code = pipelines::character_at(text, begin).code;
  return (code >= 0x3000 && code <= 0x9FFF) || (code >= 0xFF00 && code <= 0xFF9F) ||
         (code >= 0x20000 && code <= 0x3FFFF);
}

}  // namespace detail

inline std::string TranslatedSentence::text_and_separator(std::size_t n) const {
  const Alternative* const chosen = alternative(n);
  std::string out = chosen != nullptr ? chosen->text : "";
  if (separator) return out + *separator;
  return detail::ends_without_space(out) ? out : out + " ";
}

}  // namespace eigenformer::inline v0
