// SPDX-License-Identifier: MIT
// Any rules on any text: refused, or a normal form that is UTF-8 where the rules are. The input is
// a byte of switches, two bytes of length, that many bytes of rules, and text.
#include "eigenformer/tokenizers/text_normalizer.hpp"
#include "fuzz.hpp"

using namespace eigenformer;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const unsigned switches = fuzz::take_byte(rest);
  const std::size_t length = fuzz::take_byte(rest) + 256 * fuzz::take_byte(rest);
  const std::string rules(rest.substr(0, length));  // a block of its own
  const std::string_view text = rest.substr(std::min(length, rest.size()));
  std::vector<PieceTrie::Entry> entries{{"<s>", 0}, {"ab", 1}, {"\u00e9", 2}};
  PieceTrie::sort(entries);
  const PieceTrie kept = switches & 16 ? PieceTrie(entries) : PieceTrie();
  const NormalizerSpec spec{rules, (switches & 1) != 0, (switches & 2) != 0, (switches & 4) != 0};
  fuzz::expect_file_errors([&] {
    const TextNormalizer normalizer(spec, kept, (switches & 8) != 0, "rules");
    fuzz::expect_only({ErrorCode::invalid_argument}, [&] {
      const std::size_t most = 4 * text.size() + 64;
      const std::string normal = normalizer.normalize(text, most);
      fuzz::require(normal == normalizer.normalize(text, most), "a normal form is one");
      if (rules.empty()) fuzz::require(io::is_utf8(normal), "a normal form is UTF-8");
    });
  });
  return 0;
}
