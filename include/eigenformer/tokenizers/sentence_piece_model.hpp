// SPDX-License-Identifier: MIT
/// A SentencePiece model file (.spm, .model) as data: what its protocol buffer says of pieces,
/// segmentation and normalisation (github.com/google/sentencepiece, sentencepiece_model.proto).
/// What only training needs is skipped.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/tokenizers/protobuf.hpp"

namespace eigenformer::inline v0 {

/// What a piece is, with the file's numbers.
enum class PieceKind : std::uint8_t {
  normal = 1,
  unknown = 2,       ///< stands for what no piece covers
  control = 3,       ///< never found in text: begin, end, padding
  user_defined = 4,  ///< always cut out of the text as a whole
  unused = 5,        ///< has an id, and is never the result
  byte = 6,          ///< "<0x41>": one byte of what no piece covers
};

/// How text is cut into pieces.
enum class Segmentation : std::uint8_t {
  unigram = 1,    ///< the pieces whose scores have the greatest sum
  byte_pair = 2,  ///< neighbours are joined, the best score first
};

/// What happens to text before it is cut.
struct NormalizerSpec {
  std::string_view character_map;  ///< rules, compiled: see CharacterMap; may be empty
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;  ///< a space becomes U+2581
};

/// A model file, read and checked field by field; PieceTable checks the pieces against each other.
struct SentencePieceModel {
  struct Piece {
    std::string_view text;  ///< not empty; may hold any byte
    float score = 0;        ///< finite
    PieceKind kind = PieceKind::normal;
  };

  std::string file;      ///< as errors name it
  io::ByteBuffer bytes;  ///< of the file; the texts point into it
  std::vector<Piece> pieces;
  Segmentation segmentation = Segmentation::unigram;
  bool byte_fallback = false;
  bool whitespace_as_suffix = false;
  std::string_view unknown_surface = " \xE2\x81\x87 ";  ///< what the unknown piece decodes to
  std::string_view unknown_piece;                       ///< these four: empty where not given
  std::string_view begin_piece;
  std::string_view end_piece;
  std::string_view padding_piece;
  NormalizerSpec normalizer;
  std::optional<NormalizerSpec> denormalizer;  ///< has a character map
};

namespace detail {

/// Takes the messages of a model file apart.
class SentencePieceModelReader {
 public:
  SentencePieceModelReader(SentencePieceModel& model, const io::LoadLimits& limits)
      : model_(model), limits_(limits) {}

  void read() {
    const std::string_view content = io::as_text(model_.bytes.span());
    io::refuse_git_lfs_pointer(content, model_.file);
    if (content.size() > 0x7FFFFFFF) {
      throw Error(ErrorCode::unsupported, model_.file + ": over 2 GiB");
    }
    model_.pieces.reserve(count_pieces(content));
    ProtobufReader reader(content, model_.file);
    NormalizerSpec denormalizer;
    for (ProtobufField field; reader.next(field);) {
      switch (field.number) {
        case 1: read_piece(ProtobufReader(reader, field), field.place); break;
        case 2: read_trainer(ProtobufReader(reader, field)); break;
        case 3: read_normalizer(ProtobufReader(reader, field), model_.normalizer); break;
        case 5: read_normalizer(ProtobufReader(reader, field), denormalizer); break;
        default: break;
      }
    }
    if (!denormalizer.character_map.empty()) model_.denormalizer = denormalizer;
  }

 private:
  /// Checks the outer message whole, before memory is asked for.
  std::size_t count_pieces(std::string_view content) const {
    std::size_t count = 0;
    ProtobufReader reader(content, model_.file);
    for (ProtobufField field; reader.next(field);) count += field.number == 1 ? 1 : 0;
    const auto most = static_cast<std::size_t>(limits_.vocabulary);
    if (count <= most) return count;
    throw Error(ErrorCode::format, model_.file + ": " + std::to_string(count) +
                                       " pieces, the limit is " + std::to_string(most) +
                                       " (LoadLimits::vocabulary)");
  }

  void read_piece(ProtobufReader reader, std::size_t place) {
    const std::size_t index = model_.pieces.size();
    SentencePieceModel::Piece& piece = model_.pieces.emplace_back();
    for (ProtobufField field; reader.next(field);) {
      switch (field.number) {
        case 1: piece.text = reader.bytes(field); break;
        case 2: piece.score = reader.real(field); break;
        case 3: piece.kind = kind(reader.integer(field), field.place); break;
        default: break;
      }
    }
    const auto fail = [&](const std::string& what) {
      throw reader.error(place, "piece " + std::to_string(index) + ": " + what);
    };
    if (piece.text.empty()) fail("has no text");
    if (piece.text.size() > limits_.piece_bytes) {
      fail("a text of " + std::to_string(piece.text.size()) + " bytes, the limit is " +
           std::to_string(limits_.piece_bytes) + " (LoadLimits::piece_bytes)");
    }
    if (!std::isfinite(piece.score)) {
      fail(io::excerpt(piece.text) + ": its score is not finite");
    }
  }

  PieceKind kind(std::int32_t number, std::size_t place) const {
    if (number >= 1 && number <= 6) return static_cast<PieceKind>(number);
    throw unsupported(place, "a piece of the unknown kind " + std::to_string(number));
  }

  void read_trainer(ProtobufReader reader) {
    for (ProtobufField field; reader.next(field);) {
      switch (field.number) {
        case 3: model_.segmentation = segmentation(reader.integer(field), field.place); break;
        case 24: model_.whitespace_as_suffix = reader.boolean(field); break;
        case 35: model_.byte_fallback = reader.boolean(field); break;
        case 44: model_.unknown_surface = reader.bytes(field); break;
        case 45: model_.unknown_piece = reader.bytes(field); break;
        case 46: model_.begin_piece = reader.bytes(field); break;
        case 47: model_.end_piece = reader.bytes(field); break;
        case 48: model_.padding_piece = reader.bytes(field); break;
        default: break;
      }
    }
  }

  Segmentation segmentation(std::int32_t number, std::size_t place) const {
    switch (number) {
      case 1: return Segmentation::unigram;
      case 2: return Segmentation::byte_pair;
      case 3: throw unsupported(place, "the model type word");
      case 4: throw unsupported(place, "the model type char");
      default: throw unsupported(place, "the model type " + std::to_string(number));
    }
  }

  static void read_normalizer(ProtobufReader reader, NormalizerSpec& spec) {
    for (ProtobufField field; reader.next(field);) {
      switch (field.number) {
        case 2: spec.character_map = reader.bytes(field); break;
        case 3: spec.add_dummy_prefix = reader.boolean(field); break;
        case 4: spec.remove_extra_whitespaces = reader.boolean(field); break;
        case 5: spec.escape_whitespaces = reader.boolean(field); break;
        default: break;
      }
    }
  }

  Error unsupported(std::size_t place, const std::string& what) const {
    return Error(ErrorCode::unsupported,
                 model_.file + ": byte " + std::to_string(place) + ": " + what);
  }

  SentencePieceModel& model_;
  const io::LoadLimits& limits_;
};

}  // namespace detail

/// The model in a file's bytes, which it keeps; `file` names it in errors. Throws Error: format,
/// unsupported, or out_of_memory.
inline SentencePieceModel parse_sentence_piece_model(io::ByteBuffer bytes, std::string file,
                                                     const io::LoadLimits& limits = {}) {
  SentencePieceModel model;
  model.file = std::move(file);
  model.bytes = std::move(bytes);
  io::or_out_of_memory(model.file, [&] { detail::SentencePieceModelReader(model, limits).read(); });
  return model;
}

}  // namespace eigenformer::inline v0
