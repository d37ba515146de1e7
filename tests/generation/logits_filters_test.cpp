// SPDX-License-Identifier: MIT
#include "eigenformer/generation/logits_filters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "eigenformer/generation/token_rules.hpp"
#include "support/bits.hpp"
#include "support/golden.hpp"

namespace eigenformer::test {
namespace {

using sampling::FilterSettings;
using Ids = std::vector<TokenId>;

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<float> filtered(const std::vector<float>& logits, const FilterSettings& settings) {
  sampling::LogitsFilters filters(settings, kernels::best_table());
  const sampling::Candidates& kept = filters(logits);
  std::vector<float> out(logits.size(), -infinity);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    out[static_cast<std::size_t>(kept.id(i))] = kept.logit(i);
  }
  return out;
}

Ids kept_of(const std::vector<float>& logits) {
  Ids ids;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > -infinity) ids.push_back(static_cast<TokenId>(i));
  }
  return ids;
}

Ids kept(const std::vector<float>& logits, const FilterSettings& settings) {
  return kept_of(filtered(logits, settings));
}

std::vector<double> softmax(const std::vector<float>& logits) {
  const double largest = double{*std::max_element(logits.begin(), logits.end())};
  std::vector<double> p;
  for (const float x : logits) p.push_back(std::exp(double{x} - largest));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= sum;
  return p;
}

/// Logits of the given probabilities, nearly.
std::vector<float> logits_of(const std::vector<double>& probabilities) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

// By hand.

TEST(LogitsFilters, NothingIsFilteredByDefault) {
  const std::vector<float> row = {1, -infinity, 3, -2};
  EXPECT_EQ(filtered(row, {}), row);
  EXPECT_EQ(filtered(row, {.temperature = 2}), (std::vector<float>{0.5, -infinity, 1.5, -1}));
}

TEST(LogitsFilters, TopPKeepsTheLikeliestOfThatMass) {
  const std::vector<float> row = logits_of({0.1, 0.4, 0.2, 0.3});
  EXPECT_EQ(kept(row, {.top_p = 0}), (Ids{1}));
  EXPECT_EQ(kept(row, {.top_p = 0.39f}), (Ids{1}));
  EXPECT_EQ(kept(row, {.top_p = 0.41f}), (Ids{1, 3}));
  EXPECT_EQ(kept(row, {.top_p = 0.69f}), (Ids{1, 3}));
  EXPECT_EQ(kept(row, {.top_p = 0.71f}), (Ids{1, 2, 3}));
  EXPECT_EQ(kept(row, {.top_p = 0.91f}), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(kept(row, {.top_p = std::nextafter(1.0f, 0.0f)}), (Ids{0, 1, 2, 3}));
}

TEST(LogitsFilters, TopPTakesEqualTokensById) {
  const std::vector<float> row = {1, 2, 1, 2, 1, 2, 1, 2, -infinity, 0.0f, -0.0f, 0.0f};
  for (const float p : {0.0f, 0.1f, 0.3f, 0.5f, 0.7f, 0.9f, 0.97f}) {
    const Ids ids = kept(row, {.top_p = p});
    for (std::size_t i = 0; i < row.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (row[i] != row[j]) continue;
        const auto has = [&](std::size_t id) {
          return std::binary_search(ids.begin(), ids.end(), static_cast<TokenId>(id));
        };
        EXPECT_TRUE(has(j) || !has(i)) << p << ": " << i << " without " << j;
      }
    }
  }
  EXPECT_EQ(kept(row, {.top_p = 0}), (Ids{1}));
}

/// Ten tokens of a tenth: a share of k tenths is k of them, although 0.1f is not a tenth.
TEST(LogitsFilters, TopPOfTenths) {
  const std::vector<float> row(10, 3.0f);
  const float tenths[] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f};
  for (std::size_t k = 1; k < 10; ++k) {
    EXPECT_EQ(kept(row, {.top_p = tenths[k - 1]}).size(), k);
    EXPECT_EQ(kept(row, {.top_p = std::nextafter(tenths[k - 1], 1.0f)}).size(), k + 1);
  }
}

TEST(LogitsFilters, MinPIsAShareOfTheLikeliest) {
  const std::vector<float> row = logits_of({0.1, 0.4, 0.2, 0.3});
  EXPECT_EQ(kept(row, {.min_p = 0.24f}), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(kept(row, {.min_p = 0.26f}), (Ids{1, 2, 3}));
  EXPECT_EQ(kept(row, {.min_p = 0.51f}), (Ids{1, 3}));
  EXPECT_EQ(kept(row, {.min_p = 1}), (Ids{1}));
  EXPECT_EQ(kept({2, 5, 5, 1}, {.min_p = 1}), (Ids{1, 2}));
}

/// Entropy 1.28 nats; |-log p - entropy| is 1.02, 0.36, 0.33 and 0.08.
TEST(LogitsFilters, TypicalKeepsWhatIsNearTheEntropy) {
  const std::vector<float> row = logits_of({0.1, 0.4, 0.2, 0.3});
  EXPECT_EQ(kept(row, {.typical_p = 0.01f}), (Ids{3}));
  EXPECT_EQ(kept(row, {.typical_p = 0.29f}), (Ids{3}));
  EXPECT_EQ(kept(row, {.typical_p = 0.31f}), (Ids{2, 3}));
  EXPECT_EQ(kept(row, {.typical_p = 0.49f}), (Ids{2, 3}));
  EXPECT_EQ(kept(row, {.typical_p = 0.51f}), (Ids{1, 2, 3}));
  EXPECT_EQ(kept(row, {.typical_p = 0.91f}), (Ids{0, 1, 2, 3}));
}

TEST(LogitsFilters, TypicalKeepsAllThatAreAsNear) {
  EXPECT_EQ(kept({4, 1, 1, 1}, {.typical_p = 0.001f}).size(), 1u);
  EXPECT_EQ(kept({1, 1, 1, 1}, {.typical_p = 0.001f}).size(), 4u);
}

TEST(LogitsFilters, EpsilonCutsBelowAProbability) {
  const std::vector<float> row = logits_of({0.1, 0.4, 0.2, 0.3});
  EXPECT_EQ(kept(row, {.epsilon_cutoff = 0.09f}), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(kept(row, {.epsilon_cutoff = 0.11f}), (Ids{1, 2, 3}));
  EXPECT_EQ(kept(row, {.epsilon_cutoff = 0.9f}), (Ids{1}));
  EXPECT_EQ(kept(row, {.epsilon_cutoff = 1}), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(kept({1, 1, 1, 0}, {.epsilon_cutoff = 0.9f}), (Ids{0, 1, 2}));
  EXPECT_EQ(kept(std::vector<float>(10, 1.0f), {.epsilon_cutoff = 0.1f}).size(), 10u);
}

/// e^-entropy is 0.278: eta is min(0.5, 0.197) and min(0.04, 0.056).
TEST(LogitsFilters, EtaIsLowerWhereEntropyIsHigh) {
  const std::vector<float> row = logits_of({0.1, 0.4, 0.2, 0.3});
  EXPECT_EQ(kept(row, {.eta_cutoff = 0.5f}), (Ids{1, 2, 3}));
  EXPECT_EQ(kept(row, {.eta_cutoff = 0.53f}), (Ids{1, 3}));  // sqrt(0.53) 0.278 = 0.2024
  EXPECT_EQ(kept(row, {.eta_cutoff = 0.04f}), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(kept(row, {.eta_cutoff = 1}), (Ids{0, 1, 2, 3}));
  // Nearly certain: eta is the cutoff itself.
  const std::vector<float> certain = logits_of({0.009, 0.98, 0.011});
  EXPECT_EQ(kept(certain, {.eta_cutoff = 0.01f}), (Ids{1, 2}));
}

/// Each filter sees the probabilities of what the one before it left.
TEST(LogitsFilters, ApplyInOrder) {
  const std::vector<float> row = logits_of({0.1, 0.4, 0.2, 0.3});
  // 0.4 and 0.3 become 4/7 and 3/7; without top_k a share of 0.6 keeps both.
  EXPECT_EQ(kept(row, {.top_k = 2, .top_p = 0.56f}), (Ids{1}));
  EXPECT_EQ(kept(row, {.top_p = 0.56f}), (Ids{1, 3}));
  // The squares are 0.01, 0.16, 0.04, 0.09 of 0.3.
  EXPECT_EQ(kept(row, {.temperature = 0.5f, .top_p = 0.52f}), (Ids{1}));
  EXPECT_EQ(kept(row, {.temperature = 0.5f, .min_p = 0.26f}), (Ids{1, 3}));
  // 0.2 is 2/9 after top_p has removed 0.1.
  EXPECT_EQ(kept(row, {.top_p = 0.8f, .epsilon_cutoff = 0.21f}), (Ids{1, 2, 3}));
  EXPECT_EQ(kept(row, {.epsilon_cutoff = 0.21f}), (Ids{1, 3}));
}

// Recorded outputs of transformers.

template <class Number>
std::vector<Number> sorted(std::vector<Number> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

FilterSettings recorded_settings(const io::Json& json) {
  const auto number = [&](const char* key, float unset) {
    const auto value = json.find(key);
    return value ? static_cast<float>(value->number()) : unset;
  };
  const auto top_k = json.find("top_k");
  return {.temperature = number("temperature", 1),
          .top_k = top_k ? static_cast<Index>(top_k->integer()) : 0,
          .top_p = number("top_p", 1),
          .min_p = number("min_p", 0),
          .typical_p = number("typical_p", 1),
          .epsilon_cutoff = number("epsilon_cutoff", 0),
          .eta_cutoff = number("eta_cutoff", 0)};
}

/// What comes before the filters, where the case has a history.
void apply_rules(const io::Json& json, std::vector<float>& row) {
  if (!json.find("history")) return;
  std::vector<TokenId> history;
  for (const io::Json token : json.at("history").elements()) {
    history.push_back(static_cast<TokenId>(token.integer()));
  }
  GenerationOptions options;
  if (const auto penalty = json.find("repetition_penalty")) {
    options.repetition_penalty = static_cast<float>(penalty->number());
  }
  if (const auto size = json.find("no_repeat_ngram_size")) {
    options.no_repeat_ngram_size = static_cast<Index>(size->integer());
  }
  TokenRules rules(options, static_cast<Index>(row.size()));
  rules.apply({history, static_cast<Index>(history.size()), 1000}, row);
}

TEST(LogitsFilters, AnswerAsTransformers) {
  const Golden golden("warpers/warpers");
  const auto recorded = [&](const std::string& name) {
    return io::values<float>(golden.tensors(), name);
  };
  std::ifstream cases(Golden::path("warpers/warpers.jsonl"));
  int checked = 0, with_rules = 0;
  for (std::string line; std::getline(cases, line); ++checked) {
    SCOPED_TRACE(line);
    const io::Json json = io::parse_json(line, "warpers.jsonl");
    ASSERT_TRUE(json.at("float64_same_kept").boolean());
    const std::string name = "case." + std::to_string(json.at("case").integer());
    const std::string input(json.at("input").string());
    std::vector<float> row = recorded("logits." + input);
    apply_rules(json, row);
    with_rules += json.find("history") ? 1 : 0;
    std::vector<float> got = filtered(row, recorded_settings(json));
    std::vector<float> expected = recorded(name + ".logits");
    std::vector<double> probabilities = softmax(got);
    std::vector<float> expected_probabilities = recorded(name + ".probs");
    if (input == "ties") {  // any among equal ones
      got = sorted(got);
      expected = sorted(expected);
      probabilities = sorted(probabilities);
      expected_probabilities = sorted(expected_probabilities);
    }
    ASSERT_EQ(got, expected);
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(probabilities[i], double{expected_probabilities[i]}, 1e-6);
    }
  }
  EXPECT_EQ(checked, 582);
  EXPECT_EQ(with_rules, 42);
}

// The definition, with sorting, one step after the other.

class Oracle {
 public:
  explicit Oracle(const std::vector<float>& row) : row_(row) {}

  std::vector<float> filtered(const FilterSettings& s) {
    for (float& x : row_) x /= s.temperature;
    if (s.top_k > 0) top_k(static_cast<std::size_t>(s.top_k));
    if (s.top_p < 1) top_p(double{s.top_p});
    if (s.min_p > 0) at_least(double{s.min_p} * largest(softmax(row_)));
    if (s.typical_p < 1) typical(double{s.typical_p});
    if (s.epsilon_cutoff > 0) at_least(double{s.epsilon_cutoff});
    if (s.eta_cutoff > 0) {
      const double cutoff = double{s.eta_cutoff};
      at_least(std::min(cutoff, std::sqrt(cutoff) * std::exp(-entropy())));
    }
    return row_;
  }

 private:
  static double largest(const std::vector<double>& x) {
    return *std::max_element(x.begin(), x.end());
  }

  /// Ids by ascending keys, equal ones by id.
  template <class Key>
  std::vector<std::size_t> order_by(Key key) const {
    std::vector<std::size_t> order(row_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    return order;
  }

  void top_k(std::size_t k) {
    std::vector<float> x = sorted(row_);
    const float least = x[x.size() - std::min(k, x.size())];
    for (float& y : row_) y = y < least ? -infinity : y;
  }

  void top_p(double share) {
    const std::vector<double> p = softmax(row_);
    double before = 0;
    for (const std::size_t i : order_by([&](std::size_t id) { return -row_[id]; })) {
      if (before > 0 && before >= share) row_[i] = -infinity;
      before += p[i];
    }
  }

  void at_least(double probability) {
    const std::vector<double> p = softmax(row_);
    const double top = largest(p);
    for (std::size_t i = 0; i < row_.size(); ++i) {
      if (p[i] < probability && p[i] < top) row_[i] = -infinity;
    }
  }

  double entropy() const {
    double sum = 0;
    for (const double p : softmax(row_)) sum -= p > 0 ? p * std::log(p) : 0;
    return sum;
  }

  void typical(double share) {
    const std::vector<double> p = softmax(row_);
    const double mean = entropy();
    const auto key = [&](std::size_t i) {
      return static_cast<float>(p[i] > 0 ? std::fabs(-std::log(p[i]) - mean) : HUGE_VAL);
    };
    double reached = 0;
    float cut = infinity;
    for (const std::size_t i : order_by(key)) {
      reached += p[i];
      if (reached >= share) {
        cut = key(i);
        break;
      }
    }
    for (std::size_t i = 0; i < row_.size(); ++i) row_[i] = key(i) > cut ? -infinity : row_[i];
  }

  std::vector<float> row_;
};

TEST(LogitsFilters, EqualTheDefinition) {
  RandomStream stream(11, 0, 0);
  const auto one_of = [&](std::initializer_list<float> values) {
    return values.begin()[stream.bits() % values.size()];
  };
  int smaller = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Index n = 1 + static_cast<Index>(stream.bits() % 700);
    std::vector<float> row = random_floats(n, seed, one_of({0.01f, 1.0f, 3.0f, 20.0f}));
    for (float& x : row) {
      if (stream.bits() % 16 == 0) x = -infinity;
      if (seed % 4 == 0) x = std::round(x);
    }
    row[stream.bits() % row.size()] = 1.0f;
    const FilterSettings settings{.temperature = one_of({0.5f, 1.0f, 1.3f}),
                                  .top_k = static_cast<Index>(one_of({0, 0, 1, 7, 50, 300})),
                                  .top_p = one_of({0.0f, 0.3f, 0.9f, 0.999f, 1.0f, 1.0f}),
                                  .min_p = one_of({0.0f, 0.0f, 0.01f, 0.3f}),
                                  .typical_p = one_of({0.15f, 0.9f, 1.0f, 1.0f}),
                                  .epsilon_cutoff = one_of({0.0f, 0.0f, 0.0007f, 0.03f}),
                                  .eta_cutoff = one_of({0.0f, 0.0f, 0.0007f, 0.03f})};
    const std::vector<float> got = filtered(row, settings);
    ASSERT_TRUE(same_bits(Oracle(row).filtered(settings), got)) << seed;
    smaller += kept_of(got).size() < kept_of(row).size() ? 1 : 0;
  }
  EXPECT_GT(smaller, 2000);
}

// Extremes.

std::vector<FilterSettings> all_filters() {
  return {{},
          {.temperature = 0.1f},
          {.temperature = 1e-40f},
          {.temperature = 1e38f},
          {.top_k = 1},
          {.top_k = 3},
          {.top_p = 0},
          {.top_p = 0.5f},
          {.min_p = 0.1f},
          {.min_p = 1},
          {.typical_p = 1e-40f},
          {.typical_p = 0.5f},
          {.epsilon_cutoff = 0.9f},
          {.epsilon_cutoff = 1e-40f},
          {.eta_cutoff = 0.9f},
          {.temperature = 0.9f,
           .top_k = 5,
           .top_p = 0.9f,
           .min_p = 0.1f,
           .typical_p = 0.9f,
           .epsilon_cutoff = 0.01f,
           .eta_cutoff = 0.01f}};
}

TEST(LogitsFilters, OneFiniteTokenIsKept) {
  for (const FilterSettings& settings : all_filters()) {
    for (const float logit : {0.0f, -0.0f, 1.0f, -1e-44f, 3e38f, -3e38f}) {
      EXPECT_EQ(kept({logit}, settings), (Ids{0}));
      for (const std::size_t place : {0u, 6u, 16u, 39u}) {
        std::vector<float> row(40, -infinity);
        row[place] = logit;
        EXPECT_EQ(kept(row, settings), (Ids{static_cast<TokenId>(place)}));
      }
    }
  }
}

TEST(LogitsFilters, ExtremeRowsKeepSomeOfTheirTokens) {
  const float most = std::numeric_limits<float>::max();
  const float least = std::numeric_limits<float>::denorm_min();
  const std::vector<std::vector<float>> rows = {
      {most, most, -most, -most},    {most, -most},
      {-most, -most, -most},         {most, 0, -infinity},
      {least, 0, -least, -infinity}, {1, std::nextafter(1.0f, 2.0f), std::nextafter(1.0f, 0.0f)},
      std::vector<float>(100, most), std::vector<float>(1000, -100.0f)};
  for (const FilterSettings& settings : all_filters()) {
    for (const std::vector<float>& row : rows) {
      const std::vector<float> got = filtered(row, settings);
      ASSERT_FALSE(kept_of(got).empty());
      for (std::size_t i = 0; i < row.size(); ++i) {
        EXPECT_LE(got[i], most);  // neither NaN nor infinity
        EXPECT_TRUE(row[i] > -infinity || got[i] == -infinity);
      }
    }
  }
}

TEST(LogitsFilters, EntropyOfInfinitelyUnlikelyTokens) {
  const float most = std::numeric_limits<float>::max();
  EXPECT_EQ(kept({-most, most, 0}, {.typical_p = 0.5f}), (Ids{1}));
  EXPECT_EQ(kept({-most, most, 0}, {.eta_cutoff = 0.5f}), (Ids{1}));
}

TEST(LogitsFilters, EqualTokens) {
  const std::vector<float> row(1000, -7.5f);
  EXPECT_EQ(kept(row, {.top_k = 3}).size(), 1000u);
  EXPECT_EQ(kept(row, {.min_p = 1}).size(), 1000u);
  EXPECT_EQ(kept(row, {.typical_p = 0.5f}).size(), 1000u);
  EXPECT_EQ(kept(row, {.epsilon_cutoff = 0.5f}).size(), 1000u);
  EXPECT_EQ(kept(row, {.eta_cutoff = 0.5f}).size(), 1000u);
  Ids first(250);
  std::iota(first.begin(), first.end(), 0);
  EXPECT_EQ(kept(row, {.top_p = 0.25f}), first);
}

/// Of tokens with the same weight the larger logit goes first.
TEST(LogitsFilters, TopPOrdersByLogits) {
  std::vector<float> row(5, -3e-9f);
  row[4] = -2e-9f;
  row[2] = -1e-9f;
  EXPECT_EQ(kept(row, {.top_p = 0.1f}), (Ids{2}));
  EXPECT_EQ(kept(row, {.top_p = 0.3f}), (Ids{2, 4}));
  EXPECT_EQ(kept(row, {.top_p = 0.5f}), (Ids{0, 2, 4}));
}

TEST(LogitsFilters, KeysDescend) {
  const std::vector<float> floats = {
      3e38f, 2.0f, std::nextafter(1.0f, 2.0f), 1.0f, 1e-45f, 0.0f, -1e-45f, -1.0f, -3e38f};
  for (std::size_t i = 1; i < floats.size(); ++i) {
    EXPECT_LT(sampling::descending(floats[i - 1]), sampling::descending(floats[i]));
  }
  EXPECT_EQ(sampling::descending(0.0f), sampling::descending(-0.0f));
}

using LogitsFiltersOnEachIsa = EachIsa;
EIGENFORMER_EACH_ISA(LogitsFiltersOnEachIsa);

TEST_P(LogitsFiltersOnEachIsa, EqualTheReference) {
  for (const FilterSettings& settings : all_filters()) {
    sampling::LogitsFilters slow(settings, reference()), quick(settings, fast());
    for (const Index n : {1, 17, 500, 3000}) {
      const std::vector<float> row = random_floats(n, 5, 2.0f);
      const sampling::Candidates& a = slow(row);
      const sampling::Candidates& b = quick(row);
      ASSERT_EQ(a.size(), b.size());
      for (std::size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(a.id(i), b.id(i));
        ASSERT_TRUE(same_bits(a.logit(i), b.logit(i)));
        ASSERT_TRUE(same_bits(a.weight(i), b.weight(i)));
      }
    }
  }
}

/// Rows of other sizes, before, leave nothing behind.
TEST(LogitsFilters, RowsDoNotDependOnEarlierOnes) {
  for (const FilterSettings& settings : all_filters()) {
    sampling::LogitsFilters filters(settings, kernels::best_table());
    for (const Index n : {300, 5, 1000, 1, 300}) {
      const std::vector<float> row = random_floats(n, 9, 2.0f);
      const sampling::Candidates& tokens = filters(row);
      Ids ids;
      for (std::size_t i = 0; i < tokens.size(); ++i) ids.push_back(tokens.id(i));
      EXPECT_EQ(ids, kept(row, settings));
    }
  }
}

}  // namespace
}  // namespace eigenformer::test
