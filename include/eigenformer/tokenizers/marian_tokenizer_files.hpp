// SPDX-License-Identifier: MIT
/// The files of a Marian tokenizer's folder, read as transformers 5.24 reads them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/types.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/tokenizers/added_tokens.hpp"
#include "eigenformer/tokenizers/piece_table.hpp"
#include "eigenformer/tokenizers/sentence_piece.hpp"
#include "eigenformer/tokenizers/vocabulary.hpp"

namespace eigenformer::inline v0 {

/// What is in them.
struct MarianTokenizerFiles {
  SentencePiece source_spm;
  SentencePiece target_spm;
  Vocabulary vocabulary;
  std::optional<Vocabulary> target_vocabulary;  ///< with separate_vocabs
  AddedTokens added;                            ///< the special ones among them
  std::string unknown_token;                    ///< in both vocabularies
  std::string end_token;                        ///< among the added ones
  std::string padding_token;                    ///< among the added ones
  std::vector<std::string> languages;           ///< ">>fr<<"
  bool split_special_tokens = false;            ///< special tokens in a text are text
  bool clean_up_spaces = false;
};

namespace detail {

/// Collects the special and added tokens that a folder's JSON files name.
class MarianTokens {
 public:
  /// tokenizer_config.json, where there is one.
  void read_config(const io::Json& json) {
    for (const io::Json& member : json.members()) {
      const std::string_view key = member.key();
      if (key == "added_tokens_decoder" && member.kind() != io::JsonKind::null) {
        has_decoder_ = true;
        for (const io::Json& token : member.members()) read_numbered(token);
      } else {
        read_named(member);
      }
    }
  }

  /// The files of old folders, which tokenizer_config.json replaces if it lists added tokens.
  bool wants_legacy_files() const { return !has_decoder_; }

  /// special_tokens_map.json.
  void read_map(const io::Json& json) {
    for (const io::Json& member : json.members()) read_named(member);
  }

  /// added_tokens.json: texts to ids.
  void read_added(const io::Json& json, const io::LoadLimits& limits) {
    for (const io::Json& member : json.members()) {
      if (member.key().empty()) throw member.expected("a token's text as the name");
      add(std::string(member.key()),
          static_cast<TokenId>(member.integer(0, limits.vocabulary - 1)));
    }
  }

  /// All of them. What is special and has no id gets the vocabulary's, or the next free one.
  std::vector<AddedToken> finish(const Vocabulary& vocabulary) {
    std::size_t known = static_cast<std::size_t>(vocabulary.size());
    for (const AddedToken& token : tokens_) known += vocabulary.find(token.text) ? 0 : 1;
    const auto make_special = [&](const std::string& text) {
      for (AddedToken& token : tokens_) {
        if (token.text == text) {
          token.special = true;
          return;
        }
      }
      const std::optional<TokenId> id = vocabulary.find(text);
      tokens_.push_back({text, id ? *id : static_cast<TokenId>(known++), true});
    };
    for (const std::optional<std::string>& text : named_) {
      if (text && !text->empty()) make_special(*text);
    }
    for (const std::string& text : others_) make_special(text);
    return std::move(tokens_);
  }

  std::string end() const { return *named_[1]; }
  std::string unknown() const { return *named_[2]; }
  std::string padding() const { return *named_[4]; }

 private:
  // In the order in which the reference gives them ids.
  static constexpr std::array<std::string_view, 7> names = {
      "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

  void read_named(const io::Json& member) {
    if (member.kind() == io::JsonKind::null) return;
    const std::string_view key = member.key();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (key == names[i]) {
        named_[i] = text_of(member);
        return;
      }
    }
    if (key == "additional_special_tokens" || key == "extra_special_tokens") {
      if (member.kind() == io::JsonKind::object) {
        for (const io::Json& token : member.members()) others_.push_back(text_of(token));
      } else {
        for (const io::Json& token : member.elements()) others_.push_back(text_of(token));
      }
    } else if (key.ends_with("_token") &&
               (member.kind() == io::JsonKind::string || member.kind() == io::JsonKind::object)) {
      others_.push_back(text_of(member));
    }
  }

  /// An entry of added_tokens_decoder: "12": {"content": "<s>", ...}.
  void read_numbered(const io::Json& token) {
    const std::string_view digits = token.key();
    TokenId id = 0;
    if (digits.empty() || digits.size() > 9) throw token.expected("an id as the name");
    for (const char digit : digits) {
      if (digit < '0' || digit > '9') throw token.expected("an id as the name");
      id = id * 10 + (digit - '0');
    }
    add(text_of(token), id);
  }

  void add(std::string text, TokenId id) { tokens_.push_back({std::move(text), id, false}); }

  /// A token, written as its text or as an object with its properties.
  static std::string text_of(const io::Json& json) {
    const bool object = json.kind() == io::JsonKind::object;
    const io::Json content = object ? json.at("content") : json;
    if (content.string().empty()) throw content.expected("a token's text");
    if (object) {
      for (const std::string_view property : {"lstrip", "rstrip", "single_word"}) {
        const std::optional<io::Json> value = json.find(property);
        if (value && value->boolean()) {
          throw value->error(ErrorCode::unsupported, "a token that changes the text beside it");
        }
      }
    }
    return std::string(content.string());
  }

  std::array<std::optional<std::string>, names.size()> named_ = {
      std::nullopt, "</s>", "<unk>", std::nullopt, "<pad>", std::nullopt, std::nullopt};
  std::vector<std::string> others_;
  std::vector<AddedToken> tokens_;
  bool has_decoder_ = false;
};

inline bool setting(const std::optional<io::Json>& config, std::string_view key) {
  if (!config) return false;
  const std::optional<io::Json> value = config->find(key);
  return value && value->boolean();
}

/// SentencePiece is used as it is: no sampling, no extra symbols.
inline void check_spm_options(const std::optional<io::Json>& config) {
  if (!config) return;
  const std::optional<io::Json> options = config->find("sp_model_kwargs");
  if (!options) return;
  for (const io::Json& option : options->members()) {
    const bool off = option.kind() == io::JsonKind::boolean && !option.boolean();
    if (off || option.kind() == io::JsonKind::null) continue;
    throw option.error(ErrorCode::unsupported, "an option of SentencePiece");
  }
}

inline void check_unknown(const Vocabulary& vocabulary, const std::string& token,
                          const std::string& path) {
  if (vocabulary.find(token)) return;
  throw Error(ErrorCode::format, path + ": lacks the unknown token " + io::excerpt(token));
}

}  // namespace detail

/// Reads and checks them all. Throws Error: io, format, unsupported, or out_of_memory.
inline MarianTokenizerFiles read_marian_tokenizer_files(const std::string& folder,
                                                        const io::LoadLimits& limits = {}) {
  const std::string base = folder + "/";
  const auto config = io::read_json_if_there(base + "tokenizer_config.json", limits);
  detail::check_spm_options(config);
  detail::MarianTokens tokens;
  if (config) tokens.read_config(*config);
  if (tokens.wants_legacy_files()) {
    const auto map = io::read_json_if_there(base + "special_tokens_map.json", limits);
    if (map) tokens.read_map(*map);
    const auto added = io::read_json_if_there(base + "added_tokens.json", limits);
    if (added) tokens.read_added(*added, limits);
  }
  MarianTokenizerFiles files{
      .source_spm = SentencePiece::load(base + "source.spm", limits),
      .target_spm = SentencePiece::load(base + "target.spm", limits),
      .vocabulary = Vocabulary(io::read_json(base + "vocab.json", limits), limits),
      .target_vocabulary = std::nullopt,
      .added = {},
      .unknown_token = tokens.unknown(),
      .end_token = tokens.end(),
      .padding_token = tokens.padding(),
      .languages = {},
      .split_special_tokens = detail::setting(config, "split_special_tokens"),
      .clean_up_spaces = detail::setting(config, "clean_up_tokenization_spaces"),
  };
  detail::check_unknown(files.vocabulary, files.unknown_token, base + "vocab.json");
  if (detail::setting(config, "separate_vocabs")) {
    const std::string path = base + "target_vocab.json";
    files.target_vocabulary.emplace(io::read_json(path, limits), limits);
    detail::check_unknown(*files.target_vocabulary, files.unknown_token, path);
  } else {
    for (const PieceTrie::Entry& entry : files.vocabulary.entries()) {
      if (entry.text.starts_with(">>") && entry.text.ends_with("<<")) {
        files.languages.emplace_back(entry.text);
      }
    }
  }
  files.added = AddedTokens(tokens.finish(files.vocabulary));
  return files;
}

}  // namespace eigenformer::inline v0
