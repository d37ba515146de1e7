// SPDX-License-Identifier: MIT
/// SentencePiece's unigram segmentation: the pieces whose scores have the greatest sum, by
/// Viterbi's algorithm (unigram_model.cc, EncodeOptimized, of 0.2.3: the same float sums in the
/// same order, so that ties fall the same way).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "eigenformer/core/types.hpp"
#include "eigenformer/tokenizers/piece_table.hpp"

namespace eigenformer::inline v0 {

/// A part of a normal text, and the piece that it is.
struct PieceSpan {
  std::uint32_t begin;   ///< byte of the text
  std::uint32_t length;  ///< bytes
  TokenId id;            ///< no_piece only where bytes stand for the unknown
};

/// Bytes of the character that a text begins with, by its first byte alone; never more than the
/// text has.
inline std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(length, text.size());
}

/// Cuts text into pieces. The table must outlive it.
class UnigramSegmenter {
 public:
  explicit UnigramSegmenter(const PieceTable& table) : table_(&table) {
    float least = std::numeric_limits<float>::max();
    scores_.reserve(static_cast<std::size_t>(table.size()));
    for (TokenId id = 0; id < table.size(); ++id) {
      const PieceTable::Piece& piece = table[id];
      if (piece.kind == PieceKind::normal) least = std::min(least, piece.score);
      const auto length = static_cast<double>(piece.text.size());
      // What is defined by the user wins over its parts.
      scores_.push_back(piece.kind == PieceKind::user_defined
                            ? static_cast<float>(0.1 * (length - 1))
                            : piece.score);
    }
    unknown_score_ = least - 10.0f;
  }

  /// Calls sink(PieceSpan) for the pieces of a normal text of fewer than 2 GiB, in order; they
  /// cover it.
  template <class Sink>
  void segment(std::string_view text, Sink sink) const {
    Stretch stretch;
    for (std::size_t begin = 0; begin < text.size();) {
      if (stretch.furthest() == begin) finish(stretch, sink);
      keep_small(stretch, begin);
      const std::size_t character = character_length(text.substr(begin));
      add_pieces(text, begin, character, stretch);
      begin += character;
    }
    finish(stretch, sink);
  }

 private:
  /// The best way to the end of some piece.
  struct Best {
    float score = 0;
    std::int32_t begin = -1;  ///< of the last piece; -1: no way known
    TokenId id = no_piece;
  };

  /// Part of a text: from a place that every way goes through to where pieces reach.
  struct Stretch {
    std::size_t begin = 0;
    std::vector<Best> best = {Best{}};  ///< by end, from begin on
    std::vector<PieceSpan> spans;       ///< scratch

    std::size_t furthest() const { return begin + best.size() - 1; }
    Best& at(std::size_t end) { return best[end - begin]; }

    void offer(std::size_t end, const Best& way) {
      if (end > furthest()) best.resize(end - begin + 1);
      Best& known = at(end);
      if (known.begin == -1 || way.score > known.score) known = way;
    }
  };

  /// Sums that grew large start again at 0, or else small differences would be lost.
  static void keep_small(Stretch& stretch, std::size_t begin) {
    constexpr float large = 100000.0f;
    const float offset = stretch.at(begin).score;
    if (offset >= -large && offset <= large) return;
    for (std::size_t end = begin + 1; end <= stretch.furthest(); ++end) {
      if (stretch.at(end).begin != -1) stretch.at(end).score -= offset;
    }
    stretch.at(begin).score = 0;
  }

  /// Tries every piece that begins there.
  void add_pieces(std::string_view text, std::size_t begin, std::size_t character,
                  Stretch& stretch) const {
    const PieceTrie& trie = table_->found();
    const float before = stretch.at(begin).score;
    const auto start = static_cast<std::int32_t>(begin);
    bool whole_character = false;
    PieceTrie::Node node = PieceTrie::root;
    for (std::size_t end = begin; end < text.size();) {
      node = trie.step(node, text[end++]);
      if (node == PieceTrie::root) break;
      const TokenId id = trie.value(node);
      if (id == PieceTrie::none || table_->is_unused(id)) continue;
      stretch.offer(end, {scores_[static_cast<std::size_t>(id)] + before, start, id});
      whole_character = whole_character || end == begin + character;
    }
    if (!whole_character) {
      stretch.offer(begin + character, {unknown_score_ + before, start, table_->unknown()});
    }
  }

  /// Hands out the pieces of the best way through a stretch, and begins the next one at its end.
  template <class Sink>
  static void finish(Stretch& stretch, Sink& sink) {
    const std::size_t last = stretch.furthest();
    stretch.spans.clear();
    for (std::size_t end = last; end > stretch.begin;) {
      const Best& way = stretch.at(end);
      const auto begin = static_cast<std::size_t>(way.begin);
      stretch.spans.push_back(
          {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin), way.id});
      end = begin;
    }
    for (auto span = stretch.spans.rbegin(); span != stretch.spans.rend(); ++span) sink(*span);
    const float score = stretch.best.back().score;
    stretch.best.assign(1, Best{score, -1, no_piece});
    stretch.begin = last;
  }

  const PieceTable* table_;
  std::vector<float> scores_;  ///< by id
  float unknown_score_ = 0;
};

}  // namespace eigenformer::inline v0
