// SPDX-License-Identifier: MIT
/// The tokenizer of Marian models in the hub's layout, as transformers' MarianTokenizer has it
/// (tokenization_marian.py, 5.24): SentencePiece for both languages, and ids from vocab.json.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/types.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/tokenizers/added_tokens.hpp"
#include "eigenformer/tokenizers/marian_tokenizer_files.hpp"
#include "eigenformer/tokenizers/sentence_piece.hpp"
#include "eigenformer/tokenizers/tokenizer.hpp"
#include "eigenformer/tokenizers/vocabulary.hpp"

namespace eigenformer::inline v0 {

/// Text to ids and back, for the language that is translated (the source) and the one that it
/// becomes (the target). As a Tokenizer it encodes the source and decodes the target.
class MarianTokenizer : public Tokenizer {
 public:
  /// The tokenizer in a folder: source.spm, target.spm, vocab.json, with separate_vocabs
  /// target_vocab.json; tokenizer_config.json, special_tokens_map.json and added_tokens.json where
  /// they are. Throws Error: io, format, unsupported, or out_of_memory.
  static MarianTokenizer load(const std::string& folder, const io::LoadLimits& limits = {});

  /// The ids of a text, with eos. A text may begin with the language to translate to, ">>fr<<".
  /// Throws Error(invalid_argument) over LoadLimits::text_bytes; so does encode_target.
  std::vector<TokenId> encode_source(std::string_view text) const { return encode(source_, text); }

  /// The same in the target's language.
  std::vector<TokenId> encode_target(std::string_view text) const { return encode(target(), text); }

  /// The parts of a source text, as SentencePiece normalises it, that become unknown(), in order.
  std::vector<std::string> unknown_source(std::string_view text) const;

  /// The text of ids. Throws Error(out_of_range) for an id that stands for nothing; so does
  /// decode_source.
  std::string decode_target(std::span<const TokenId> ids,
                            SpecialTokens special = SpecialTokens::skip) const {
    // With one vocabulary the reference decodes by the source's model.
    return decode(ids, special, target(), separate() ? target_.spm : source_.spm);
  }

  std::string decode_source(std::span<const TokenId> ids,
                            SpecialTokens special = SpecialTokens::skip) const {
    return decode(ids, special, source_, source_.spm);
  }

  std::vector<TokenId> encode(std::string_view text) const override { return encode_source(text); }
  std::string decode(std::span<const TokenId> ids) const override { return decode_target(ids); }

  /// A target id's text. Throws Error(out_of_range); so do the next three.
  std::string_view piece_text(TokenId id) const override {
    return text_of(id, target(), separate() ? target_.spm : source_.spm);
  }

  /// Whether a target id begins a word: with U+2581.
  bool begins_word(TokenId id) const override {
    return piece_text(id).starts_with(space_symbol) && !is_special(id);
  }

  std::string_view source_piece_text(TokenId id) const { return text_of(id, source_, source_.spm); }

  bool source_begins_word(TokenId id) const {
    return source_piece_text(id).starts_with(space_symbol) && !is_special(id);
  }

  bool is_special(TokenId id) const override {
    const AddedToken* token = added_.find(id);
    return token != nullptr && token->special;
  }

  TokenId end() const { return end_; }
  TokenId padding() const { return padding_; }
  TokenId unknown() const { return source_.unknown; }

  /// The languages to translate to, ">>fr<<", that the vocabulary has.
  const std::vector<std::string>& languages() const { return languages_; }

 private:
  /// One language: SentencePiece's model, the vocabulary, and the way from one's ids to the
  /// other's.
  struct Side {
    SentencePiece spm;
    std::optional<Vocabulary> vocabulary;  ///< nothing: the source's
    std::vector<TokenId> ids;              ///< by piece
    TokenId unknown;
  };

  explicit MarianTokenizer(MarianTokenizerFiles files);

  bool separate() const { return target_.vocabulary.has_value(); }
  const Side& target() const { return target_; }

  const Vocabulary& vocabulary_of(const Side& side) const {
    return side.vocabulary ? *side.vocabulary : *source_.vocabulary;
  }

  TokenId id_of(std::string_view text, const Side& side) const {
    if (const AddedToken* token = added_.find(text)) return token->id;
    return vocabulary_of(side).find(text).value_or(side.unknown);
  }

  std::vector<TokenId> encode(const Side& side, std::string_view text) const;
  /// function(text, id) for each id of a text.
  template <class Function>
  void visit(std::string_view text, const Side& side, Function function) const;
  template <class Function>
  void visit_part(std::string_view text, const Side& side, Function& function) const;

  std::string_view text_of(TokenId id, const Side& side, const SentencePiece& spm) const {
    if (const AddedToken* token = added_.find(id)) return token->text;
    if (const auto text = vocabulary_of(side).find(id)) return *text;
    return spm.piece(id);
  }

  std::string decode(std::span<const TokenId> ids, SpecialTokens special, const Side& side,
                     const SentencePiece& spm) const;
  std::string finish(std::string_view text) const;

  static std::string replace(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    out.reserve(text.size());
    io::append_replacing(out, text, from, to);
    return out;
  }

  /// Without white space (Unicode's, as Python has it) at both ends.
  static std::string_view strip(std::string_view text) {
    while (!text.empty()) {
      const std::size_t length = io::utf8_length(text);
      if (length == 0 || !is_space(text.substr(0, length))) break;
      text.remove_prefix(length);
    }
    while (!text.empty()) {
      std::size_t begin = text.size() - 1;
      while (begin > 0 && io::continues_character(text[begin])) --begin;
      if (!is_space(text.substr(begin))) break;
      text.remove_suffix(text.size() - begin);
    }
    return text;
  }

  static bool is_space(std::string_view c) {
    if (c.size() == 1) return (c[0] >= '\t' && c[0] <= '\r') || (c[0] >= '\x1C' && c[0] <= ' ');
    if (c == "\u0085" || c == "\u00A0" || c == "\u1680" || c == "\u3000") return true;
    return (c >= "\u2000" && c <= "\u200A") || c == "\u2028" || c == "\u2029" || c == "\u202F" ||
           c == "\u205F";
  }

  AddedTokens added_;
  Side source_;
  Side target_;
  TokenId end_;
  TokenId padding_;
  bool split_added_;
  bool clean_up_;
  std::vector<std::string> languages_;
};

#if EIGENFORMER_DEFINES(EIGENFORMER_PART_TOKENIZERS)

EIGENFORMER_INLINE MarianTokenizer MarianTokenizer::load(const std::string& folder,
                                                         const io::LoadLimits& limits) {
  return io::or_out_of_memory(
      folder, [&] { return MarianTokenizer(read_marian_tokenizer_files(folder, limits)); });
}

EIGENFORMER_INLINE MarianTokenizer::MarianTokenizer(MarianTokenizerFiles files)
    : added_(std::move(files.added)),
      source_{std::move(files.source_spm), std::move(files.vocabulary), {}, 0},
      target_{std::move(files.target_spm), std::move(files.target_vocabulary), {}, 0},
      end_(added_.find(files.end_token)->id),
      padding_(added_.find(files.padding_token)->id),
      split_added_(!files.split_special_tokens),
      clean_up_(files.clean_up_spaces),
      languages_(std::move(files.languages)) {
  for (Side* side : {&source_, &target_}) {
    const Vocabulary& vocabulary = vocabulary_of(*side);
    side->unknown = vocabulary.find(files.unknown_token).value();
    for (TokenId piece = 0; piece < side->spm.size(); ++piece) {
      side->ids.push_back(id_of(side->spm.piece(piece), *side));
    }
  }
}

EIGENFORMER_INLINE std::vector<TokenId> MarianTokenizer::encode(const Side& side,
                                                                std::string_view text) const {
  std::vector<TokenId> ids;
  visit(text, side, [&](std::string_view, TokenId id) { ids.push_back(id); });
  ids.push_back(end_);
  return ids;
}

EIGENFORMER_INLINE std::vector<std::string> MarianTokenizer::unknown_source(
    std::string_view text) const {
  std::vector<std::string> out;
  visit(text, source_, [&](std::string_view part, TokenId id) {
    if (id == source_.unknown) out.emplace_back(part);
  });
  return out;
}

template <class Function>
void MarianTokenizer::visit(std::string_view text, const Side& side, Function function) const {
  if (!split_added_) return visit_part(text, side, function);
  added_.split(
      text, [&](std::string_view part) { visit_part(part, side, function); },
      [&](const AddedToken& token) { function(token.text, token.id); });
}

template <class Function>
void MarianTokenizer::visit_part(std::string_view text, const Side& side,
                                 Function& function) const {
  if (text.starts_with(">>")) {
    if (const std::size_t end = text.find("<<"); end != std::string_view::npos) {
      function(text.substr(0, end + 2), id_of(text.substr(0, end + 2), side));
      text.remove_prefix(end + 2);
    }
  }
  side.spm.visit(text, [&](std::string_view part, TokenId piece) {
    // What SentencePiece does not know, vocab.json may.
    function(part, piece == side.spm.unknown() ? id_of(part, side)
                                               : side.ids[static_cast<std::size_t>(piece)]);
  });
}

EIGENFORMER_INLINE std::string MarianTokenizer::decode(std::span<const TokenId> ids,
                                                       SpecialTokens special, const Side& side,
                                                       const SentencePiece& spm) const {
  std::string out;
  std::vector<std::string_view> pieces;
  for (const TokenId id : ids) {
    const std::string_view text = text_of(id, side, spm);
    if (!is_special(id)) {
      // A special token's text under another id is that token, too.
      const AddedToken* token = added_.find(text);
      if (token == nullptr || !token->special) {
        pieces.push_back(text);
        continue;
      }
    } else if (special == SpecialTokens::skip) {
      continue;
    }
    out += spm.decode(pieces);
    out += text;
    out += ' ';
    pieces.clear();
  }
  out += spm.decode(pieces);
  return finish(out);
}

EIGENFORMER_INLINE std::string MarianTokenizer::finish(std::string_view text) const {
  std::string out = replace(text, space_symbol, " ");
  out = std::string(strip(out));
  if (!clean_up_) return out;
  constexpr std::pair<std::string_view, std::string_view> rules[] = {
      {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
      {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : rules) out = replace(out, from, to);
  return out;
}

#endif

}  // namespace eigenformer::inline v0
