// SPDX-License-Identifier: MIT
// Any text and any ids for the shipped model's tokenizer.
#include "eigenformer/tokenizers/marian_tokenizer.hpp"

#include "fuzz.hpp"

namespace {

using namespace eigenformer;
using namespace eigenformer::fuzz;

const MarianTokenizer& tokenizer() {
  static const MarianTokenizer one = MarianTokenizer::load(EIGENFORMER_MODELS "/fr-en-small");
  return one;
}

void check_text(std::string_view text) {
  const std::vector<TokenId> ids = tokenizer().encode_source(text);
  require(!ids.empty() && ids.back() == tokenizer().end(), "ids end in the end token");
  for (const TokenId id : ids) {
    require(io::is_utf8(tokenizer().source_piece_text(id)), "a piece is UTF-8");
  }
  const auto unknown = std::count(ids.begin(), ids.end(), tokenizer().unknown());
  require(unknown == static_cast<std::ptrdiff_t>(tokenizer().unknown_source(text).size()),
          "each unknown id has a text");
  const std::string decoded = tokenizer().decode_source(ids);
  require(io::is_utf8(decoded), "what ids stand for is UTF-8");
  require(!decoded.starts_with(' ') && !decoded.ends_with(' '), "no space is around it");
  // What the vocabulary lacks is lost at once, and the rest may then mean something else; so may
  // what looks like a token.
  if (unknown > 0 || decoded.find_first_of("<>") != std::string::npos) return;
  require(tokenizer().decode_source(tokenizer().encode_source(decoded)) == decoded,
          "a text that was decoded stays as it is");
}

void check_ids(std::string_view bytes) {
  std::vector<TokenId> ids;
  while (bytes.size() >= 2) {
    const unsigned low = take_byte(bytes);
    ids.push_back(static_cast<TokenId>(low + 256 * take_byte(bytes)) - 64);
  }
  const auto text =
      expect_only({ErrorCode::out_of_range}, [&] { return tokenizer().decode_target(ids); });
  const bool known = std::all_of(ids.begin(), ids.end(), [](TokenId id) {
    return expect_only({ErrorCode::out_of_range}, [&] { return tokenizer().piece_text(id); });
  });
  require(known == text.has_value(), "ids with a text, and no others, can be decoded");
  if (!text) return;
  require(io::is_utf8(*text), "what ids stand for is UTF-8");
  tokenizer().decode_target(ids, SpecialTokens::keep);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_text(text_of(data, size));
  check_ids(text_of(data, size));
  return 0;
}
