// SPDX-License-Identifier: MIT
/// The pieces of a SentencePiece model, checked against each other as the original does it
/// (model_interface.cc), and found by text.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/types.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/tokenizers/piece_trie.hpp"
#include "eigenformer/tokenizers/sentence_piece_model.hpp"

namespace eigenformer::inline v0 {

/// U+2581, which stands for a space.
inline constexpr std::string_view space_symbol = "\xE2\x96\x81";

/// The id of no piece.
inline constexpr TokenId no_piece = -1;

/// Pieces by id and by text. Texts point into the model's bytes, which must outlive the table.
class PieceTable {
 public:
  using Piece = SentencePieceModel::Piece;

  /// Takes the model's pieces. Throws Error(format): no piece at all, texts that occur twice, none
  /// or several unknown pieces, byte pieces that are wrong, or not all there with byte fallback.
  explicit PieceTable(SentencePieceModel& model)
      : pieces_(std::move(model.pieces)), byte_fallback_(model.byte_fallback) {
    const std::string& file = model.file;
    if (pieces_.empty()) throw Error(ErrorCode::format, file + ": has no pieces");
    for (std::size_t i = 0; i < pieces_.size(); ++i) check_piece(i, file);
    if (unknown_ == no_piece && !byte_fallback_) {
      throw Error(ErrorCode::format, file + ": has no piece for the unknown");
    }
    if (byte_fallback_) check_bytes(file);
    index(model.segmentation, file);
  }

  Index size() const { return static_cast<Index>(pieces_.size()); }

  const Piece& operator[](TokenId id) const { return pieces_[static_cast<std::size_t>(id)]; }

  /// The piece for what no other covers, or no_piece where bytes serve instead.
  TokenId unknown() const { return unknown_; }

  bool byte_fallback() const { return byte_fallback_; }

  /// The piece of a byte, with byte fallback.
  TokenId byte(char value) const { return bytes_[static_cast<unsigned char>(value)]; }

  /// The piece with that text, or unknown().
  TokenId find(std::string_view text) const {
    const auto reserved =
        std::lower_bound(reserved_.begin(), reserved_.end(), text,
                         [](const auto& entry, std::string_view t) { return entry.text < t; });
    if (reserved != reserved_.end() && reserved->text == text) return reserved->value;
    const TokenId id = found_.find(text);
    return id == PieceTrie::none ? unknown_ : id;
  }

  /// The texts that segmentation may find: normal, user-defined and unused pieces.
  const PieceTrie& found() const { return found_; }

  /// The texts of the user-defined pieces.
  const PieceTrie& user_defined() const { return user_defined_; }

  bool is_unused(TokenId id) const { return (*this)[id].kind == PieceKind::unused; }

  /// Whether ids of that kind never stand for text in the input.
  static bool is_reserved(PieceKind kind) {
    return kind == PieceKind::unknown || kind == PieceKind::control || kind == PieceKind::byte;
  }

  /// The byte that "<0x41>" stands for, or -1.
  static int byte_of(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
    const std::size_t high = digits.find(text[3]);
    const std::size_t low = digits.find(text[4]);
    if (high == std::string_view::npos || low == std::string_view::npos) return -1;
    return static_cast<int>(high * 16 + low);
  }

 private:
  void check_piece(std::size_t i, const std::string& file) {
    Piece& piece = pieces_[i];
    const auto id = static_cast<TokenId>(i);
    // Converters write a NUL of their own beside "<0x00>", which would only be in its way.
    if (byte_fallback_ && piece.text == std::string_view("\0", 1)) piece.kind = PieceKind::unused;
    const auto fail = [&](const std::string& what) {
      throw Error(ErrorCode::format,
                  file + ": piece " + std::to_string(i) + ": " + io::excerpt(piece.text) + what);
    };
    if (piece.kind == PieceKind::unknown) {
      if (unknown_ != no_piece) {
        fail(": the second piece for the unknown, after " + std::to_string(unknown_));
      }
      unknown_ = id;
    }
    if (piece.kind != PieceKind::byte) return;
    if (!byte_fallback_) fail(": a byte piece, but byte_fallback is false");
    const int value = byte_of(piece.text);
    if (value < 0) fail(": a byte piece is written like <0x0A>");
    bytes_[static_cast<std::size_t>(value)] = id;
  }

  void check_bytes(const std::string& file) const {
    for (std::size_t value = 0; value < bytes_.size(); ++value) {
      if (bytes_[value] != no_piece) continue;
      throw Error(ErrorCode::format, file + ": byte_fallback is true, but the piece of byte " +
                                         std::to_string(value) + " is missing");
    }
  }

  void index(Segmentation segmentation, const std::string& file) {
    std::vector<PieceTrie::Entry> found, user_defined;
    found.reserve(pieces_.size());
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      const Piece& piece = pieces_[i];
      const PieceTrie::Entry entry{piece.text, static_cast<TokenId>(i)};
      (is_reserved(piece.kind) ? reserved_ : found).push_back(entry);
      if (piece.kind == PieceKind::user_defined) user_defined.push_back(entry);
    }
    for (std::vector<PieceTrie::Entry>* entries : {&reserved_, &found, &user_defined}) {
      PieceTrie::sort(*entries);
      check_twins(*entries, file);
    }
    found_ = PieceTrie(found);
    user_defined_ = PieceTrie(user_defined);
    if (segmentation == Segmentation::byte_pair) {
      for (const PieceTrie::Entry& entry : reserved_) {
        const TokenId twin = found_.find(entry.text);
        if (twin != PieceTrie::none) fail_twice(entry.value, twin, file);
      }
    } else if (found.empty()) {
      throw Error(ErrorCode::format, file + ": has no pieces of text");
    }
  }

  void check_twins(const std::vector<PieceTrie::Entry>& sorted, const std::string& file) const {
    const auto twin =
        std::adjacent_find(sorted.begin(), sorted.end(),
                           [](const auto& a, const auto& b) { return a.text == b.text; });
    if (twin != sorted.end()) fail_twice(twin[0].value, twin[1].value, file);
  }

  [[noreturn]] void fail_twice(TokenId a, TokenId b, const std::string& file) const {
    throw Error(ErrorCode::format, file + ": pieces " + std::to_string(std::min(a, b)) + " and " +
                                       std::to_string(std::max(a, b)) + " are both " +
                                       io::excerpt((*this)[a].text));
  }

  static constexpr std::array<TokenId, 256> no_bytes() {
    std::array<TokenId, 256> bytes{};
    bytes.fill(no_piece);
    return bytes;
  }

  std::vector<Piece> pieces_;
  bool byte_fallback_;
  TokenId unknown_ = no_piece;
  std::array<TokenId, 256> bytes_ = no_bytes();
  std::vector<PieceTrie::Entry> reserved_;  ///< sorted by text
  PieceTrie found_;
  PieceTrie user_defined_;
};

}  // namespace eigenformer::inline v0
