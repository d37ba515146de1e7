// SPDX-License-Identifier: MIT
/// SentencePiece (Kudo and Richardson, 2018, arXiv:1808.06226) from its model files: text to pieces
/// and back as the original does it (github.com/google/sentencepiece, 0.2.3). Unigram and BPE.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/types.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/file.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/tokenizers/byte_pair.hpp"
#include "eigenformer/tokenizers/piece_table.hpp"
#include "eigenformer/tokenizers/sentence_piece_model.hpp"
#include "eigenformer/tokenizers/text_normalizer.hpp"
#include "eigenformer/tokenizers/unigram.hpp"

namespace eigenformer::inline v0 {

/// A tokenizer read from a file. Immutable, cheap to copy, safe to use from any number of threads.
/// Texts that it hands out live as long as any copy.
class SentencePiece {
 public:
  /// A part of a text.
  struct Piece {
    std::string text;  ///< as it stands in the normal text, "▁Hello"; of a byte "<0x41>"
    TokenId id;        ///< of several unknown characters in a row, once, with all of their text
  };

  /// The model in a .spm file. Throws Error: io, format, unsupported (model types word and char),
  /// or out_of_memory.
  static SentencePiece load(const std::string& path, const io::LoadLimits& limits = {}) {
    return io::or_out_of_memory(path, [&] {
      return SentencePiece(io::read_file(path, limits.memory_bytes), path, limits);
    });
  }

  /// The model in the bytes of such a file, copied; `file` names it in errors.
  static SentencePiece parse(std::span<const std::byte> bytes, const std::string& file,
                             const io::LoadLimits& limits = {}) {
    io::check_budget(file, bytes.size(), limits.memory_bytes);
    return io::or_out_of_memory(
        file, [&] { return SentencePiece(io::copy_for(file, bytes), file, limits); });
  }

  /// The number of pieces; ids are below it.
  Index size() const { return table().size(); }

  /// The text of a piece. Throws Error(out_of_range).
  std::string_view piece(TokenId id) const { return checked(id).text; }

  /// Throws Error(out_of_range).
  PieceKind kind(TokenId id) const { return checked(id).kind; }

  /// The piece with that text, of any kind, or else unknown().
  TokenId find(std::string_view text) const { return table().find(text); }

  /// The piece for what no other covers, or no_piece where bytes serve instead.
  TokenId unknown() const { return table().unknown(); }

  /// The control pieces for begin, end and padding, or no_piece where the model has none.
  TokenId begin() const { return control(model_->data.begin_piece, "<s>"); }
  TokenId end() const { return control(model_->data.end_piece, "</s>"); }
  TokenId padding() const { return control(model_->data.padding_piece, "<pad>"); }

  /// A text's normal form, which encode cuts. Any bytes are a text; what is not UTF-8 becomes
  /// U+FFFD. Throws Error(invalid_argument) over LoadLimits::text_bytes, or for a normal form of
  /// over 4 times that.
  std::string normalize(std::string_view text) const {
    if (text.size() > model_->text_bytes) {
      throw Error(ErrorCode::invalid_argument,
                  "a text of " + std::to_string(text.size()) + " bytes, the limit is " +
                      std::to_string(model_->text_bytes) + " (LoadLimits::text_bytes)");
    }
    return model_->normalizer.normalize(text, model_->normal_bytes());
  }

  /// The pieces of a text, in order. Throws what normalize throws; so do the next three.
  std::vector<Piece> encode(std::string_view text) const {
    std::vector<Piece> out;
    visit(text, [&](std::string_view part, TokenId id) { out.push_back({std::string(part), id}); });
    return out;
  }

  /// Their ids alone.
  std::vector<TokenId> encode_ids(std::string_view text) const {
    std::vector<TokenId> out;
    out.reserve(text.size() / 3 + 2);
    visit(text, [&](std::string_view, TokenId id) { out.push_back(id); });
    return out;
  }

  /// Calls function(std::string_view text, TokenId id) for each piece that encode gives; the text
  /// lives as long as the call.
  template <class Function>
  void visit(std::string_view text, Function function) const {
    const std::string normal = normalize(text);
    const std::string_view whole = normal;
    PieceSpan unknown{0, 0, table().unknown()};  // several in a row are one
    const auto flush = [&] {
      if (unknown.length != 0) visit_unknown(whole.substr(unknown.begin, unknown.length), function);
      unknown.length = 0;
    };
    const auto add = [&](const PieceSpan& span) {
      if (span.id == unknown.id) {
        if (unknown.length == 0) unknown.begin = span.begin;
        unknown.length += span.length;
      } else {
        flush();
        function(whole.substr(span.begin, span.length), span.id);
      }
    };
    if (const auto* unigram = std::get_if<UnigramSegmenter>(&model_->segmenter)) {
      unigram->segment(whole, add);
    } else {
      std::get<BytePairSegmenter>(model_->segmenter).segment(whole, add);
    }
    flush();
  }

  /// The text of pieces given by id; control pieces leave no trace. Throws Error(out_of_range), and
  /// Error(invalid_argument) where a model that changes text on its way back makes far more of it:
  /// over 4 times the text and LoadLimits::text_bytes.
  std::string decode(std::span<const TokenId> ids) const {
    Decoder decoder(*this);
    for (const TokenId id : ids) decoder.add(checked(id).text, id);
    return decoder.finish();
  }

  /// The text of pieces given by text; one that the model does not know stands for itself. Throws
  /// Error(invalid_argument) alike.
  std::string decode(std::span<const std::string_view> pieces) const {
    Decoder decoder(*this);
    for (const std::string_view text : pieces) decoder.add(text, find(text));
    return decoder.finish();
  }

 private:
  /// Everything that is made once, at one address.
  struct Model {
    Model(io::ByteBuffer bytes, const std::string& file, const io::LoadLimits& limits)
        : data(parse_sentence_piece_model(std::move(bytes), file, limits)),
          table(data),
          normalizer(data.normalizer, table.user_defined(), data.whitespace_as_suffix,
                     file + ": normalizer_spec"),
          text_bytes(limits.text_bytes) {
      if (data.segmentation == Segmentation::byte_pair) {
        segmenter.emplace<BytePairSegmenter>(table);
      } else {
        segmenter.emplace<UnigramSegmenter>(table);
      }
      if (data.denormalizer) {
        denormalizer.emplace(*data.denormalizer, nothing, false, file + ": denormalizer_spec");
      }
    }

    /// Ends of spans are 31 bits wide.
    std::size_t normal_bytes() const {
      return std::min<std::size_t>(text_bytes, 0x1FFFFFFF) * 4 + 64;
    }

    SentencePieceModel data;
    PieceTable table;
    PieceTrie nothing;
    TextNormalizer normalizer;
    std::optional<TextNormalizer> denormalizer;
    std::variant<std::monostate, UnigramSegmenter, BytePairSegmenter> segmenter;
    std::size_t text_bytes;
  };

  /// Text out of pieces, one after the other.
  class Decoder {
   public:
    explicit Decoder(const SentencePiece& tokenizer) : model_(*tokenizer.model_) {}

    void add(std::string_view text, TokenId id) {
      const PieceKind kind = id == no_piece ? PieceKind::unknown : model_.table[id].kind;
      if (kind == PieceKind::byte) {
        bytes_ += static_cast<char>(PieceTable::byte_of(text));
        return;
      }
      flush_bytes();
      if (!out_.empty()) at_begin_ = false;
      if (kind == PieceKind::control) return;
      const std::string_view whole = text;
      const bool dropped = drop_space(text);
      if (kind == PieceKind::unknown) {
        const bool itself = id != no_piece && whole == model_.table[id].text;
        out_ += itself ? model_.data.unknown_surface : whole;
      } else {
        io::append_replacing(out_, text, space_symbol, " ");
      }
      if (dropped || !out_.empty()) at_begin_ = false;
    }

    std::string finish() {
      flush_bytes();
      if (!model_.denormalizer) return std::move(out_);
      return model_.denormalizer->normalize(out_, out_.size() * 4 + model_.normal_bytes());
    }

   private:
    /// Drops the space that the normaliser put in front. Whether no more may go.
    bool drop_space(std::string_view& text) const {
      const NormalizerSpec& spec = model_.data.normalizer;
      if (!at_begin_ || !(spec.add_dummy_prefix || spec.remove_extra_whitespaces)) return false;
      if (!text.starts_with(space_symbol)) return false;
      text.remove_prefix(space_symbol.size());
      return !spec.remove_extra_whitespaces;
    }

    void flush_bytes() {
      for (std::string_view rest = bytes_; !rest.empty();) {
        const std::size_t length = io::utf8_length(rest);
        out_ += length == 0 ? io::replacement_character : rest.substr(0, length);
        rest.remove_prefix(length == 0 ? 1 : length);
      }
      bytes_.clear();
    }

    const Model& model_;
    std::string out_;
    std::string bytes_;     ///< of byte pieces, not yet in out_
    bool at_begin_ = true;  ///< a space here is the normaliser's
  };

  SentencePiece(io::ByteBuffer bytes, const std::string& file, const io::LoadLimits& limits)
      : model_(io::or_out_of_memory(
            file, [&] { return std::make_shared<const Model>(std::move(bytes), file, limits); })) {}

  const PieceTable& table() const { return model_->table; }

  const PieceTable::Piece& checked(TokenId id) const {
    if (id < 0 || id >= size()) {
      throw Error(ErrorCode::out_of_range, model_->data.file + ": piece " + std::to_string(id) +
                                               ", expected 0 to " + std::to_string(size() - 1));
    }
    return table()[id];
  }

  TokenId control(std::string_view given, std::string_view usual) const {
    const TokenId id = find(given.empty() ? usual : given);
    return id != no_piece && table()[id].kind == PieceKind::control ? id : no_piece;
  }

  template <class Function>
  void visit_unknown(std::string_view part, Function& function) const {
    if (!table().byte_fallback()) {
      function(part, table().unknown());
      return;
    }
    for (const char byte : part) {
      const TokenId id = table().byte(byte);
      function(table()[id].text, id);
    }
  }

  std::shared_ptr<const Model> model_;
};

}  // namespace eigenformer::inline v0
