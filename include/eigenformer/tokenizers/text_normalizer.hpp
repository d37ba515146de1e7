// SPDX-License-Identifier: MIT
/// What SentencePiece does with text before it cuts it (normalizer.cc): rules replace characters,
/// spaces are dropped, added and marked.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/tokenizers/character_map.hpp"
#include "eigenformer/tokenizers/piece_table.hpp"
#include "eigenformer/tokenizers/piece_trie.hpp"
#include "eigenformer/tokenizers/sentence_piece_model.hpp"

namespace eigenformer::inline v0 {

/// Text to normal text. What it points to must outlive it.
class TextNormalizer {
 public:
  /// A model's normaliser or denormaliser: its rules, on which side a word's space is, and the
  /// texts that no rule may change; `place` names the rules in errors. Throws Error(format).
  TextNormalizer(const NormalizerSpec& spec, const PieceTrie& kept, bool whitespace_as_suffix,
                 const std::string& place)
      : spec_(spec),
        kept_(&kept),
        whitespace_as_suffix_(whitespace_as_suffix),
        space_(spec.escape_whitespaces ? space_symbol : " "),
        map_(spec.character_map, place) {
    for (std::size_t i = 0; i < 128; ++i) {
      const auto byte = static_cast<char>(i);
      plain_[i] = byte != ' ' && !map_.has_first(byte) && !kept.has_first(byte);
    }
  }

  /// The normal form of any bytes; what is not UTF-8 becomes U+FFFD. Throws
  /// Error(invalid_argument) where it would need more than `most` bytes.
  std::string normalize(std::string_view text, std::size_t most) const {
    std::string out;
    std::size_t work = 0;
    if (spec_.remove_extra_whitespaces) {
      while (!text.empty()) {
        const Prefix prefix = next(text);
        if (prefix.text != " ") break;
        text.remove_prefix(prefix.length);
      }
    }
    if (text.empty()) return out;
    out.reserve(text.size() + text.size() / 2);
    if (spec_.add_dummy_prefix && !whitespace_as_suffix_) out += space_;
    bool after_space = spec_.remove_extra_whitespaces;
    while (!text.empty()) {
      const Prefix prefix = next(text);
      text.remove_prefix(prefix.length);
      work += prefix.text.size();
      if (work > most || out.size() > most) refuse(most);
      append(prefix.text, after_space, out);
    }
    if (spec_.remove_extra_whitespaces) {
      while (out.ends_with(space_)) out.resize(out.size() - space_.size());
    }
    if (spec_.add_dummy_prefix && whitespace_as_suffix_) out += space_;
    return out;
  }

 private:
  /// What the beginning of a text becomes.
  struct Prefix {
    std::string_view text;
    std::size_t length;  ///< bytes of the text that it stands for
  };

  Prefix next(std::string_view text) const {
    if (const std::size_t length = plain_run(text)) return {text.substr(0, length), length};
    if (!kept_->empty()) {
      const std::size_t length = kept_->longest_prefix(text);
      if (length != 0) return {text.substr(0, length), length};
    }
    const CharacterMap::Match match = map_.find(text);
    if (match.length != 0) return {match.replacement, match.length};
    const std::size_t length = io::utf8_length(text);
    if (length == 0) return {io::replacement_character, 1};
    return {text.substr(0, length), length};
  }

  /// Bytes at the beginning that stay as they are.
  std::size_t plain_run(std::string_view text) const {
    std::size_t length = 0;
    while (length < text.size() && static_cast<unsigned char>(text[length]) < 128 &&
           plain_[static_cast<unsigned char>(text[length])]) {
      ++length;
    }
    return length;
  }

  void append(std::string_view text, bool& after_space, std::string& out) const {
    while (after_space && text.starts_with(' ')) text.remove_prefix(1);
    if (text.empty()) return;
    io::append_replacing(out, text, " ", space_);
    after_space = spec_.remove_extra_whitespaces && text.ends_with(' ');
  }

  [[noreturn]] static void refuse(std::size_t most) {
    throw Error(ErrorCode::invalid_argument, "the text needs more than " + std::to_string(most) +
                                                 " bytes in its normal form "
                                                 "(4 times LoadLimits::text_bytes)");
  }

  NormalizerSpec spec_;
  const PieceTrie* kept_;
  bool whitespace_as_suffix_;
  std::string_view space_;
  CharacterMap map_;
  std::array<bool, 128> plain_{};
};

}  // namespace eigenformer::inline v0
