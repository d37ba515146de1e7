// SPDX-License-Identifier: MIT
// Any bytes as a .spm file: refused, or a tokenizer that cuts texts, the file's own end among them,
// and puts them together again.
#include <vector>

#include "eigenformer/tokenizers/sentence_piece.hpp"
#include "fuzz.hpp"

namespace {

using namespace eigenformer;
using namespace eigenformer::fuzz;
using enum ErrorCode;

/// So that a normal form can be over its limit.
io::LoadLimits small_limits() {
  io::LoadLimits limits;
  limits.text_bytes = 128;
  return limits;
}

void check_text(const SentencePiece& model, std::string_view text) {
  const auto normal = expect_only({invalid_argument}, [&] { return model.normalize(text); });
  if (!normal) return;
  std::string joined;
  std::vector<TokenId> ids;
  std::vector<std::string_view> texts;
  const std::vector<SentencePiece::Piece> pieces = model.encode(text);
  for (const auto& [part, id] : pieces) {
    require(id >= 0 && id < model.size(), "an id is a piece's");
    const bool byte = model.kind(id) == PieceKind::byte;
    byte ? joined += static_cast<char>(PieceTable::byte_of(part)) : joined += part;
    ids.push_back(id);
    texts.push_back(part);
  }
  require(joined == *normal, "pieces are the normal form");
  require(ids == model.encode_ids(text), "ids are those of the pieces");
  expect_only({invalid_argument}, [&] { return model.decode(ids); });
  expect_only({invalid_argument}, [&] { return model.decode(texts); });
}

void check_ids(const SentencePiece& model) {
  const auto size = static_cast<TokenId>(model.size());
  for (const TokenId id : {-1, size}) {
    const auto outside =
        expect_only({out_of_range}, [&] { return model.decode(std::span(&id, 1)); });
    require(!outside, "an id outside is refused");
  }
  for (TokenId id = 0; id < std::min(size, 32); ++id) {
    expect_only({invalid_argument}, [&] { return model.decode(std::span(&id, 1)); });
    const TokenId found = model.find(model.piece(id));
    require(model.piece(found) == model.piece(id), "a piece is found by its text");
  }
  for (const TokenId id : {model.begin(), model.end(), model.padding()}) {
    require(id == no_piece || model.kind(id) == PieceKind::control, "marks are control pieces");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const io::LoadLimits limits = small_limits();
  const std::string_view file = text_of(data, size);
  const auto model = expect_only({format, unsupported},
                                 [&] { return SentencePiece::parse(bytes_of(file), "f", limits); });
  if (!model) return 0;
  check_text(*model,
             "\xC3\x87"
             "a va, <unk> ab</s> AB\tA\xC3\xA9\xFF\xE2\x96 aaaaaaaa");
  check_text(*model, file.substr(size - std::min<std::size_t>(size, 64)));
  check_ids(*model);
  return 0;
}
