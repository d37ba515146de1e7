// SPDX-License-Identifier: MIT
// A row for every option of decoding: what it changes of a translation, the least and the greatest
// value that work, and what is said of those beyond.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/option_rows.hpp"
#include "support/refusal.hpp"
#include "support/shipped_translator.hpp"

namespace eigenformer::test {
namespace {

using Pieces = std::vector<std::string>;

Pieces pieces(const GenerationOptions& generation, const std::string& text = cat) {
  return best(generation, text).pieces;
}
/// The first token of an English text.
TokenId id(const char* word) { return translator().tokenizer().encode_target(word).at(0); }

using Generation = GenerationOptions;
using Rows = std::vector<Row<Generation>>;

/// Who adds a field adds it here, and a row.
std::vector<const void*> fields_of(const Generation& options) {
  const auto& [max_new_tokens, max_length, min_new_tokens, min_length, beam_size, hypotheses,
               early_stopping, length_penalty, repetition_penalty, no_repeat_ngram_size, bad_words,
               suppress_tokens, begin_suppress_tokens, forced_bos_token, forced_eos_tokens, sample,
               temperature, top_k, top_p, min_p, typical_p, epsilon_cutoff, eta_cutoff, seed,
               stop_tokens, start_token, pad_token] = options;
  return {&max_new_tokens,
          &max_length,
          &min_new_tokens,
          &min_length,
          &beam_size,
          &hypotheses,
          &early_stopping,
          &length_penalty,
          &repetition_penalty,
          &no_repeat_ngram_size,
          &bad_words,
          &suppress_tokens,
          &begin_suppress_tokens,
          &forced_bos_token,
          &forced_eos_tokens,
          &sample,
          &temperature,
          &top_k,
          &top_p,
          &min_p,
          &typical_p,
          &epsilon_cutoff,
          &eta_cutoff,
          &seed,
          &stop_tokens,
          &start_token,
          &pad_token};
}

/// Adds values to a row, beside the options that they are tried with.
template <class Value>
class With {
 public:
  With(Row<Generation> row, std::optional<Value> Generation::*member, Generation base)
      : row_(std::move(row)), member_(member), base_(std::move(base)) {
    row_.is_set = [member](const Generation& options) { return (options.*member).has_value(); };
  }

  With& allow(std::initializer_list<Value> values) {
    for (const Value& value : values) row_.allowed.push_back(set(value));
    return *this;
  }
  With& refuse(const Value& value, const std::string& text) {
    row_.refused.push_back({set(value), row_.name + ": expected " + text});
    return *this;
  }
  operator Row<Generation>() const { return row_; }

 private:
  Row<Generation>::Set set(const Value& value) const {
    return [base = base_, member = member_, value](Generation& options) {
      options = base;
      options.*member = value;
    };
  }

  Row<Generation> row_;
  std::optional<Value> Generation::*member_;
  Generation base_;
};

/// Greedy search is fast; options of other searches bring their own.
const Generation greedy{.beam_size = 1};
const Generation drawing{.beam_size = 1, .sample = true};

template <class Value>
With<Value> with(const char* name, std::optional<Value> Generation::*member,
                 std::function<void()> effect, const Generation& base = greedy) {
  return With<Value>(row(name, member, std::move(effect)), member, base);
}

/// A whole number from `least` to `most`.
Row<Generation> whole(const char* name, std::optional<Index> Generation::*member, Index least,
                      Index most, std::function<void()> effect, const Generation& base = greedy) {
  using Limits = std::numeric_limits<Index>;
  auto out = with(name, member, std::move(effect), base);
  out.allow({least, most});
  for (const Index wrong : {Limits::min(), least - 1, most + 1, Limits::max()}) {
    out.refuse(wrong, std::to_string(least) + " to " + std::to_string(most) + ", got " +
                          std::to_string(wrong));
  }
  return out;
}

constexpr float least_float = std::numeric_limits<float>::denorm_min();
constexpr float most_float = std::numeric_limits<float>::max();

/// No number is outside these, and so outside every range.
With<float> refusing_no_numbers(With<float> row, const std::string& range) {
  row.refuse(HUGE_VALF, range + ", got inf").refuse(-HUGE_VALF, range + ", got -inf");
  return row.refuse(std::nanf(""), range + ", got nan");
}

With<float> real(const char* name, std::optional<float> Generation::*member,
                 const std::string& range, std::function<void()> effect,
                 const Generation& base = greedy) {
  return refusing_no_numbers(with(name, member, std::move(effect), base), range);
}

/// A share of a probability, 0 to 1.
Row<Generation> share(const char* name, std::optional<float> Generation::*member,
                      std::function<void()> effect) {
  auto out = real(name, member, "0 to 1", std::move(effect), drawing);
  out.allow({0.0f, -0.0f, least_float, std::nextafter(1.0f, 0.0f), 1.0f});
  return out.refuse(-least_float, "0 to 1, got -1e-45")
      .refuse(std::nextafter(1.0f, 2.0f), "0 to 1, got 1.0000001");
}

constexpr TokenId last = 6000, least_token = std::numeric_limits<TokenId>::min(),
                  most_token = std::numeric_limits<TokenId>::max();

Row<Generation> token(const char* name, std::optional<TokenId> Generation::*member,
                      std::function<void()> effect) {
  return with(name, member, std::move(effect))
      .allow({0, last})
      .refuse(-1, "0 to 6000, got -1")
      .refuse(last + 1, "0 to 6000, got 6001")
      .refuse(least_token, "0 to 6000, got -2147483648")
      .refuse(most_token, "0 to 6000, got 2147483647");
}

using Tokens = std::vector<TokenId>;

Row<Generation> tokens(const char* name, std::optional<Tokens> Generation::*member,
                       std::function<void()> effect) {
  return with(name, member, std::move(effect))
      .allow({Tokens{}, Tokens{0}, Tokens{last}, Tokens{7, 7}})
      .refuse({-1}, "0 to 6000, got -1")
      .refuse({0, last + 1}, "0 to 6000, got 6001")
      .refuse({most_token}, "0 to 6000, got 2147483647");
}

Rows length_rows() {
  constexpr Index most = Index{1} << 40, most_of_rules = 2147483647;
  return {
      whole("max_new_tokens", &Generation::max_new_tokens, 1, most,
            [] {
              EXPECT_EQ(pieces({.max_new_tokens = 3}).size(), 3u);
              EXPECT_EQ(pieces({.max_new_tokens = 3, .max_length = 6}).size(), 3u);
            }),
      whole("max_length", &Generation::max_length, 1, most,
            [] { EXPECT_EQ(pieces({.max_length = 4}).size(), 3u); }),
      whole("min_new_tokens", &Generation::min_new_tokens, 0, most_of_rules,
            [] {
              EXPECT_EQ(pieces({}).size(), 8u);
              EXPECT_GE(pieces({.min_new_tokens = 15}).size(), 16u);
            }),
      whole("min_length", &Generation::min_length, 0, most_of_rules,
            [] { EXPECT_GE(pieces({.min_length = 15}).size(), 15u); }),
  };
}

void expect_beam_size_counts() {
  const std::string mat = "Le chat s'est assis sur le tapis.";
  const Alternative one = best({.beam_size = 1}, mat), four = best({.beam_size = 4}, mat);
  EXPECT_NE(one.text, four.text);
  EXPECT_LT(one.score, four.score);
}

void expect_early_stopping_counts() {
  const std::string station = "Où est la gare, s'il vous plaît ?";
  const auto stopping = [&](EarlyStopping when, float penalty) {
    return best({.max_new_tokens = 40,
                 .beam_size = 3,
                 .early_stopping = when,
                 .length_penalty = penalty},
                station)
        .text;
  };
  EXPECT_EQ(stopping(EarlyStopping::heuristic, 1), "Where's the station, please?");
  EXPECT_EQ(stopping(EarlyStopping::first, 1), "Where is the station, please?");
  EXPECT_NE(stopping(EarlyStopping::never, 3), stopping(EarlyStopping::heuristic, 3));
}

void expect_length_penalty_divides() {
  const Alternative plain = best({.length_penalty = 0.0f}),
                    squared = best({.length_penalty = 2.0f});
  ASSERT_EQ(plain.pieces, squared.pieces);
  EXPECT_NEAR(plain.score / 64, squared.score, 1e-6);  // of eight pieces
}

Rows search_rows() {
  const std::string number = "a finite number";
  const Generation few{.max_new_tokens = 2};  // steps, where there are many beams
  return {
      whole("beam_size", &Generation::beam_size, 1, 1024, expect_beam_size_counts, few),
      whole("hypotheses", &Generation::hypotheses, 1, 1024,
            [] { EXPECT_EQ(full(cat, asking({.hypotheses = 3})).alternatives(), 3u); },
            {.max_new_tokens = 2, .beam_size = 1024}),
      with("early_stopping", &Generation::early_stopping, expect_early_stopping_counts,
           {.beam_size = 2})
          .allow({EarlyStopping::heuristic, EarlyStopping::first, EarlyStopping::never}),
      real("length_penalty", &Generation::length_penalty, number, expect_length_penalty_divides,
           {.beam_size = 2})
          .allow({-most_float, -1.0f, 0.0f, least_float, most_float}),
  };
}

std::size_t repetitions(Pieces all) {
  std::sort(all.begin(), all.end());
  return all.size() - static_cast<std::size_t>(std::unique(all.begin(), all.end()) - all.begin());
}

void expect_repetition_penalty_counts() {
  const std::string yes = "oui oui oui oui oui";
  EXPECT_GT(repetitions(pieces(greedy, yes)), 1u);
  EXPECT_EQ(repetitions(pieces({.beam_size = 1, .repetition_penalty = 100.0f}, yes)), 0u);
}

void expect_no_ngram_repeats() {
  const std::string yes = "oui oui oui oui oui";
  EXPECT_EQ(repetitions(pieces({.no_repeat_ngram_size = 1}, yes)), 0u);
  Pieces pairs;
  const Pieces singles = pieces({.no_repeat_ngram_size = 2}, yes);
  for (std::size_t i = 1; i < singles.size(); ++i) pairs.push_back(singles[i - 1] + singles[i]);
  EXPECT_EQ(repetitions(pairs), 0u);
}

bool has(const Pieces& all, const char* piece) {
  return std::find(all.begin(), all.end(), piece) != all.end();
}

using Words = std::vector<Tokens>;

void expect_bad_words_are_missing() {
  EXPECT_TRUE(has(pieces({}), "▁cat"));
  EXPECT_FALSE(has(pieces({.bad_words = Words{{id("cat")}}}), "▁cat"));
  const Pieces without_the_cat = pieces({.bad_words = Words{{id("The"), id("cat")}}});
  EXPECT_NE(without_the_cat, pieces({}));
}

Rows rule_rows() {
  return {
      real("repetition_penalty", &Generation::repetition_penalty, "a finite number above 0",
           expect_repetition_penalty_counts)
          .allow({least_float, 1.0f, most_float})
          .refuse(0.0f, "a finite number above 0, got 0")
          .refuse(-1e-9f, "a finite number above 0, got -1e-09"),
      whole("no_repeat_ngram_size", &Generation::no_repeat_ngram_size, 0, 2147483647,
            expect_no_ngram_repeats),
      with("bad_words", &Generation::bad_words, expect_bad_words_are_missing)
          .allow({Words{}, Words{{0}, {last}}, Words{Tokens(1000, 7)}})
          .refuse({{0, last + 1}}, "0 to 6000, got 6001")
          .refuse({{-1}}, "0 to 6000, got -1"),
      tokens("suppress_tokens", &Generation::suppress_tokens,
             [] { EXPECT_FALSE(has(pieces({.suppress_tokens = Tokens{id("cat")}}), "▁cat")); }),
      tokens("begin_suppress_tokens", &Generation::begin_suppress_tokens,
             [] {
               EXPECT_EQ(pieces({}).at(0), "▁The");
               EXPECT_NE(pieces({.begin_suppress_tokens = Tokens{id("The")}}).at(0), "▁The");
               EXPECT_TRUE(has(pieces({.begin_suppress_tokens = Tokens{id("cat")}}), "▁cat"));
             }),
      token("forced_bos_token", &Generation::forced_bos_token,
            [] { EXPECT_EQ(pieces({.forced_bos_token = id("cat")}).at(0), "▁cat"); }),
      tokens("forced_eos_tokens", &Generation::forced_eos_tokens,
             [] {
               const Generation at_three{.max_new_tokens = 3,
                                         .forced_eos_tokens = Tokens{id("apple")}};
               EXPECT_EQ(pieces(at_three), (Pieces{"▁The", "▁cat", "▁apple"}));
             }),
  };
}

/// Draws with an option: the likeliest token, always.
void expect_likeliest(std::optional<float> Generation::*member, float value) {
  Generation options{.beam_size = 1, .sample = true, .temperature = 3.0f, .top_k = 0};
  EXPECT_NE(pieces(options), pieces(greedy));
  options.*member = value;
  EXPECT_EQ(pieces(options), pieces(greedy));
}

/// Draws with an option: others than without.
void expect_other_draws(std::optional<float> Generation::*member, float value) {
  Generation options{.max_new_tokens = 30, .beam_size = 1, .sample = true, .temperature = 2.0f};
  const Pieces without = pieces(options);
  options.*member = value;
  EXPECT_NE(pieces(options), without);
}

void expect_sample_draws() {
  std::set<Pieces> drawn;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    drawn.insert(pieces({.beam_size = 1, .sample = true, .temperature = 2.0f, .seed = seed}));
    EXPECT_EQ(pieces({.beam_size = 1, .sample = false, .temperature = 2.0f, .seed = seed}),
              pieces(greedy));
  }
  EXPECT_GT(drawn.size(), 5u);
}

void expect_temperature_divides() {
  expect_likeliest(&Generation::temperature, 0.001f);
  expect_other_draws(&Generation::temperature, 4.0f);
}

void expect_top_k_keeps() {
  Generation options{.beam_size = 1, .sample = true, .temperature = 3.0f, .top_k = 1};
  EXPECT_EQ(pieces(options), pieces(greedy));
  options.top_k = 50;  // and where it is unset
  const Pieces of_fifty = pieces(options);
  options.top_k.reset();
  EXPECT_EQ(pieces(options), of_fifty);
  options.top_k = 0;
  EXPECT_NE(pieces(options), of_fifty);
}

Rows sampling_rows() {
  const std::string above = "a finite number above 0", part = "above 0, to 1";
  return {
      with("sample", &Generation::sample, expect_sample_draws).allow({false, true}),
      real("temperature", &Generation::temperature, above, expect_temperature_divides, drawing)
          .allow({least_float, 1.0f, most_float})
          .refuse(0.0f, above + ", got 0")
          .refuse(-0.0f, above + ", got -0")
          .refuse(-least_float, above + ", got -1e-45"),
      whole("top_k", &Generation::top_k, 0, most_token, expect_top_k_keeps, drawing),
      share("top_p", &Generation::top_p, [] { expect_likeliest(&Generation::top_p, 0.0f); }),
      share("min_p", &Generation::min_p, [] { expect_likeliest(&Generation::min_p, 1.0f); }),
      real(
          "typical_p", &Generation::typical_p, part,
          [] { expect_other_draws(&Generation::typical_p, 0.1f); }, drawing)
          .allow({least_float, 1.0f})
          .refuse(0.0f, part + ", got 0")
          .refuse(std::nextafter(1.0f, 2.0f), part + ", got 1.0000001"),
      share("epsilon_cutoff", &Generation::epsilon_cutoff,
            [] { expect_likeliest(&Generation::epsilon_cutoff, 0.9999f); }),
      share("eta_cutoff", &Generation::eta_cutoff,
            [] { expect_other_draws(&Generation::eta_cutoff, 0.9999f); }),
      with(
          "seed", &Generation::seed,
          [] {
            EXPECT_NE(pieces({.beam_size = 1, .sample = true, .temperature = 2.0f, .seed = 1}),
                      pieces({.beam_size = 1, .sample = true, .temperature = 2.0f, .seed = 2}));
          },
          drawing)
          .allow({0, std::numeric_limits<std::uint64_t>::max()}),
  };
}

Rows token_rows() {
  return {
      tokens("stop_tokens", &Generation::stop_tokens,
             [] {
               EXPECT_EQ(pieces({.stop_tokens = Tokens{id("cat")}}), (Pieces{"▁The", "▁cat"}));
             }),
      token("start_token", &Generation::start_token,
            [] { EXPECT_NE(pieces({.start_token = 0}), pieces({})); }),
      with("pad_token", &Generation::pad_token,  // unused, says its comment
           [] { EXPECT_EQ(pieces({.pad_token = 7}), pieces({})); })
          .allow({least_token, most_token}),
  };
}

Rows generation_rows() {
  Rows all;
  for (const Rows& some :
       {length_rows(), search_rows(), rule_rows(), sampling_rows(), token_rows()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

TEST(GenerationOptionsTable, EveryFieldHasARow) {
  const Generation options;
  expect_row_for_each(fields_of(options), options, generation_rows());
}

TEST(GenerationOptionsTable, EveryOptionHasItsEffect) {
  for (const Row<Generation>& one : generation_rows()) {
    SCOPED_TRACE(one.name);
    one.expect_effect();
  }
}

TEST(GenerationOptionsTable, TheLeastAndTheGreatestValueWork) {
  for (const Row<Generation>& one : generation_rows()) {
    EXPECT_FALSE(one.allowed.empty()) << one.name;
    for (std::size_t v = 0; v < one.allowed.size(); ++v) {
      Generation options;
      one.allowed[v](options);
      EXPECT_EQ(refusal([&] {
                  const Alternative alternative = best(options, "Bonjour.");
                  EXPECT_FALSE(std::isnan(alternative.score));
                  EXPECT_NE(alternative.finish, FinishReason::not_a_number);
                }),
                "")
          << one.name << ", value " << v;
    }
  }
}

/// By every door, whether there is a text or not.
TEST(GenerationOptionsTable, WhatIsBeyondIsRefusedWithItsNameItsRangeAndItsValue) {
  const Translator& translate = translator();
  const std::vector<std::string> no_texts;
  for (const Row<Generation>& one : generation_rows()) {
    for (const auto& [set, error] : one.refused) {
      TranslationOptions options;
      set(options.generation);
      const std::string expected = "invalid_argument: " + error;
      EXPECT_EQ(refusal([&] { full("Bonjour.", options); }), expected);
      EXPECT_EQ(refusal([&] { translate.translate_full(no_texts, options); }), expected);
      if (one.name == "hypotheses") continue;  // 1 for the other doors
      EXPECT_EQ(refusal([&] { translate("Bonjour.", options.generation); }), expected);
      EXPECT_EQ(refusal([&] { translate(no_texts, options.generation); }), expected);
      const auto ignore = [](std::string_view) { return AfterStep::go_on; };
      EXPECT_EQ(refusal([&] { translate.stream("", ignore, options.generation); }), expected);
    }
  }
}

TEST(GenerationOptionsTable, AnEmptyBadWordIsRefused) {
  const Generation empty{.bad_words = Words{{}}};
  EXPECT_EQ(refusal([&] { full(cat, asking(empty)); }),
            "invalid_argument: bad_words: tokens of a word: expected 1 to 2147483647, got 0");
}

/// Draws cannot come from an infinite logit, and it is no hook that made it.
TEST(GenerationOptionsTable, APenaltyThatOverflowsIsNamed) {
  const Generation overflowing{.beam_size = 1, .repetition_penalty = least_float, .sample = true};
  EXPECT_EQ(refusal([&] { full(cat, asking(overflowing)); }),
            "invalid_argument: logits after repetition_penalty and GenerationHooks::change_logits: "
            "expected finite numbers or -infinity");
}

TEST(GenerationOptionsTable, WhatIsUnsetComesFromTheFolder) {
  for (const Row<Generation>& one : generation_rows()) {
    Generation folder;
    one.allowed.back()(folder);
    EXPECT_TRUE(one.is_set(Generation{}.or_from(folder))) << one.name;
    EXPECT_FALSE(one.is_set(Generation{}.or_from({}))) << one.name;
  }
}

}  // namespace
}  // namespace eigenformer::test
