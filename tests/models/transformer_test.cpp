// SPDX-License-Identifier: MIT
#include "eigenformer/models/transformer.hpp"

#include "eigenformer/core/thread_pool.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

constexpr TransformerConfig small{.d_model = 32,
                                  .heads = 4,
                                  .d_ff = 48,
                                  .encoder_layers = 2,
                                  .decoder_layers = 2,
                                  .vocab = 50,
                                  .target_vocab = 70,
                                  .embedding_scale = 2,
                                  .positions = 200};

struct Sentences {
  Batch sources, targets;
  std::vector<TokenId> source, target;
};
Sentences random_sentences(std::initializer_list<Index> sources,
                           std::initializer_list<Index> targets) {
  Sentences s{Batch(sources), Batch(targets), {}, {}};
  s.source = random_ids(s.sources.tokens(), 50, 1);
  s.target = random_ids(s.targets.tokens(), 70, 2);
  return s;
}

template <class Scalar, class Wiring>
Matrix<Scalar> logits_of(const Transformer<Scalar, Wiring>& model, const Sentences& s,
                         Context& context) {
  Matrix<Scalar> memory(s.sources.tokens(), model.d_model());
  Matrix<Scalar> hidden(s.targets.tokens(), model.d_model());
  Matrix<Scalar> logits(s.targets.tokens(), model.target_vocab());
  model.encode(s.source, s.sources, context, memory);
  model.decode(s.target, s.targets, {memory, s.sources}, context, hidden);
  model.project(hidden.view(), context, logits);
  return logits;
}

template <class Wiring>
void float_is_close_to_double() {
  Transformer<float, Wiring> model(small);
  randomize(model, 3);
  Transformer<double, Wiring> oracle(small);
  copy_parameters(model, oracle);
  const Sentences s = random_sentences({5, 70, 1}, {4, 66, 2});
  Context context = make_context();
  const Matrix<double> expected = logits_of(oracle, s, context);
  EXPECT_LT(largest_difference(logits_of(model, s, context), expected),
            1e-5 * expected.cwiseAbs().maxCoeff());
}
TEST(Transformer, FloatIsCloseToDouble) {
  float_is_close_to_double<PostNorm>();
  float_is_close_to_double<PreNorm>();
}

/// The same bits alone or in a batch, on any instruction set, with any number of threads.
void one_arithmetic(Storage storage) {
  TransformerConfig config = small;
  config.storage = storage;
  Transformer<float> model(config);
  randomize(model, 4);
  const Sentences all = random_sentences({9, 100, 1, 33}, {70, 65, 3, 1});
  Context context = make_context();
  const Matrix<float> expected = logits_of(model, all, context);
  for (const Isa isa : all_isas) {
    if (isa == Isa::portable || !kernels::find_table(isa)) continue;
    Context other = make_context(isa);
    EXPECT_TRUE(same_bits(expected, logits_of(model, all, other))) << name(isa);
  }
  for (const Index threads : {2, 3, 5}) {
    ThreadPool pool(threads);
    Context other = make_context(pool);
    EXPECT_TRUE(same_bits(expected, logits_of(model, all, other))) << threads;
  }
  for (Index i = 0; i < all.sources.sequences(); ++i) {
    Sentences one{Batch(all.sources.length(i)), Batch(all.targets.length(i)), {}, {}};
    one.source.assign(all.source.begin() + all.sources.begin(i),
                      all.source.begin() + all.sources.end(i));
    one.target.assign(all.target.begin() + all.targets.begin(i),
                      all.target.begin() + all.targets.end(i));
    const Matrix<float> alone = logits_of(model, one, context);
    EXPECT_TRUE(same_bits(
        Matrix<float>(expected.middleRows(all.targets.begin(i), all.targets.length(i))), alone))
        << "sequence " << i;
  }
}
TEST(Transformer, OneArithmeticThreads) { one_arithmetic(Storage::f32); }
TEST(Transformer, OneArithmeticInInt8Threads) { one_arithmetic(Storage::int8); }

TEST(Transformer, WatchingChangesNothing) {
  struct Counter : AttentionObserver {
    bool wants(AttentionPlace place, Index) const override { return place.layer == 1; }
    void observe(const AttentionRecord& record) override {
      ++count[static_cast<int>(record.place.kind)];
    }
    int count[3] = {};
  } counter;
  Transformer<float> model(small);
  randomize(model, 5);
  const Sentences s = random_sentences({9, 4}, {7, 8});
  Context context = make_context();
  const Matrix<float> unwatched = logits_of(model, s, context);
  context.watch(counter);
  EXPECT_TRUE(same_bits(unwatched, logits_of(model, s, context)));
  for (const int count : counter.count) EXPECT_EQ(count, 2 * 4);  // sequences x heads
}

TEST(Transformer, SharedAndTiedTablesExistOnce) {
  TransformerConfig config = small;
  config.target_vocab = 0;
  const Index apart = Transformer<float>(config).parameter_count();
  config.shared_embedding = true;
  EXPECT_EQ(Transformer<float>(config).parameter_count(), apart - 50 * 32);
  config.tied_output = true;
  config.output_bias = false;
  EXPECT_EQ(Transformer<float>(config).parameter_count(), apart - 2 * 50 * 32 - 50);
  config.target_vocab = 51;
  EXPECT_THROW(Transformer<float>{config}, Error);
}

struct LearnedWiring : PostNorm {
  template <class Scalar>
  using Positions = LearnedPositions<Scalar>;
};
TEST(Transformer, LearnedPositionsAreParameters) {
  const Transformer<float, LearnedWiring> model(small);
  EXPECT_EQ(model.get("positions.weight").rows(), 200);
  EXPECT_EQ(model.parameter_count(), Transformer<float>(small).parameter_count() + 200 * 32);
}

TEST(Transformer, SixteenBitWeightsAreTheirWidenedTwins) {
  for (const Storage storage : {Storage::f16, Storage::bf16}) {
    TransformerConfig config = small;
    config.storage = storage;
    Transformer<float> narrow(config), wide(small);
    randomize(narrow, 6);
    narrow.for_each_parameter([&](const std::string& name, const auto& parameter) {
      wide.set(name, value_of(parameter));
    });
    const Sentences s = random_sentences({9, 4}, {7, 8});
    Context context = make_context();
    EXPECT_TRUE(same_bits(logits_of(wide, s, context), logits_of(narrow, s, context)));
  }
}

TEST(Transformer, IdsAndLengthsAreChecked) {
  const Transformer<float> model(small);
  Context context = make_context();
  Matrix<float> memory(1, 32);
  EXPECT_THROW(model.encode(std::vector<TokenId>{50}, Batch(1), context, memory), Error);
  Matrix<float> too_long(201, 32);
  EXPECT_THROW(model.encode(std::vector<TokenId>(201), Batch(201), context, too_long), Error);
}

}  // namespace
}  // namespace eigenformer::test
