// SPDX-License-Identifier: MIT
// Any bytes as a .spm file: refused, or a tokenizer that cuts and joins text.
#include "eigenformer/tokenizers/sentence_piece.hpp"
#include "fuzz.hpp"

using namespace eigenformer;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::expect_file_errors([&] {
    const auto spm = SentencePiece::parse(fuzz::bytes_of(fuzz::text_of(data, size)), "file");
    // A hostile rule may make a short text long.
    fuzz::expect_only({ErrorCode::invalid_argument}, [&] {
      std::vector<std::string_view> pieces;
      const auto encoded = spm.encode("Ça va, \xF0\x9F\x98\x80 <unk>\xFF ab</s>  ﬁn");
      for (const SentencePiece::Piece& piece : encoded) {
        fuzz::require(piece.id >= 0 && piece.id < spm.size(), "an id is in the vocabulary");
        pieces.push_back(piece.text);
      }
      spm.decode(pieces);
    });
  });
  return 0;
}
