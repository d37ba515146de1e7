// SPDX-License-Identifier: MIT
#include "eigenformer/models/transformer_session.hpp"

#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/layers/attention_recorder.hpp"
#include "support/matrices.hpp"
#include "support/peak_memory.hpp"

namespace eigenformer::test {
namespace {

constexpr TransformerConfig small{.d_model = 32,
                                  .heads = 4,
                                  .kv_heads = 2,
                                  .d_ff = 48,
                                  .decoder_heads = 2,
                                  .decoder_d_ff = 40,
                                  .encoder_layers = 2,
                                  .decoder_layers = 3,
                                  .vocab = 50,
                                  .target_vocab = 1100,
                                  .embedding_scale = 2,
                                  .positions = 100};

template <class Wiring>
TransformerModel<Wiring> make_model(Storage storage = Storage::f32) {
  TransformerConfig config = small;
  config.storage = storage;
  Transformer<float, Wiring> transformer(config);
  randomize(transformer, 3);
  return TransformerModel<Wiring>(std::move(transformer));
}

/// Sources of a batch, encoded, and targets to feed.
struct Scene {
  Batch sources{5, 33, 1}, targets{20, 36, 3};
  std::vector<TokenId> source = random_ids(39, 50, 1), target = random_ids(59, 1100, 2);
};

/// The logits after each token of each target, decoded whole: [tokens, vocab].
template <class Wiring>
Matrix<float> whole(const TransformerModel<Wiring>& model, const Scene& scene, Context& context) {
  const auto& transformer = model.transformer();
  Matrix<float> memory(scene.sources.tokens(), 32), hidden(scene.targets.tokens(), 32),
      logits(scene.targets.tokens(), 1100);
  transformer.encode(scene.source, scene.sources, context, memory);
  transformer.decode(scene.target, scene.targets, {memory, scene.sources}, context, hidden);
  transformer.project(hidden.view(), context, logits);
  return logits;
}

template <class Wiring>
void pieces_equal_the_whole(Isa isa, Storage storage = Storage::f32) {
  const auto model = make_model<Wiring>(storage);
  const Scene scene;
  Context context = make_context(isa);
  const Matrix<float> expected = whole(model, scene, context);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    RandomStream random(seed, 0, 0);
    auto session = model.start(scene.source, scene.sources, context);
    std::vector<Index> at(3, 0), row_of = {0, 1, 2};
    while (session->rows() > 0) {
      std::vector<TokenId> tokens;
      Batch batch;
      for (const Index s : row_of) {
        const Index left = scene.targets.length(s) - at[std::size_t(s)];
        const Index count = std::min(left, seed == 0 ? 1 : 1 + Index(random.bits() % 20));
        const auto from = scene.target.begin() + scene.targets.begin(s) + at[std::size_t(s)];
        tokens.insert(tokens.end(), from, from + count);
        batch.add(count);
        at[std::size_t(s)] += count;
      }
      session->advance(tokens, batch);
      Matrix<float> logits(session->rows(), 1100);
      session->logits(logits);
      std::vector<Index> parents, next;
      for (std::size_t r = 0; r < row_of.size(); ++r) {
        const Index s = row_of[r], token = scene.targets.begin(s) + at[std::size_t(s)] - 1;
        EXPECT_TRUE(
            same_bits(expected.data() + token * 1100, logits.data() + Index(r) * 1100, 1100));
        if (at[std::size_t(s)] == scene.targets.length(s)) continue;
        parents.push_back(Index(r));
        next.push_back(s);
      }
      session->reorder(parents);
      row_of = next;
    }
  }
}

TEST(TransformerSession, PiecesEqualTheWhole) {
  for (const Isa isa : exact_isas()) {
    pieces_equal_the_whole<PostNorm>(isa);
    pieces_equal_the_whole<PreNorm>(isa);
    pieces_equal_the_whole<PostNorm>(isa, Storage::int8);
  }
  pieces_equal_the_whole<PostNorm>(Isa::reference);
}

TEST(TransformerSession, InstructionSetsAgree) {
  const auto model = make_model<PostNorm>();
  Context reference = make_context(Isa::reference);
  const Matrix<float> expected = whole(model, Scene(), reference);
  for (const Isa isa : exact_isas()) {
    Context context = make_context(isa);
    EXPECT_TRUE(same_bits(expected, whole(model, Scene(), context))) << name(isa);
  }
}

/// A batch of one-token rows decoded for `steps` steps with forks on the way; all logits.
std::vector<float> forked(const SequenceToSequenceModel& model, Context& context) {
  const Scene scene;
  auto session = model.start(scene.source, scene.sources, context);
  std::vector<float> all;
  std::vector<TokenId> history;
  for (int step = 0; step < 40; ++step) {
    Batch one_each;
    std::vector<TokenId> tokens;
    std::vector<Index> parents;
    for (Index r = 0; r < session->rows(); ++r) {
      one_each.add(1);
      tokens.push_back(TokenId((step * 31 + r * 17) % 1100));
      parents.push_back((r * 5 + step) % session->rows());
    }
    if (step % 7 == 2) parents.push_back(parents[0]);
    if (step % 7 == 5) parents.pop_back();
    session->advance(tokens, one_each);
    session->reorder(parents);
    Matrix<float> logits(session->rows(), 1100);
    session->logits(logits);
    all.insert(all.end(), logits.data(), logits.data() + logits.size());
  }
  return all;
}

void threads_and_instruction_sets_change_nothing(Storage storage) {
  const auto model = make_model<PostNorm>(storage);
  Context alone = make_context();
  const std::vector<float> expected = forked(model, alone);
  for (const Index threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    Context context = make_context(pool);
    EXPECT_TRUE(same_bits(expected, forked(model, context))) << threads << " threads";
  }
  for (const Isa isa : exact_isas()) {
    Context context = make_context(isa);
    EXPECT_TRUE(same_bits(expected, forked(model, context))) << name(isa);
  }
}
TEST(TransformerSession, ThreadsAndInstructionSetsChangeNothing) {
  threads_and_instruction_sets_change_nothing(Storage::f32);
}
TEST(TransformerSession, ThreadsAndInstructionSetsChangeNothingInInt8) {
  threads_and_instruction_sets_change_nothing(Storage::int8);
}

TEST(TransformerSession, WatchingChangesNothing) {
  const auto model = make_model<PreNorm>();
  Context context = make_context();
  const std::vector<float> expected = forked(model, context);
  AttentionRecorder recorder;
  context.watch(recorder);
  EXPECT_TRUE(same_bits(expected, forked(model, context)));
  EXPECT_FALSE(recorder.entries().empty());
}

TEST(TransformerSession, AForkIsLikeARowThatWasAloneFromTheStart) {
  const auto model = make_model<PostNorm>();
  const Scene scene;
  Context context = make_context();
  auto session = model.start(scene.source, scene.sources, context);
  session->advance(std::vector<TokenId>{1, 2, 3, 4, 5, 6}, Batch{1, 4, 1});
  session->reorder(std::vector<Index>{1, 1});
  session->advance(std::vector<TokenId>{7, 8}, Batch{1, 1});
  Matrix<float> logits(2, 1100), alone(1, 1100);
  session->logits(logits);
  const std::span<const TokenId> second(scene.source.data() + 5, 33);
  for (const TokenId last : {7, 8}) {
    auto other = model.start(second, Batch(33), context);
    other->advance(std::vector<TokenId>{2, 3, 4, 5, last}, Batch(5));
    other->logits(alone);
    EXPECT_TRUE(same_bits(alone.data(), logits.data() + (last - 7) * 1100, 1100));
  }
}

TEST(TransformerSession, ScoresAreLogSoftmaxOfLogits) {
  const auto model = make_model<PostNorm>();
  const Scene scene;
  Context context = make_context();
  Matrix<float> expected = whole(model, scene, context);
  kernels::log_softmax(context, expected);
  auto session = model.start(scene.source, scene.sources, context);
  session->advance(scene.target, scene.targets);
  const std::vector<TokenId> followers = random_ids(scene.targets.tokens(), 1100, 9);
  std::vector<float> scores(followers.size());
  session->score(followers, scores);
  for (std::size_t t = 0; t < followers.size(); ++t) {
    EXPECT_TRUE(same_bits(expected(Index(t), followers[t]), scores[t]));
  }
}

class TransformerSessionMemory : public ::testing::TestWithParam<Storage> {};
INSTANTIATE_TEST_SUITE_P(Storages, TransformerSessionMemory, ::testing::ValuesIn(all_storages),
                         [](const auto& one) { return std::string(name(one.param)); });

TEST_P(TransformerSessionMemory, AStepThatOpensNoBlockAllocatesNothing) {
  if (!memory_is_counted()) GTEST_SKIP() << "memory is not counted under this sanitizer";
  const auto model = make_model<PostNorm>(GetParam());
  const Scene scene;
  Context context = make_context();
  auto session = model.start(scene.source, scene.sources, context);
  const Batch one_each{1, 1, 1}, none{0, 0, 0};
  const std::vector<TokenId> tokens = {1, 2, 3};
  const std::vector<Index> same = {0, 1, 2};
  std::vector<Candidate> best(12);
  std::vector<kernels::LogSumExp> totals(3);
  for (int step = 0; step < 40; ++step) {
    const std::size_t peak = peak_memory([&] {
      session->advance(tokens, one_each);
      session->best({4, none, {}}, {best, totals, {}});
      session->reorder(same);
    });
    // Step 0 grows the scratch memory, steps 16 and 32 open blocks.
    if (step % 16 == 0) {
      EXPECT_GT(peak, 0u) << step;
    } else {
      EXPECT_EQ(peak, 0u) << step;
    }
  }
}

TEST(TransformerSession, RefusesWhatItCannotDoAndStaysAsItWas) {
  const auto model = make_model<PostNorm>();
  const Scene scene;
  Context context = make_context();
  auto session = model.start(scene.source, scene.sources, context);
  Matrix<float> logits(3, 1100), again(3, 1100);
  const auto code_of = [&](auto call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::cancelled;
  };
  using enum ErrorCode;
  EXPECT_EQ(code_of([&] { session->logits(logits); }), invalid_argument);
  session->advance(scene.target, scene.targets);
  session->logits(logits);
  const std::vector<TokenId> ids{1, 2, 3}, beyond{1, 1100, 3}, below{1, -1, 3};
  EXPECT_EQ(code_of([&] { session->advance(beyond, Batch{1, 1, 1}); }), out_of_range);
  EXPECT_EQ(code_of([&] { session->advance(below, Batch{1, 1, 1}); }), out_of_range);
  EXPECT_EQ(code_of([&] { session->advance(ids, Batch{1, 2}); }), invalid_argument);
  EXPECT_EQ(code_of([&] { session->advance(ids, Batch{3, 0, 0}); }), invalid_argument);
  const std::vector<TokenId> many(100, 1);
  EXPECT_EQ(code_of([&] { session->advance(many, Batch{98, 1, 1}); }), out_of_range);
  EXPECT_EQ(code_of([&] { session->reorder(std::vector<Index>{0, 3}); }), invalid_argument);
  EXPECT_EQ(code_of([&] { model.start(std::vector<TokenId>{50}, Batch(1), context); }),
            out_of_range);
  std::vector<float> scores(2);
  EXPECT_EQ(code_of([&] { session->score(std::vector<TokenId>{1, 2}, scores); }), invalid_argument);
  session->logits(again);
  EXPECT_TRUE(same_bits(logits, again));
}

}  // namespace
}  // namespace eigenformer::test
