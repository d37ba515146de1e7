// SPDX-License-Identifier: MIT
/// What the tests of tokenizers/ share: recorded outputs, and models spelled out byte by byte.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/io/json.hpp"
#include "eigenformer/tokenizers/sentence_piece.hpp"
#include "io/support.hpp"

namespace tokenizers_test {

using eigenformer::Error;
using eigenformer::ErrorCode;
using eigenformer::Index;
using eigenformer::PieceKind;
using eigenformer::SentencePiece;
using eigenformer::TokenId;
using io_test::expect_error;

using Ids = std::vector<TokenId>;
using Texts = std::vector<std::string>;

/// A file below tests/data.
inline std::string data(const std::string& name) { return (io_test::data_folder / name).string(); }

inline std::string content_of(const std::string& name) { return io_test::content_of(data(name)); }

inline SentencePiece model(const std::string& name) {
  return SentencePiece::load(data("tokenizers/" + name));
}

/// The parts of a text between separators.
inline Texts split(std::string_view text, std::string_view separator) {
  Texts parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

/// The lines of a file, without an empty one after the last.
inline Texts lines(const std::string& name) {
  Texts out = split(content_of(name), "\n");
  if (out.back().empty()) out.pop_back();
  return out;
}

/// The values of a file with one JSON text a line.
inline std::vector<eigenformer::io::Json> json_lines(const std::string& name) {
  std::vector<eigenformer::io::Json> out;
  for (const std::string& line : lines(name)) {
    out.push_back(eigenformer::io::parse_json(line, name));
  }
  return out;
}

inline Ids ids(const eigenformer::io::Json& json) {
  Ids out;
  for (const auto& id : json.elements()) out.push_back(static_cast<TokenId>(id.integer()));
  return out;
}

inline Texts texts(const eigenformer::io::Json& json) {
  Texts out;
  for (const auto& text : json.elements()) out.emplace_back(text.string());
  return out;
}

inline Texts pieces(const SentencePiece& tokenizer, std::string_view text) {
  Texts out;
  for (const SentencePiece::Piece& piece : tokenizer.encode(text)) out.push_back(piece.text);
  return out;
}

/// Protocol buffers by hand: a varint, and fields.
inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 127; value >>= 7) out += static_cast<char>((value & 127) | 128);
  return out += static_cast<char>(value);
}

inline std::string field(unsigned number, std::string_view bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

inline std::string field(unsigned number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}

inline std::string field(unsigned number, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  std::string out = varint(number << 3 | 5);
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(bits >> shift & 255);
  return out;
}

/// A piece of a model file.
inline std::string piece(std::string_view text, float score = 0,
                         PieceKind kind = PieceKind::normal) {
  return field(1, field(1, text) + field(2, score) + field(3, std::uint64_t(kind)));
}

inline std::string unknown_piece() { return piece("<unk>", 0, PieceKind::unknown); }

/// A trainer_spec and a normalizer_spec that leaves text as it is.
inline std::string trainer(std::string_view fields) { return field(2, fields); }
inline std::string identity() {
  return field(
      3, field(3, std::uint64_t{0}) + field(4, std::uint64_t{0}) + field(5, std::uint64_t{0}));
}

inline SentencePiece parse(std::string_view content,
                           const eigenformer::io::LoadLimits& limits = {}) {
  return SentencePiece::parse(io_test::bytes_of(content), "tiny", limits);
}

}  // namespace tokenizers_test
