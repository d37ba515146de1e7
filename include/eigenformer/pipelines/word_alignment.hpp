// SPDX-License-Identifier: MIT
/// Pieces of a vocabulary as the words of a text, and which words attend to which.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/matrix.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0 {

/// Neighbouring pieces that make a word; a special token is a word by itself.
struct Word {
  std::string text;
  Index first = 0;  ///< piece
  Index count = 0;  ///< pieces
  bool special = false;
};

/// A word of the source and one of its translation, counted from 0.
struct AlignedWords {
  Index source;
  Index target;
  friend bool operator==(const AlignedWords&, const AlignedWords&) = default;
};

/// What words are made of.
struct Piece {
  std::string_view text;  ///< as the vocabulary writes it, a space as U+2581
  bool begins_word;
  bool special;
};

inline std::vector<Word> words_of(std::span<const Piece> pieces) {
  std::vector<Word> words;
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    const Piece& piece = pieces[p];
    if (words.empty() || piece.begins_word || piece.special || words.back().special) {
      words.push_back({"", static_cast<Index>(p), 0, piece.special});
    }
    io::append_replacing(words.back().text, piece.text, "\u2581", "");
    ++words.back().count;
  }
  return words;
}

/// Weights of pieces [queries, keys] -> of words: what a word gets from all of another's pieces is
/// added, what its own pieces give is averaged. Rows still sum to 1.
inline Matrix<double> weights_of_words(const Matrix<double>& weights, std::span<const Word> queries,
                                       std::span<const Word> keys) {
  Matrix<double> out(static_cast<Index>(queries.size()), static_cast<Index>(keys.size()));
  for (Index q = 0; q < out.rows(); ++q) {
    const Word& query = queries[static_cast<std::size_t>(q)];
    for (Index k = 0; k < out.cols(); ++k) {
      const Word& key = keys[static_cast<std::size_t>(k)];
      double sum = 0;
      for (Index i = query.first; i < query.first + query.count; ++i) {
        for (Index j = key.first; j < key.first + key.count; ++j) sum += weights(i, j);
      }
      out(q, k) = sum / static_cast<double>(query.count);
    }
  }
  return out;
}

/// For each word of the translation that is not special, the word of the source, not special, that
/// it attends to most; the first of equals. weights [target pieces, source pieces].
inline std::vector<AlignedWords> align_words(const Matrix<double>& weights,
                                             std::span<const Word> source,
                                             std::span<const Word> target) {
  const Matrix<double> of_words = weights_of_words(weights, target, source);
  std::vector<AlignedWords> out;
  for (Index t = 0; t < of_words.rows(); ++t) {
    if (target[static_cast<std::size_t>(t)].special) continue;
    Index best = -1;
    for (Index s = 0; s < of_words.cols(); ++s) {
      if (source[static_cast<std::size_t>(s)].special) continue;
      if (best < 0 || of_words(t, s) > of_words(t, best)) best = s;
    }
    if (best >= 0) out.push_back({best, t});
  }
  return out;
}

}  // namespace eigenformer::inline v0
