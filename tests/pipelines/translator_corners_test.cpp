// SPDX-License-Identifier: MIT
// Options that contradict one another, inputs of odd sizes, and calls that end early.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "eigenformer/architectures/marian.hpp"
#include "eigenformer/architectures/module_file.hpp"
#include "eigenformer/generation/generate.hpp"
#include "eigenformer/io/json.hpp"
#include "support/bits.hpp"
#include "support/refusal.hpp"
#include "support/shipped_translator.hpp"

namespace eigenformer::test {
namespace {

using Tokens = std::vector<TokenId>;

std::string streamed(const Translator& translate, const std::string& text,
                     const GenerationOptions& options) {
  std::string out;
  translate.stream(
      text, [&](std::string_view part) { return out += part, AfterStep::go_on; }, options);
  return out;
}

/// A folder with the shipped model's tokenizer, and random weights of a model so small that
/// thousands of texts take no time.
class TinyFolder {
 public:
  TinyFolder() : path_(::testing::TempDir() + "eigenformer_tiny_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(path_);
    for (const std::string name : {"generation_config.json", "source.spm", "target.spm",
                                   "tokenizer_config.json", "vocab.json"}) {
      std::filesystem::copy_file(shipped + "/" + name, path_ + "/" + name,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    std::ifstream in(shipped + "/config.json");
    std::string text(std::istreambuf_iterator<char>(in), {});
    text = std::regex_replace(text, std::regex("(\"d_model\"|_ffn_dim\"): [0-9]+"), "$1: 8");
    text = std::regex_replace(text, std::regex("(_heads\"|coder_layers\"): [0-9]+"), "$1: 1");
    std::ofstream(path_ + "/config.json") << text;
    const TransformerConfig config = read_marian_config(io::read_json(path_ + "/config.json"));
    Marian<float> model(config);
    model.initialize(1);
    save(model, path_ + "/model.safetensors",
         marian_names(config, {"", {}, std::shared_ptr<const void>()}));
  }
  TinyFolder(const TinyFolder&) = delete;
  TinyFolder& operator=(const TinyFolder&) = delete;
  ~TinyFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Translator load_tiny(const TranslatorOptions& options = {}) {
  static const TinyFolder folder;
  return Translator::load(folder.path(), options);
}

// Options that contradict one another.

/// As in transformers, where it is an error, too.
TEST(TranslatorCorners, AnNBestLargerThanTheBeamIsRefused) {
  const auto said = [](const GenerationOptions& generation) {
    return refusal([&] { full(cat, asking(generation)); });
  };
  EXPECT_EQ(said({.beam_size = 2, .hypotheses = 3}),
            "invalid_argument: hypotheses: expected 1 to 2, got 3");
  EXPECT_EQ(said({.hypotheses = 5}),  // the folder has 4 beams
            "invalid_argument: hypotheses: expected 1 to 4, got 5");
  EXPECT_EQ(said({.beam_size = 1, .hypotheses = 2}),
            "invalid_argument: hypotheses: expected 1, got 2");
  EXPECT_EQ(said({.beam_size = 2, .sample = true}),
            "unsupported: sample: expected beam_size 1, got 2: beams that draw are not supported");
  const GenerationOptions draws{.beam_size = 1, .hypotheses = 5, .sample = true};
  EXPECT_EQ(full(cat, asking(draws)).alternatives(), 5u);
  EXPECT_EQ(translator()(cat, {.hypotheses = 5}), translator()(cat));  // says its comment
}

TEST(TranslatorCorners, ThereMayBeFewerThanAsked) {
  // One token, which the folder forces to be the end.
  const GenerationOptions one{.max_new_tokens = 1, .beam_size = 4, .hypotheses = 4};
  const Translation translation = full(cat, asking(one));
  EXPECT_EQ(translation.alternatives(), 1u);
  EXPECT_EQ(translation.text(3), "");
}

TEST(TranslatorCorners, ATemperatureOfZeroDrawsNothing) {
  const GenerationOptions zero{.beam_size = 1, .sample = true, .temperature = 0.0f};
  EXPECT_EQ(refusal([&] { best(zero); }),
            "invalid_argument: temperature: expected a finite number above 0, got 0");
  const GenerationOptions unused{.beam_size = 1, .temperature = 0.0f};
  EXPECT_EQ(best(unused).text, best({.beam_size = 1}).text);
}

TEST(TranslatorCorners, TopKBeyondTheVocabularyIsAll) {
  GenerationOptions options{
      .max_new_tokens = 20, .beam_size = 1, .sample = true, .temperature = 2.0f, .top_k = 0};
  const Alternative all = best(options);
  for (const Index k : {6001, 6002, 1 << 20, std::numeric_limits<TokenId>::max()}) {
    options.top_k = k;
    EXPECT_EQ(best(options).text, all.text) << k;
    EXPECT_TRUE(same_bits(best(options).score, all.score)) << k;
  }
}

/// The maximum ends it, as in transformers, which warns.
TEST(TranslatorCorners, AMinimumAboveTheMaximumEndsAtTheMaximum) {
  for (const Index beams : {1, 3}) {
    GenerationOptions options{.max_new_tokens = 5, .min_new_tokens = 20, .beam_size = beams};
    EXPECT_EQ(best(options).pieces.size(), 5u);
    EXPECT_EQ(best(options).finish, FinishReason::stop);  // which the folder forces
    options.forced_eos_tokens = Tokens{};
    EXPECT_EQ(best(options).pieces.size(), 5u);
    EXPECT_EQ(best(options).finish, FinishReason::length);
    options = {.max_length = 4, .min_length = 400, .beam_size = beams};
    EXPECT_EQ(best(options).pieces.size(), 3u);
  }
  // The model's positions are a maximum, too.
  const GenerationOptions endless{.min_new_tokens = 100'000, .beam_size = 1};
  EXPECT_EQ(best(endless).pieces.size(), 511u);  // of the folder's max_length
  const GenerationOptions longest{
      .max_new_tokens = 100'000, .min_new_tokens = 100'000, .beam_size = 1};
  EXPECT_EQ(best(longest).pieces.size(), 512u);
}

TEST(TranslatorCorners, RulesThatForbidEverythingGiveNothing) {
  Tokens all(6001);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<TokenId>(i);
  for (const Index beams : {1, 3}) {
    const Alternative none = best({.beam_size = beams, .suppress_tokens = all});
    EXPECT_EQ(none.finish, FinishReason::no_candidate);
    EXPECT_EQ(none.text, "");
    const GenerationOptions both{
        .beam_size = beams, .suppress_tokens = Tokens{7}, .forced_bos_token = 7};
    EXPECT_EQ(best(both).finish, FinishReason::no_candidate);
  }
}

/// What a prompt of `tokens` goes on to be.
Hypothesis continued(Index tokens, const GenerationOptions& options) {
  const Tokens source = translator().tokenizer().encode_source(cat);
  Tokens prompt(static_cast<std::size_t>(tokens), 7);
  prompt[0] = *translator().defaults().start_token;
  Context context = make_context();
  const auto session =
      translator().model().start(source, Batch(static_cast<Index>(source.size())), context);
  const Batch batch(tokens);
  return generate(*session, {prompt, batch}, options).at(0).hypotheses.at(0);
}

TEST(TranslatorCorners, APrefixLongerThanTheMaximumIsLeftAsItIs) {
  for (const Index beams : {1, 3}) {
    for (const Index prefix : {5, 6}) {
      const Hypothesis none = continued(prefix, {.max_length = 5, .beam_size = beams});
      EXPECT_EQ(none.finish, FinishReason::length);
      EXPECT_TRUE(none.tokens.empty());
    }
    EXPECT_EQ(continued(4, {.max_length = 5, .beam_size = beams}).tokens.size(), 1u);
    const GenerationOptions fresh{.max_new_tokens = 2, .max_length = 5, .beam_size = beams};
    EXPECT_EQ(continued(30, fresh).tokens.size(), 2u);   // which does not count the prefix
    EXPECT_EQ(continued(512, fresh).tokens.size(), 1u);  // after all positions
    EXPECT_EQ(refusal([&] { continued(513, fresh); }),
              "out_of_range: DecodingSession: new tokens of a row: expected 1 to 512, got 513");
  }
}

// Inputs of odd sizes.

TEST(TranslatorCorners, EmptyTextsStayEmpty) {
  for (const std::string text : {"", " ", "\n", "\r\n\t \u2028\n"}) {
    const Translation none = full(text, asking({.hypotheses = 2}));
    EXPECT_EQ(none.text(), text);
    EXPECT_EQ(none.alternatives(), 0u);
    EXPECT_EQ(none.score(), 0.0f);
    EXPECT_EQ(streamed(translator(), text, {}), text);
  }
  const std::string hole("\0", 1);
  EXPECT_EQ(streamed(translator(), hole, {}), translator()(hole));
}

TEST(TranslatorCorners, OneWord) {
  for (const std::string text : {"chat", "Bonjour", "a", "?", "\u4e2d", "\xff"}) {
    const Translation one = full(text, asking({}));
    EXPECT_EQ(one.sentences.size(), 1u) << text;
    EXPECT_EQ(streamed(translator(), text, {}), one.text()) << text;
    EXPECT_TRUE(io::is_utf8(one.text()));
  }
  EXPECT_EQ(translator()(">>en<<"), "");  // which language, but nothing to be in it
}

/// Cut at clauses, words, or within one word, and nothing of it lost.
TEST(TranslatorCorners, TenThousandWords) {
  const Translator tiny = load_tiny();
  const GenerationOptions few{.max_new_tokens = 4, .beam_size = 1};
  std::string words, clauses, sentences;
  for (int i = 0; i < 10'000; ++i) {
    const std::string word = "mot" + std::to_string(i);
    words += word + (i < 9'999 ? " " : "");
    clauses += word + (i % 7 == 6 ? ", " : i < 9'999 ? " " : "");
    sentences += word + (i % 9 == 8 ? ". Et " : " ");
  }
  for (const std::string& text : {words, clauses, sentences, std::string(50'000, 'a')}) {
    const Translation translation = full(text, asking(few), tiny);
    EXPECT_GT(translation.sentences.size(), 20u);
    std::string source;
    for (const TranslatedSentence& sentence : translation.sentences) {
      EXPECT_LE(sentence.source_pieces.size(), 512u);
      source += sentence.source + sentence.separator.value_or("");
    }
    EXPECT_TRUE(source == text);
    EXPECT_TRUE(streamed(tiny, text, few) == translation.text());
  }
}

TEST(TranslatorCornersThreads, TenThousandTextsAtOnce) {
  TranslatorOptions two;
  two.threads = 2;
  const Translator tiny = load_tiny(two), single = load_tiny();
  std::vector<std::string> texts;
  for (int i = 0; i < 10'000; ++i) {
    texts.push_back(i % 100 == 7 ? "" : "Un chat. Et " + std::to_string(i) + " chiens.");
  }
  for (const bool sample : {false, true}) {
    TranslationOptions options =
        asking({.max_new_tokens = 4, .beam_size = 1, .sample = sample, .seed = 3});
    const auto all = tiny.translate_full(texts, options);
    ASSERT_EQ(all.size(), texts.size());
    for (std::size_t t = 0; t < texts.size(); t += 97) {
      options.first_number = t;
      const Translation alone = full(texts[t], options, single);
      EXPECT_EQ(all[t].text(), alone.text());
      EXPECT_TRUE(same_bits(all[t].score(), alone.score()));
    }
  }
}

// Streams of everything.

std::vector<GenerationOptions> many_ways() {
  const Tokens stops{0, translator().tokenizer().encode_target("cat").at(0)};
  return {
      {},
      {.beam_size = 1},
      {.beam_size = 3, .hypotheses = 2, .early_stopping = EarlyStopping::first},
      {.max_new_tokens = 3, .beam_size = 1},
      {.max_length = 1, .beam_size = 1},
      {.max_new_tokens = 20, .min_new_tokens = 15, .beam_size = 1},
      {.beam_size = 1, .repetition_penalty = 1.5f, .no_repeat_ngram_size = 2},
      {.beam_size = 2, .bad_words = std::vector<Tokens>{{stops[1]}, {6000}}},
      {.beam_size = 1, .suppress_tokens = stops, .forced_bos_token = stops[1]},
      {.max_new_tokens = 4, .beam_size = 1, .forced_eos_tokens = Tokens{stops[1], 0}},
      {.beam_size = 1, .stop_tokens = stops},
      {.max_new_tokens = 9, .beam_size = 1, .stop_tokens = Tokens{}},
      {.max_new_tokens = 30, .beam_size = 1, .sample = true, .temperature = 3.0f, .seed = 9},
      {.beam_size = 1, .hypotheses = 4, .sample = true, .top_p = 0.9f, .min_p = 0.1f},
      {.beam_size = 1, .sample = true, .typical_p = 0.5f, .eta_cutoff = 0.1f, .start_token = 0},
  };
}

TEST(TranslatorCorners, StreamsOfEverythingAreWhatIsTranslated) {
  const std::string texts[] = {"",
                               cat,
                               "Bonjour. Salut !\n\nMerci.\n",
                               "  \xff\xfe Un\xc3 chat\t",
                               "\u4e2d\u6587\u3002\u65e5\u672c\u8a9e\u3002",
                               ">>en<< Bonjour. Salut."};
  const auto ways = many_ways();
  for (std::size_t way = 0; way < ways.size(); ++way) {
    for (const std::string& text : texts) {
      EXPECT_EQ(streamed(translator(), text, ways[way]), translator()(text, ways[way]))
          << way << ": " << text;
    }
  }
}

TEST(TranslatorCorners, DrawsAreTheSameAloneAndInABatch) {
  std::vector<std::string> texts{"Bonjour.", cat, "", "Bonjour.", "Il fait beau. Merci."};
  TranslatorOptions small;
  small.batch_tokens = 1;
  const Translator one_by_one = Translator::load(shipped, small);
  std::set<std::string> drawn;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    TranslationOptions options = asking({.max_new_tokens = 20,
                                         .beam_size = 1,
                                         .hypotheses = 3,
                                         .sample = true,
                                         .temperature = 3.0f,
                                         .seed = seed});
    const auto together = translator().translate_full(texts, options);
    const auto apart = one_by_one.translate_full(texts, options);
    for (std::size_t t = 0; t < texts.size(); ++t) {
      options.first_number = t;
      const Translation alone = full(texts[t], options);
      for (std::size_t n = 0; n < 3; ++n) {
        EXPECT_EQ(together[t].text(n), alone.text(n));
        EXPECT_EQ(apart[t].text(n), alone.text(n));
        if (!texts[t].empty()) drawn.insert(alone.text(n));
      }
    }
  }
  EXPECT_EQ(drawn.size(), 36u);  // of four texts, three seeds, three draws
}

// Calls that end early.

std::vector<TranslationOptions> cancellable() {
  std::vector<TranslationOptions> all{
      asking({.beam_size = 1}), asking({.beam_size = 3, .hypotheses = 2}),
      asking({.max_new_tokens = 12, .beam_size = 1, .sample = true, .temperature = 2.0f})};
  all[1].alignment = true;
  all[1].attention = [](AttentionPlace place, Index) { return place.layer == 0; };
  return all;
}

/// How often a whole call asks; each call before that is cancelled, and the next one is exact.
int steps_until_done(const Translator& translate, const TranslationOptions& options) {
  const std::vector<std::string> texts{"Il fait beau. Bonjour.", "Merci.", "", cat};
  const auto text_of = [](const std::vector<Translation>& translations) {
    std::string out;
    for (const Translation& translation : translations) out += translation.text() + "|";
    return out;
  };
  const std::string expected = text_of(translate.translate_full(texts, options));
  for (int steps = 1;; ++steps) {
    std::atomic<int> asked = 0;
    TranslationOptions ending = options;
    ending.cancelled = [&] { return ++asked >= steps; };
    std::string got;
    const std::string said =
        refusal([&] { got = text_of(translate.translate_full(texts, ending)); });
    EXPECT_EQ(text_of(translate.translate_full(texts, options)), expected) << steps;
    if (said.empty()) {
      EXPECT_EQ(got, expected);
      EXPECT_LT(asked, steps);
      return steps;
    }
    EXPECT_EQ(said, "cancelled: translate: the caller cancelled it");
    if (steps > 500) return steps;
  }
}

TEST(TranslatorCornersThreads, CancelledAtEachStepTheNextCallIsExact) {
  for (const Index threads : {1, 2}) {
    TranslatorOptions how;
    how.threads = threads;
    how.batch_tokens = 8;
    const Translator translate = load_tiny(how);
    for (TranslationOptions options : cancellable()) {
      options.generation.max_new_tokens = 6;
      const int steps = steps_until_done(translate, options);
      EXPECT_GT(steps, 20);
      EXPECT_LT(steps, 500);
    }
  }
}

/// Ends a stream at its n-th part, by what `end` does, for every n.
template <class End>
void end_each_stream(const GenerationOptions& options, End end) {
  const std::string text = "Il fait beau. Bonjour.\nMerci.";
  const std::string expected = translator()(text, options);
  for (int parts = 1;; ++parts) {
    ASSERT_LT(parts, 100);
    std::string got;
    int calls = 0;
    const auto on_text = [&](std::string_view part) {
      got += part;
      return ++calls == parts ? end() : AfterStep::go_on;
    };
    try {
      translator().stream(text, on_text, options);
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "mine");
    }
    EXPECT_TRUE(expected.starts_with(got)) << got;
    EXPECT_EQ(streamed(translator(), text, options), expected);
    if (calls < parts) {
      EXPECT_EQ(got, expected);
      EXPECT_GT(parts, 3);
      return;
    }
    EXPECT_EQ(calls, parts);
  }
}

TEST(TranslatorCorners, AStreamEndsAtAnyPartAndTheNextIsExact) {
  for (const TranslationOptions& options : cancellable()) {
    end_each_stream(options.generation, [] { return AfterStep::cancel; });
    end_each_stream(options.generation, []() -> AfterStep { throw std::runtime_error("mine"); });
  }
}

TEST(TranslatorCornersThreads, WhatCancelledThrowsArrives) {
  for (const Index threads : {1, 2}) {
    TranslatorOptions how;
    how.threads = threads;
    how.batch_tokens = 1;
    const Translator translate = Translator::load(shipped, how);
    const std::vector<std::string> texts(6, "Bonjour.");
    const std::vector<std::string> expected = translate(texts);
    for (int at = 1; at <= 12; ++at) {
      std::atomic<int> asked = 0;
      TranslationOptions options;
      options.cancelled = [&] {
        if (++asked == at) throw std::runtime_error("mine");
        return false;
      };
      EXPECT_THROW(translate.translate_full(texts, options), std::runtime_error);
      EXPECT_EQ(translate(texts), expected);
    }
  }
}

}  // namespace
}  // namespace eigenformer::test
