// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/translator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <random>

#include "eigenformer/core/thread_pool.hpp"
#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

const std::string shipped = EIGENFORMER_TEST_DATA "/../../models/fr-en-small";

const Translator& translator() {
  static const Translator one = Translator::load(shipped);
  return one;
}

/// A line of the shipped model's expected.tsv: what the reference makes of a sentence by itself.
struct Expected {
  std::string source, greedy, beam4;
  float score;
};

std::vector<Expected> expected() {
  std::ifstream file(shipped + "/expected.tsv");
  std::vector<Expected> out;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::string fields[4];
    std::size_t begin = 0;
    for (std::string& field : fields) {
      const std::size_t end = std::min(line.find('\t', begin), line.size());
      field = line.substr(begin, end - begin);
      begin = end + 1;
    }
    out.push_back({fields[0], fields[1], fields[2], std::stof(fields[3])});
  }
  return out;
}

std::vector<std::string> sources() {
  std::vector<std::string> out;
  for (const Expected& line : expected()) out.push_back(line.source);
  return out;
}

/// Everything that two translations say, to the last bit.
::testing::AssertionResult same(const Translation& a, const Translation& b) {
  if (a.sentences.size() != b.sentences.size()) return ::testing::AssertionFailure() << "sentences";
  for (std::size_t s = 0; s < a.sentences.size(); ++s) {
    const TranslatedSentence &x = a.sentences[s], &y = b.sentences[s];
    if (x.source != y.source || x.separator != y.separator || x.source_pieces != y.source_pieces ||
        x.alternatives.size() != y.alternatives.size() || x.alignment != y.alignment) {
      return ::testing::AssertionFailure() << "sentence " << s << ": " << x.source;
    }
    for (std::size_t n = 0; n < x.alternatives.size(); ++n) {
      const Alternative &m = x.alternatives[n], &o = y.alternatives[n];
      if (m.text != o.text || m.pieces != o.pieces || m.finish != o.finish) {
        return ::testing::AssertionFailure() << m.text << " | " << o.text;
      }
      if (!same_bits(m.score, o.score)) return ::testing::AssertionFailure() << "score: " << m.text;
      const auto bits = same_bits(m.log_probabilities, o.log_probabilities);
      if (!bits) return bits;
    }
  }
  return ::testing::AssertionSuccess();
}

std::vector<Translation> alone(const Translator& translate, std::span<const std::string> texts,
                               const TranslationOptions& options) {
  std::vector<Translation> out;
  TranslationOptions one = options;
  for (const std::string& text : texts) {
    out.push_back(translate.translate_full(text, one));
    ++one.first_number;
  }
  return out;
}

std::string streamed(std::string_view text, const GenerationOptions& options,
                     int* calls = nullptr) {
  std::string out;
  translator().stream(
      text,
      [&](std::string_view part) {
        EXPECT_FALSE(part.empty());
        EXPECT_TRUE(io::is_utf8(part)) << part;
        out += part;
        if (calls != nullptr) ++*calls;
        return AfterStep::go_on;
      },
      options);
  return out;
}

TEST(Translator, SaysWhatTheReferenceSays) {
  const auto lines = expected();
  ASSERT_EQ(lines.size(), 106u);
  const std::vector<std::string> texts = sources();
  TranslatorOptions whole;
  whole.split = Split::none;
  const Translator translate = Translator::load(shipped, whole);
  TranslationOptions beams;
  beams.generation.beam_size = 4;
  const auto of_beams = translate.translate_full(texts, beams);
  const auto greedy = translate(texts, {.beam_size = 1});
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(greedy[i], lines[i].greedy) << lines[i].source;
    EXPECT_EQ(of_beams[i].text(), lines[i].beam4) << lines[i].source;
    EXPECT_NEAR(of_beams[i].score(), lines[i].score, 1e-4) << lines[i].source;
  }
}

TEST(Translator, TakesTheFoldersOptions) {
  const auto lines = expected();
  EXPECT_EQ(translator()(lines[1].source), lines[1].beam4);
  EXPECT_NE(lines[1].greedy, lines[1].beam4);
  EXPECT_EQ(translator().defaults().beam_size, 4);
  EXPECT_EQ(translator().model().target_vocab(), 6001);
  EXPECT_EQ(translator().tokenizer().end(), 0);
}

TEST(Translator, TranslatesTextsOfSeveralSentences) {
  const std::string one = translator()("Je suis étudiant."), other = translator()("Il fait beau.");
  EXPECT_EQ(translator()("Je suis étudiant. Il fait beau."), one + " " + other);
  EXPECT_EQ(translator()("  Je suis étudiant.\n\n\tIl fait beau.\n"),
            "  " + one + "\n\n\t" + other + "\n");
  EXPECT_EQ(translator()(""), "");
  EXPECT_EQ(translator()(" \n "), " \n ");
  const auto both = translator()({"Je suis étudiant.", "", "Il fait beau."});
  EXPECT_EQ(both, (std::vector<std::string>{one, "", other}));
  EXPECT_TRUE(translator()(std::vector<std::string>()).empty());
}

TEST(Translator, LosesNothingOfALongText) {
  std::string text;
  for (int i = 0; i < 700; ++i) text += "chat ";
  TranslatorOptions whole;
  whole.split = Split::none;
  const Translator translate = Translator::load(shipped, whole);
  TranslationOptions options;
  options.generation = {.max_new_tokens = 2, .beam_size = 1};
  const Translation translation = translate.translate_full(text, options);
  EXPECT_GT(translation.sentences.size(), 1u);
  std::string sources;
  for (const TranslatedSentence& sentence : translation.sentences) {
    sources += sentence.source + sentence.separator.value_or("");
  }
  EXPECT_EQ(sources, text);
}

TEST(Translator, ChecksOptionsForNoTextsToo) {
  const GenerationOptions wrong[] = {
      {.beam_size = 0},
      {.repetition_penalty = 0.0f},
      {.beam_size = 1, .sample = true, .top_p = 3.0f},
  };
  for (const GenerationOptions& generation : wrong) {
    TranslationOptions options;
    options.generation = generation;
    EXPECT_THROW(translator().translate_full({}, options), Error);
  }
}

TEST(Translator, AnUnknownCharacterIsPartOfItsWord) {
  const std::string text = "Bon\u4e2djour.";
  const Translation translation = translator().translate_full(text);
  EXPECT_EQ(translation.sentences[0].source_words.size(), 2u);  // and the end
}

TEST(Translator, RepairsAndReportsWhatIsNotUtf8) {
  const std::string text = "Je suis \xFF\xC3 étudiant.";
  const Translation translation = translator().translate_full(text);
  EXPECT_EQ(translation.replaced, 2u);
  EXPECT_EQ(translation.sentences[0].source, "Je suis \uFFFD\uFFFD étudiant.");
  EXPECT_TRUE(io::is_utf8(translation.text()));
}

/// The same bits alone, in batches of any size, on any number of threads.
void expect_equal_in_any_company(const TranslationOptions& options) {
  std::vector<std::string> texts = sources();
  texts.resize(16);
  texts.push_back("");
  texts.push_back(texts[0] + " " + texts[1] + "\n" + texts[2]);
  const auto single = alone(translator(), texts, options);
  for (const Index threads : {1, 2, 4}) {
    for (const Index tokens : {1, 64, 4096}) {
      TranslatorOptions how;
      how.threads = threads;
      how.batch_tokens = tokens;
      const auto batch = Translator::load(shipped, how).translate_full(texts, options);
      ASSERT_EQ(batch.size(), texts.size());
      for (std::size_t t = 0; t < texts.size(); ++t) {
        EXPECT_TRUE(same(batch[t], single[t])) << threads << " threads, " << tokens << " tokens";
      }
    }
  }
}

/// A pool of somebody else: tasks from the last to the first, on threads of its own.
class Backwards final : public Executor {
 public:
  explicit Backwards(Index workers) : workers_(workers) {}
  Index workers() const override { return workers_; }
  void run(Index tasks, FunctionRef<void(Index, Index)> task) override {
    ++runs;
    for (Index number = tasks; number-- > 0;) {
      std::thread([&] { task(number, number % workers_); }).join();
    }
  }

  std::atomic<int> runs = 0;

 private:
  Index workers_;
};

TEST(Translator, ComputesOnAnExecutorOfTheCaller) {
  std::vector<std::string> texts = sources();
  texts.resize(3);
  const auto single = translator()(texts);
  for (const Index workers : {1, 3}) {
    Backwards executor(workers);
    TranslatorOptions options;
    options.executor = &executor;
    const Translator translate = Translator::load(shipped, options);
    EXPECT_EQ(translate(texts), single);
    EXPECT_GT(executor.runs, 0);
  }
  Backwards none(0);
  TranslatorOptions options;
  options.executor = &none;
  EXPECT_THROW(Translator::load(shipped, options), Error);
}

TEST(Translator, BeamsAreEqualInAnyCompany) {
  TranslationOptions options;
  options.generation = {.beam_size = 3, .hypotheses = 2};
  options.alignment = true;
  expect_equal_in_any_company(options);
}

TEST(Translator, SamplesAreEqualInAnyCompany) {
  TranslationOptions options;
  options.generation = {.beam_size = 1, .sample = true, .temperature = 1.5f, .seed = 7};
  expect_equal_in_any_company(options);
}

TEST(Translator, SamplesDependOnTheTextsNumber) {
  const std::string text = sources()[0];
  const std::vector<std::string> twins(8, text);
  TranslationOptions options;
  options.generation = {.beam_size = 1, .sample = true, .temperature = 2.0f};
  const auto drawn = translator().translate_full(twins, options);
  std::vector<std::string> texts;
  for (const Translation& translation : drawn) texts.push_back(translation.text());
  std::sort(texts.begin(), texts.end());
  EXPECT_GT(std::unique(texts.begin(), texts.end()) - texts.begin(), 1);
  options.first_number = 5;
  EXPECT_TRUE(same(translator().translate_full(text, options), drawn[5]));
}

TEST(Translator, GivesAlternatives) {
  const std::string text = "Je suis étudiant. Il fait beau.";
  TranslationOptions options;
  options.generation = {.beam_size = 4, .hypotheses = 3};
  const Translation all = translator().translate_full(text, options);
  ASSERT_EQ(all.sentences.size(), 2u);
  EXPECT_EQ(all.alternatives(), 3u);
  EXPECT_EQ(all.text(), translator()(text));
  for (const TranslatedSentence& sentence : all.sentences) {
    ASSERT_EQ(sentence.alternatives.size(), 3u);
    for (std::size_t n = 0; n < 3; ++n) {
      const Alternative& alternative = sentence.alternatives[n];
      EXPECT_EQ(alternative.pieces.size(), alternative.log_probabilities.size());
      EXPECT_EQ(alternative.pieces.back(), "</s>");
      float sum = 0;
      for (const float log_probability : alternative.log_probabilities) sum += log_probability;
      EXPECT_NEAR(alternative.score, sum / static_cast<float>(alternative.pieces.size()), 1e-5);
      if (n > 0) {
        EXPECT_LE(alternative.score, sentence.alternatives[n - 1].score);
      }
    }
  }
  EXPECT_EQ(all.text(1),
            all.sentences[0].alternatives[1].text + " " + all.sentences[1].alternatives[1].text);
  EXPECT_EQ(all.text(9), all.text(2));
  EXPECT_FLOAT_EQ(all.score(1),
                  all.sentences[0].alternatives[1].score + all.sentences[1].alternatives[1].score);
}

TEST(Translator, AlignsWords) {
  const std::string text = "Le chat mange une pomme.";
  TranslationOptions options;
  options.alignment = true;
  const Translation translation = translator().translate_full(text, options);
  const TranslatedSentence& sentence = translation.sentences[0];
  const auto aligned_to = [&](std::string_view word) -> std::string {
    for (const AlignedWords& pair : sentence.alignment) {
      if (sentence.words[static_cast<std::size_t>(pair.target)].text == word) {
        return sentence.source_words[static_cast<std::size_t>(pair.source)].text;
      }
    }
    return "nothing";
  };
  EXPECT_EQ(translation.text(), "The cat eats an apple.");
  EXPECT_EQ(aligned_to("cat"), "chat");
  EXPECT_EQ(aligned_to("eats"), "mange");
  EXPECT_TRUE(sentence.words.back().special);
}

TEST(Translator, ShowsTheChosenHeads) {
  const std::string text = "Le chat mange une pomme.";
  TranslationOptions options;
  options.attention = [](AttentionPlace place, Index head) {
    return place.layer == 1 && head == (place.kind == AttentionKind::cross ? 2 : 0);
  };
  const Translation translation = translator().translate_full(text, options);
  const TranslatedSentence& sentence = translation.sentences[0];
  const auto source = static_cast<Index>(sentence.source_pieces.size());
  const auto target = static_cast<Index>(sentence.alternatives[0].pieces.size());
  ASSERT_EQ(sentence.attention.size(), 3u);
  for (const AttentionMap& map : sentence.attention) {
    EXPECT_EQ(map.place.layer, 1);
    EXPECT_EQ(map.weights.rows(), map.place.kind == AttentionKind::encoder ? source : target);
    EXPECT_EQ(map.weights.cols(), map.place.kind == AttentionKind::decoder ? target : source);
    for (Index row = 0; row < map.weights.rows(); ++row) {
      double sum = 0;
      for (Index col = 0; col < map.weights.cols(); ++col) sum += map.weights(row, col);
      EXPECT_NEAR(sum, 1, 1e-6);
    }
  }
}

TEST(Translator, StreamsWhatItTranslates) {
  const auto lines = expected();
  for (std::size_t i = 0; i < 30; ++i) {
    int calls = 0;
    EXPECT_EQ(streamed(lines[i].source, {.beam_size = 1}, &calls),
              translator()(lines[i].source, {.beam_size = 1}));
    EXPECT_GT(calls, 1);
  }
  const std::string text = " Je suis étudiant.\n\nIl fait beau. Bonjour !\n";
  EXPECT_EQ(streamed(text, {}), translator()(text));
  EXPECT_EQ(streamed(text, {.beam_size = 1}), translator()(text, {.beam_size = 1}));
  EXPECT_EQ(streamed("", {}), "");
}

TEST(Translator, StreamsWhatItSamples) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const GenerationOptions options{.max_new_tokens = 60,
                                    .beam_size = 1,
                                    .sample = true,
                                    .temperature = 8.0f,
                                    .top_k = 0,
                                    .seed = seed};
    EXPECT_EQ(streamed("Bonjour. Salut.", options), translator()("Bonjour. Salut.", options));
  }
}

TEST(Translator, StreamEndsWhenTold) {
  int calls = 0;
  const auto once = [&](std::string_view) { return ++calls, AfterStep::cancel; };
  translator().stream("Je suis étudiant. Il fait beau.", once, {.beam_size = 1});
  EXPECT_EQ(calls, 1);
  translator().stream("Je suis étudiant. Il fait beau.", once, {.beam_size = 4});
  EXPECT_EQ(calls, 2);
}

TEST(Translator, IsCancelledAtAnyStep) {
  const std::vector<std::string> texts{"Je suis étudiant. Il fait beau.", "Bonjour."};
  for (int at = 1; at <= 8; ++at) {
    std::atomic<int> asked = 0;
    TranslationOptions options;
    options.alignment = true;
    options.cancelled = [&] { return ++asked >= at; };
    try {
      translator().translate_full(texts, options);
      ADD_FAILURE() << "not cancelled";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::cancelled);
    }
    EXPECT_EQ(asked, at);
  }
}

TEST(TranslatorThreads, AProfileChangesNothing) {
  auto texts = sources();
  texts.resize(12);
  TranslationOptions options;
  options.generation = {.beam_size = 2};
  options.alignment = true;
  const auto expected = translator().translate_full(texts, options);
  for (const Index threads : {1, 2}) {
    Profile profile;
    TranslatorOptions how;
    how.threads = threads;
    how.batch_tokens = 64;
    how.profile = &profile;
    const Translator translate = Translator::load(shipped, how);
    const auto profiled = translate.translate_full(texts, options);
    for (std::size_t t = 0; t < texts.size(); ++t) EXPECT_TRUE(same(profiled[t], expected[t]));
    const auto calls = [&](const std::string& name) {
      Index sum = 0;
      for (const Profile::Pass& pass : profile.passes()) sum += name == pass.name ? pass.calls : 0;
      return sum;
    };
    const Index batches = calls("translation");
    EXPECT_GT(batches, 1);
    EXPECT_EQ(calls("generation"), batches);
    EXPECT_EQ(calls("encoder"), batches + 12);  // once more for each sentence's alignment
    EXPECT_GT(calls("best outputs"), batches);
    EXPECT_EQ(translate(texts[0], options.generation), expected[0].text());
    EXPECT_EQ(calls("translation"), batches + 1);
  }
}

TEST(TranslatorThreads, AnswerSeveralCallersAtOnce) {
  const std::vector<std::string> texts = [] {
    auto all = sources();
    all.resize(12);
    return all;
  }();
  for (const Index threads : {1, 2}) {
    TranslatorOptions how;
    how.threads = threads;
    const Translator translate = Translator::load(shipped, how);
    const auto serial = translate(texts, {.beam_size = 2});
    ThreadPool callers(4);
    std::atomic<int> wrong = 0;
    callers.run(16, [&](Index number, Index) {
      if (number % 2 == 0) {
        const auto i = static_cast<std::size_t>(number) % texts.size();
        if (translate(texts[i], {.beam_size = 2}) != serial[i]) ++wrong;
      } else if (translate(texts, {.beam_size = 2}) != serial) {
        ++wrong;
      }
    });
    EXPECT_EQ(wrong, 0);
  }
}

}  // namespace
}  // namespace eigenformer::test
