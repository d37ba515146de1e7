// SPDX-License-Identifier: MIT
// Any rules on any text: refused, or the normal form that the plain way gives, too; and any text by
// the rules of a published model. The input is a byte of switches, two bytes of length, that many
// bytes of rules, and text.
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "eigenformer/tokenizers/sentence_piece_model.hpp"
#include "eigenformer/tokenizers/text_normalizer.hpp"
#include "fuzz.hpp"

namespace {

using namespace eigenformer;
using namespace eigenformer::fuzz;
constexpr std::size_t most = 1024;
enum Switch : unsigned { dummy_prefix = 1, remove_spaces = 2, escape = 4, suffix = 8, keeps = 16 };
enum RulesSwitch : unsigned { published = 32, sparse = 64 };

/// A trie of 256 units that are 0 but for those which five bytes each give: its place, its value.
/// What follows are the replacements. Mutations of a whole trie would hardly keep it one.
std::string sparse_rules(std::string_view rest) {
  std::string out(4 + 1024, '\0');
  out[1] = 4;
  for (unsigned units = take_byte(rest) % 32; units > 0; --units) {
    const std::size_t place = take_byte(rest);
    const std::string_view unit = take(rest, 4);
    std::memcpy(out.data() + 4 + place * 4, unit.data(), unit.size());
  }
  out += rest;
  return out += '\0';
}

/// Texts that no rule changes, or none.
const PieceTrie& kept_texts(bool any) {
  static const PieceTrie none;
  static const PieceTrie some({{"<s>", 0}, {"ab", 1}, {"\u00e9", 2}});
  return any ? some : none;
}

/// A normaliser, and the same of its rules for the plain way.
struct Rules {
  Rules(std::string_view rules, unsigned switches)
      : spec{rules, (switches & dummy_prefix) != 0, (switches & remove_spaces) != 0,
             (switches & escape) != 0},
        as_suffix((switches & suffix) != 0),
        kept(kept_texts((switches & keeps) != 0)),
        map(rules, "rules"),
        normalizer(spec, kept, as_suffix, "rules") {}

  NormalizerSpec spec;
  bool as_suffix;
  const PieceTrie& kept;
  CharacterMap map;
  TextNormalizer normalizer;
};

struct Prefix {
  std::string_view normal;
  std::size_t length;
};

/// What the beginning of a text becomes.
Prefix first_of(std::string_view text, const Rules& rules) {
  if (const std::size_t length = rules.kept.longest_prefix(text)) {
    return {text.substr(0, length), length};
  }
  const CharacterMap::Match match = rules.map.find(text);
  require(match.length <= text.size(), "a rule's text is in the text");
  if (match.length != 0) return {match.replacement, match.length};
  const std::size_t length = io::utf8_length(text);
  if (length == 0) return {io::replacement_character, 1};
  return {text.substr(0, length), length};
}

/// As TextNormalizer does it, character by character.
std::string plainly(const Rules& rules, std::string_view text) {
  const bool removes = rules.spec.remove_extra_whitespaces;
  const bool adds = rules.spec.add_dummy_prefix;
  const std::string space = rules.spec.escape_whitespaces ? "\xE2\x96\x81" : " ";
  std::string out;
  bool any = false, after_space = removes;
  while (!text.empty()) {
    auto [part, length] = first_of(text, rules);
    text.remove_prefix(length);
    if (!any && removes && part == " ") continue;
    if (!any && adds && !rules.as_suffix) out += space;
    any = true;
    while (after_space && part.starts_with(' ')) part.remove_prefix(1);
    if (part.empty()) continue;
    for (const char c : part) c == ' ' ? out += space : out += c;
    after_space = removes && part.ends_with(' ');
  }
  if (!any) return out;
  while (removes && out.ends_with(space)) out.erase(out.size() - space.size());
  if (adds && rules.as_suffix) out += space;
  return out;
}

void check_text(const Rules& rules, std::string_view text) {
  const auto normal = expect_only({ErrorCode::invalid_argument},
                                  [&] { return rules.normalizer.normalize(text, most); });
  if (!normal) return;
  require(*normal == plainly(rules, text), "the normal form is what the rules make");
  if (rules.spec.character_map.empty()) {
    require(io::is_utf8(*normal), "a normal form is UTF-8 where the rules are");
  }
}

/// The rules of models/fr-en-small. They are checked once: each time would take too long.
const Rules& published_rules(unsigned switches) {
  static const SentencePieceModel model = parse_sentence_piece_model(
      io::read_file(EIGENFORMER_MODELS "/fr-en-small/source.spm", 1 << 30), "source.spm");
  static std::array<std::optional<Rules>, 32> all;
  std::optional<Rules>& rules = all[switches % 32];
  if (!rules) rules.emplace(model.normalizer.character_map, switches);
  return *rules;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  const unsigned switches = take_byte(rest);
  const std::size_t length = take_byte(rest) + 256 * take_byte(rest);
  // Blocks of their own, so that a sanitizer sees a step beyond them.
  const std::string given(take(rest, length)), text(rest);
  if ((switches & published) != 0) {
    check_text(published_rules(switches), text);
    return 0;
  }
  const std::string rules = (switches & sparse) != 0 ? sparse_rules(given) : given;
  const auto parsed =
      expect_only({ErrorCode::format}, [&] { return std::make_unique<Rules>(rules, switches); });
  if (parsed) check_text(**parsed, text);
  return 0;
}
