// SPDX-License-Identifier: MIT
// Models in folders against the reference implementation, by the code of examples/verify, and what
// must be equal to the last bit.
#include "examples/support/golden_folder.hpp"

#include <filesystem>
#include <set>

#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/generation/score.hpp"
#include "eigenformer/models/transformer_session.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

const std::string data = EIGENFORMER_TEST_DATA;
const std::string shipped = data + "/../../models/fr-en-small";

/// Every folder of tests/data/goldens, and the model that ships.
std::vector<std::string> folders() {
  std::set<std::string> sorted{shipped};
  for (const auto& entry : std::filesystem::directory_iterator(data + "/goldens")) {
    sorted.insert(entry.path().string());
  }
  return {sorted.begin(), sorted.end()};
}

class GoldenFolder : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenFolder, AnswersLikeTheReference) {
  Context context = make_context();
  int checks = 0;
  golden::Folder(GetParam()).run(context, [&](const golden::Check& check) {
    ++checks;
    EXPECT_TRUE(check.passed()) << check.name << ": " << check.difference << " of "
                                << check.tolerance;
  });
  EXPECT_GT(checks, 10);
}

TEST_P(GoldenFolder, StaysWithinItsBarsInOtherStorages) {
  Context context = make_context();
  for (const Storage storage : all_storages) {
    ModelOptions options;
    options.storage = storage;
    int checks = 0;
    golden::Folder(GetParam(), options).run(context, [&](const golden::Check& check) {
      if (!check.binding) return;
      ++checks;
      EXPECT_TRUE(check.passed()) << name(storage) << ": " << check.name << ": " << check.difference
                                  << " of " << check.tolerance;
    });
    EXPECT_GT(checks, 5) << name(storage);
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, GoldenFolder, ::testing::ValuesIn(folders()),
                         [](const auto& one) {
                           std::string name;
                           for (const char c : one.param.substr(one.param.rfind('/') + 1)) {
                             name += c == '-' ? '_' : c;
                           }
                           return name;
                         });

/// Everything that came out, to the last bit.
::testing::AssertionResult same(const Generated& a, const Generated& b) {
  if (a.hypotheses.size() != b.hypotheses.size()) return ::testing::AssertionFailure() << "number";
  for (std::size_t h = 0; h < a.hypotheses.size(); ++h) {
    const Hypothesis &x = a.hypotheses[h], &y = b.hypotheses[h];
    if (x.tokens != y.tokens) return ::testing::AssertionFailure() << "tokens of " << h;
    if (x.finish != y.finish) return ::testing::AssertionFailure() << "finish of " << h;
    if (!same_bits(x.score, y.score)) return ::testing::AssertionFailure() << "score of " << h;
    const auto bits = same_bits(x.log_probabilities, y.log_probabilities);
    if (!bits) return bits;
  }
  return ::testing::AssertionSuccess();
}

/// A model, sources, and ways of decoding.
struct Scene {
  OpenedModel opened;
  std::vector<std::vector<TokenId>> sources;
  std::vector<GenerationOptions> ways;

  explicit Scene(Storage storage, const std::string& folder = data + "/goldens/marian") {
    ModelOptions options;
    options.storage = storage;
    opened = open_model(folder, options);
    for (std::uint64_t s = 0; s < 24; ++s) {
      auto source = random_ids(Index(s % 9 == 0 ? 0 : s * 7 % 40), 126, s);
      for (TokenId& id : source) ++id;
      source.push_back(0);
      sources.push_back(source);
    }
    GenerationOptions greedy, beams, sampled;
    greedy.max_new_tokens = beams.max_new_tokens = sampled.max_new_tokens = 20;
    greedy.repetition_penalty = 1.1f;
    beams.beam_size = beams.hypotheses = 4;
    beams.no_repeat_ngram_size = 3;
    beams.length_penalty = 0.7f;
    sampled.sample = true;
    sampled.hypotheses = 2;
    sampled.temperature = 1.5f;
    sampled.top_p = 0.95f;
    sampled.seed = 11;
    for (const auto& way : {greedy, beams, sampled}) ways.push_back(way.or_from(opened.defaults));
  }

  std::vector<Generated> decode(Context& context, const std::vector<std::size_t>& which,
                                const GenerationOptions& way) const {
    std::vector<TokenId> source, start;
    std::vector<std::uint64_t> numbers;
    Batch batch, prompt;
    for (const std::size_t s : which) {
      source.insert(source.end(), sources[s].begin(), sources[s].end());
      batch.add(Index(sources[s].size()));
      start.push_back(*opened.defaults.start_token);
      prompt.add(1);
      numbers.push_back(s);
    }
    const auto session = opened.model->start(source, batch, context);
    return generate(*session, {start, prompt, numbers}, way);
  }
  std::vector<Generated> all_alone(Context& context, const GenerationOptions& way) const {
    std::vector<Generated> answers;
    for (std::size_t s = 0; s < sources.size(); ++s) {
      answers.push_back(decode(context, {s}, way)[0]);
    }
    return answers;
  }
};

class Decoding : public ::testing::TestWithParam<Storage> {};
class DecodingThreads : public ::testing::TestWithParam<Storage> {};
const auto name_of = [](const auto& one) { return std::string(name(one.param)); };
INSTANTIATE_TEST_SUITE_P(Storages, Decoding, ::testing::ValuesIn(all_storages), name_of);
INSTANTIATE_TEST_SUITE_P(Storages, DecodingThreads, ::testing::ValuesIn(all_storages), name_of);

TEST_P(Decoding, AnAnswerIsTheSameInAnyOf30RaggedBatches) {
  const Scene scene(GetParam());
  Context context = make_context();
  for (const GenerationOptions& way : scene.ways) {
    const auto expected = scene.all_alone(context, way);
    for (std::uint64_t round = 0; round < 30; ++round) {
      RandomStream random(round, 0, 0);
      std::vector<std::size_t> which(1 + random.bits() % 20);
      for (std::size_t& s : which) s = random.bits() % scene.sources.size();
      const auto got = scene.decode(context, which, way);
      for (std::size_t i = 0; i < which.size(); ++i) {
        EXPECT_TRUE(same(expected[which[i]], got[i])) << "round " << round << ", place " << i;
      }
    }
  }
}

/// All sources in one batch, in every way.
std::vector<Generated> everything(const Scene& scene, Context& context) {
  std::vector<std::size_t> all(scene.sources.size());
  for (std::size_t s = 0; s < all.size(); ++s) all[s] = s;
  std::vector<Generated> answers;
  for (const GenerationOptions& way : scene.ways) {
    for (Generated& answer : scene.decode(context, all, way)) answers.push_back(std::move(answer));
  }
  return answers;
}
void expect_same(const std::vector<Generated>& expected, const std::vector<Generated>& got) {
  ASSERT_EQ(expected.size(), got.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(same(expected[i], got[i])) << i;
}

TEST_P(Decoding, InstructionSetsAgree) {
  const Scene scene(GetParam());
  Context reference = make_context(Isa::reference);
  const auto expected = everything(scene, reference);
  for (const Isa isa : exact_isas()) {
    Context context = make_context(isa);
    expect_same(expected, everything(scene, context));
  }
}

TEST_P(DecodingThreads, ChangeNothing) {
  const Scene scene(GetParam());
  Context alone = make_context();
  const auto expected = everything(scene, alone);
  for (const Index threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    Context context = make_context(pool);
    expect_same(expected, everything(scene, context));
  }
}

TEST_P(Decoding, WatchingChangesNothing) {
  const Scene scene(GetParam());
  Context context = make_context();
  const auto expected = everything(scene, context);
  golden::Recorder recorder;
  context.watch(recorder);
  expect_same(expected, everything(scene, context));
  EXPECT_GE(recorder.tensors().size(), 6u);
}

TEST(StoragesOfAHalfFile, Agree) {
  const std::string folder = data + "/goldens/marian-float16";
  const Scene f16(Storage::f16, folder), f32(Storage::f32, folder);
  Context context = make_context();
  expect_same(everything(f16, context), everything(f32, context));
}

TEST_P(Decoding, ATargetPrefixIsContinued) {
  const Scene scene(GetParam());
  Context context = make_context();
  const auto& source = scene.sources[4];
  const TokenId start = *scene.opened.defaults.start_token;
  for (const GenerationOptions& way : {scene.ways[0]}) {
    const auto whole = scene.decode(context, {4}, way)[0].hypotheses[0].tokens;
    ASSERT_GT(whole.size(), 3u);
    const std::vector<TokenId> prompt{start, whole[0], whole[1]};
    const auto session = scene.opened.model->start(source, Batch(Index(source.size())), context);
    const auto rest = generate(*session, {prompt, Batch(3)}, way)[0].hypotheses[0].tokens;
    EXPECT_EQ(rest, std::vector<TokenId>(whole.begin() + 2, whole.end()));
  }
}

TEST_P(Decoding, GivenTargetsAreScoredAsTheyAreGenerated) {
  const Scene scene(GetParam());
  Context context = make_context();
  const TokenId start = *scene.opened.defaults.start_token;
  std::vector<TokenId> source, targets, starts;
  std::vector<float> expected;
  Batch batch, target_batch, prompt;
  GenerationOptions greedy;
  greedy.max_new_tokens = 15;
  greedy = greedy.or_from(scene.opened.defaults);
  greedy.forced_eos_tokens.reset();  // it would be scored as certain
  for (const std::size_t s : {1u, 2u, 3u, 11u}) {
    const Hypothesis one = scene.decode(context, {s}, greedy)[0].hypotheses[0];
    source.insert(source.end(), scene.sources[s].begin(), scene.sources[s].end());
    batch.add(Index(scene.sources[s].size()));
    targets.insert(targets.end(), one.tokens.begin(), one.tokens.end());
    expected.insert(expected.end(), one.log_probabilities.begin(), one.log_probabilities.end());
    target_batch.add(Index(one.tokens.size()));
    starts.push_back(start);
    prompt.add(1);
  }
  const auto session = scene.opened.model->start(source, batch, context);
  EXPECT_TRUE(
      same_bits(expected, score_targets(*session, {starts, prompt}, {targets, target_batch})));
}

TEST_P(Decoding, AnEmptyTargetHasNoScores) {
  const Scene scene(GetParam());
  Context context = make_context();
  const std::vector<TokenId> source{3, 0, 4, 0}, start(2, *scene.opened.defaults.start_token),
      target{9, 0};
  const auto session = scene.opened.model->start(source, Batch{2, 2}, context);
  EXPECT_EQ(score_targets(*session, {start, Batch{1, 1}}, {target, Batch{0, 2}}).size(), 2u);
}

TEST_P(Decoding, NaNWeightsEndTheSequenceWithTheirReason) {
  OpenedModel opened = open_model(data + "/goldens/marian");
  auto model = dynamic_cast<TransformerModel<PostNorm>*>(opened.model.get())->transformer();
  Matrix<float> bias(1, 128);
  bias(0, 77) = std::nanf("");
  model.set("output.bias", bias);
  const TransformerModel<PostNorm> broken(std::move(model));
  Context context = make_context();
  for (const Index beams : {1, 4}) {
    GenerationOptions options;
    options.beam_size = beams;
    const std::vector<TokenId> source{3, 0}, start{127};
    const auto session = broken.start(source, Batch(2), context);
    const auto answer =
        generate(*session, {start, Batch(1)}, options.or_from(opened.defaults))[0].hypotheses;
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer[0].finish, FinishReason::not_a_number);
    EXPECT_TRUE(answer[0].tokens.empty());
  }
}

}  // namespace
}  // namespace eigenformer::test
