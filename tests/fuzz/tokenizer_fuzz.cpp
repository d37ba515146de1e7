// SPDX-License-Identifier: MIT
// Any text and any ids for the shipped model's tokenizer.
#include "eigenformer/tokenizers/marian_tokenizer.hpp"
#include "fuzz.hpp"

using namespace eigenformer;

namespace {

const MarianTokenizer& tokenizer() {
  static const MarianTokenizer one = MarianTokenizer::load(EIGENFORMER_MODELS "/fr-en-small");
  return one;
}

void check_text(std::string_view text) {
  const std::vector<TokenId> ids = tokenizer().encode_source(text);
  fuzz::require(!ids.empty() && ids.back() == tokenizer().end(), "ids end in the end token");
  for (const TokenId id : ids) {
    fuzz::require(io::is_utf8(tokenizer().source_piece_text(id)), "a piece is UTF-8");
  }
  const auto unknown = std::count(ids.begin(), ids.end(), tokenizer().unknown());
  fuzz::require(unknown == static_cast<std::ptrdiff_t>(tokenizer().unknown_source(text).size()),
                "each unknown id has a text");
  fuzz::require(io::is_utf8(tokenizer().decode_source(ids)), "what ids stand for is UTF-8");
}

void check_ids(std::string_view bytes) {
  std::vector<TokenId> ids;
  while (bytes.size() >= 2) {
    const unsigned low = fuzz::take_byte(bytes);
    ids.push_back(static_cast<TokenId>(low + 256 * fuzz::take_byte(bytes)) - 64);
  }
  fuzz::expect_only({ErrorCode::out_of_range}, [&] {
    fuzz::require(io::is_utf8(tokenizer().decode_target(ids)), "what ids stand for is UTF-8");
    tokenizer().decode_target(ids, SpecialTokens::keep);
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_text(fuzz::text_of(data, size));
  check_ids(fuzz::text_of(data, size));
  return 0;
}
