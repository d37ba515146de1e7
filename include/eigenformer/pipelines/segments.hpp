// SPDX-License-Identifier: MIT
/// Texts into what a model translates at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/io/text.hpp"
#include "eigenformer/pipelines/sentence_splitter.hpp"
#include "eigenformer/pipelines/utf8_repair.hpp"
#include "eigenformer/tokenizers/tokenizer.hpp"

namespace eigenformer::inline v0 {

/// At what a text is cut. What has more tokens than the model has positions is cut further, at
/// clauses, words or characters, whatever this says.
enum class Split { sentences, lines, none };

/// A part of a text that is translated by itself.
struct Segment {
  std::size_t text = 0;         ///< which of the texts
  std::size_t number = 0;       ///< its place in the text
  std::string code;             ///< ">>code<<" of the language; may be empty
  std::string source;           ///< UTF-8
  std::vector<TokenId> tokens;  ///< of both, as the model wants them; of no source none
  /// What followed it in the text; nothing: the next one followed directly, and may want a space.
  std::optional<std::string> separator;
};

/// Cuts texts for a model.
class Segmenter {
 public:
  /// `tokenizer` outlives it; `longest`: tokens of a segment, 1 up.
  Segmenter(const Tokenizer& tokenizer, Split split, Index longest)
      : tokenizer_(tokenizer), split_(split), longest_(static_cast<std::size_t>(longest)) {}

  /// What the next text gives. A ">>code<<" that begins it goes before each segment. White space
  /// around lines and sentences is not translated.
  void add(std::string_view text) {
    pipelines::RepairedText repaired = pipelines::repair_utf8(text);
    replaced_.push_back(repaired.replaced);
    text_ = replaced_.size() - 1;
    number_ = 0;
    std::string_view rest = repaired.text;
    code_ = language_code(rest);
    rest.remove_prefix(code_.size());
    switch (split_) {
      case Split::sentences: return add_all(pipelines::split_sentences(rest));
      case Split::lines: return add_all(pipelines::split_lines(rest));
      case Split::none:
        return is_blank(rest) ? add_segment("", std::string(rest)) : add_fitting(rest, "");
    }
  }

  /// Of all texts so far.
  std::vector<Segment>& segments() { return segments_; }
  /// For each text, how many U+FFFD stand for bytes that were not UTF-8.
  const std::vector<std::size_t>& replaced() const { return replaced_; }

 private:
  static std::string language_code(std::string_view text) {
    if (!text.starts_with(">>")) return "";
    const std::size_t end = text.substr(0, 64).find("<<");
    return end == std::string_view::npos ? "" : std::string(text.substr(0, end + 2));
  }

  void add_all(const std::vector<pipelines::Sentence>& sentences) {
    for (const pipelines::Sentence& sentence : sentences) {
      const bool directly = sentence.separator.empty() && &sentence != &sentences.back();
      add_fitting(sentence.text,
                  directly ? std::nullopt : std::optional(std::string(sentence.separator)));
    }
  }

  /// The part, in halves of halves until each has few enough tokens.
  void add_fitting(std::string_view part, std::optional<std::string> separator) {
    struct Piece {
      std::string_view text;
      std::optional<std::string> separator;
    };
    std::vector<Piece> pieces;
    pieces.push_back({part, std::move(separator)});
    while (!pieces.empty()) {
      Piece piece = std::move(pieces.back());
      pieces.pop_back();
      add_segment(piece.text, std::move(piece.separator));
      if (segments_.back().tokens.size() <= longest_) continue;
      const auto [end, next] = middle_of(piece.text);
      if (next == 0 || next >= piece.text.size()) continue;  // the model will refuse it
      pieces.push_back({piece.text.substr(next), std::move(segments_.back().separator)});
      pieces.push_back(
          {piece.text.substr(0, end), std::string(piece.text.substr(end, next - end))});
      segments_.pop_back();
      --number_;
    }
  }

  static bool is_blank(std::string_view text) {
    for (const pipelines::Sentence& line : pipelines::split_lines(text)) {
      if (!line.text.empty()) return false;
    }
    return true;
  }

  void add_segment(std::string_view source, std::optional<std::string> separator) {
    Segment segment;
    segment.text = text_;
    segment.number = number_++;
    segment.code = code_;
    segment.source = source;
    if (!source.empty()) segment.tokens = tokenizer_.encode(segment.code + segment.source);
    segment.separator = std::move(separator);
    segments_.push_back(std::move(segment));
  }

  struct Cut {
    std::size_t end;   ///< of the first half
    std::size_t next;  ///< where the second begins
  };

  /// Where a text is cut in two: nearest to its middle after a clause, else between words, else
  /// between characters; marks and words count in its middle half only.
  static Cut middle_of(std::string_view text) {
    const std::size_t middle = text.size() / 2, reach = text.size() / 4;
    Cut best{0, 0};
    bool at_clause = false;
    for (std::size_t i = middle - reach; i < middle + reach; ++i) {
      if (text[i] != ' ' || i == 0) continue;
      const bool clause = std::string_view(",;:").find(text[i - 1]) != std::string_view::npos;
      if (clause < at_clause) continue;
      if (clause > at_clause || best.next == 0 ||
          distance(i, middle) < distance(best.end, middle)) {
        best = {i, i + 1};
        at_clause = clause;
      }
    }
    if (best.next != 0) return best;
    std::size_t at = middle;
    while (at > 0 && io::continues_character(text[at])) --at;
    return {at, at};
  }
  static std::size_t distance(std::size_t a, std::size_t b) { return a < b ? b - a : a - b; }

  const Tokenizer& tokenizer_;
  Split split_;
  std::size_t longest_;
  std::vector<Segment> segments_;
  std::vector<std::size_t> replaced_;
  std::size_t text_ = 0, number_ = 0;
  std::string code_;
};

}  // namespace eigenformer::inline v0
