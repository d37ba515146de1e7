// SPDX-License-Identifier: MIT
// What a profile says of a Transformer: numbers that a reader can compute from the shapes.
#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "eigenformer/kernels/dispatch.hpp"
#include "eigenformer/models/transformer_session.hpp"
#include "support/matrices.hpp"
#include "support/peak_memory.hpp"

namespace eigenformer::test {
namespace {

constexpr TransformerConfig tiny{.d_model = 16,
                                 .heads = 2,
                                 .d_ff = 32,
                                 .encoder_layers = 1,
                                 .decoder_layers = 1,
                                 .vocab = 32,
                                 .embedding_scale = 4,
                                 .positions = 20};

TransformerModel<PostNorm> make_model(TransformerConfig config) {
  Transformer<float, PostNorm> transformer(config);
  randomize(transformer, 3);
  return TransformerModel<PostNorm>(std::move(transformer));
}

/// Two sources, of three tokens and of two; their first step, and the best token that follows.
std::vector<float> first_step(const SequenceToSequenceModel& model, Context& context) {
  const std::vector<TokenId> source{1, 2, 3, 4, 5}, starts{0, 0};
  const Batch one_each{1, 1}, nothing_listed{0, 0};
  const auto session = model.start(source, Batch{3, 2}, context);
  session->advance(starts, one_each);
  std::vector<Candidate> best(2);
  std::vector<kernels::LogSumExp> totals(2);
  session->best({1, nothing_listed, {}}, {best, totals, {}});
  return {best[0].logit, best[1].logit, totals[0].max, totals[1].log_sum};
}

std::string path(const Profile& profile, const Profile::Pass& pass) {
  std::string name = pass.name;
  if (pass.number != Profile::none) name += " " + std::to_string(pass.number);
  if (pass.storage != Storage::f32) name += std::string(" ") + eigenformer::name(pass.storage);
  if (pass.parent == Profile::none) return name;
  return path(profile, profile.passes()[std::size_t(pass.parent)]) + "/" + name;
}

/// A line for each pass: its calls; bytes of memory, of activations, and operations.
std::vector<std::string> describe(const Profile& profile) {
  std::vector<std::string> out;
  for (const Profile::Pass& pass : profile.passes()) {
    out.push_back(path(profile, pass) + ": " + std::to_string(pass.calls));
    const auto& [memory, activations, operations] = pass.work;
    if (memory + activations + operations == 0) continue;
    out.back() += "; " + std::to_string(memory) + " " + std::to_string(activations) + " " +
                  std::to_string(operations);
  }
  return out;
}

void expect_lines(const Profile& profile, std::initializer_list<const char*> expected) {
  const std::vector<std::string> lines = describe(profile);
  for (const char* const line : expected) {
    EXPECT_NE(std::find(lines.begin(), lines.end(), line), lines.end()) << line;
  }
}

/// 16 x 16 floats are 1,024 bytes, a bias of 16 is 64, 5 tokens are 320 and 2 are 128.
TEST(TransformerProfile, NamesCallsBytesAndOperations) {
  const auto model = make_model(tiny);
  Context context = make_context();
  Profile profile;
  context.profile_into(profile);
  first_step(model, context);
  const std::vector<std::string> expected{
      "encoder: 1",
      "encoder/embedding: 1; 320 320 0",
      "encoder/embedding/scale: 1; 0 640 80",
      "encoder/positions: 1",
      "encoder/positions/add: 2; 0 960 80",
      "encoder/layer 0: 1",
      "encoder/layer 0/self-attention: 1",
      // 4 x (1,024 + 64), 4 x (320 + 320), 4 x 2 x 5 x 16 x 16
      "encoder/layer 0/self-attention/product: 4; 4352 2560 10240",
      // Q, K, V and the output; 4 x 16 x (3 x 3 + 2 x 2)
      "encoder/layer 0/self-attention/attention: 1; 0 1280 832",
      "encoder/layer 0/add: 2; 0 1920 160",
      "encoder/layer 0/norm: 2; 256 1280 1120",
      "encoder/layer 0/feed-forward: 1",
      "encoder/layer 0/feed-forward/product: 2; 4288 1920 10240",
      "encoder/layer 0/feed-forward/activation: 1; 0 1280 0",
      "memory: 1",
      "memory/layer 0: 1",
      "memory/layer 0/product: 2; 2176 1280 5120",
      "memory/layer 0/cache write: 1; 640 640 0",
      "decoder: 1",
      "decoder/embedding: 1; 128 128 0",
      "decoder/embedding/scale: 1; 0 256 32",
      "decoder/positions: 1",
      "decoder/positions/add: 2; 0 384 32",
      "decoder/cache extend: 1",
      "decoder/layer 0: 1",
      "decoder/layer 0/self-attention: 1",
      "decoder/layer 0/self-attention/product: 4; 4352 1024 4096",
      "decoder/layer 0/self-attention/cache write: 1; 256 256 0",
      "decoder/layer 0/self-attention/attention: 1; 256 256 128",
      "decoder/layer 0/add: 3; 0 1152 96",
      "decoder/layer 0/norm: 3; 384 768 672",
      "decoder/layer 0/cross-attention: 1",
      "decoder/layer 0/cross-attention/product: 2; 2176 512 2048",
      // Keys and values of 5 tokens; 4 x 16 x (3 + 2)
      "decoder/layer 0/cross-attention/attention: 1; 640 256 320",
      "decoder/layer 0/feed-forward: 1",
      "decoder/layer 0/feed-forward/product: 2; 4288 768 4096",
      "decoder/layer 0/feed-forward/activation: 1; 0 512 0",
      "output: 1",
      "output/best outputs: 1; 2176 128 2048",
  };
  EXPECT_EQ(describe(profile), expected);
}

/// int8: 16 inputs are stored as 64, with a scale and an offset for each output: 1,152 bytes.
TEST(TransformerProfile, Int8) {
  TransformerConfig config = tiny;
  config.storage = Storage::int8;
  const auto model = make_model(config);
  Context context = make_context();
  Profile profile;
  context.profile_into(profile);
  first_step(model, context);
  expect_lines(profile,
               {"encoder/embedding int8: 1; 360 320 0",
                "encoder/layer 0/self-attention/quantise: 2; 0 800 160",
                "encoder/layer 0/self-attention/product int8: 4; 4864 1600 10240",
                "encoder/layer 0/feed-forward/quantise: 2; 0 1200 240",
                "output/quantise: 1; 0 160 32", "output/best outputs int8: 1; 2432 32 2048"});
}

/// Beams of one sentence read its keys and values once; of what a causal query does not see
/// nothing is counted.
TEST(TransformerProfile, AttentionCountsWhatIsSeen) {
  const auto model = make_model(tiny);
  Context context = make_context();
  Profile profile;
  const std::vector<TokenId> source{1, 2, 3}, prompt{0, 1, 2, 3}, more{4, 5};
  const auto session = model.start(source, Batch(3), context);
  context.profile_into(profile);
  session->advance(prompt, Batch(4));
  // 4 keys and values of 64 bytes; 4 x 16 x (1 + 2 + 3 + 4)
  expect_lines(profile, {"decoder/layer 0/self-attention/attention: 1; 512 512 640"});
  profile.clear();
  session->reorder(std::vector<Index>{0, 0});
  session->advance(more, Batch{1, 1});
  // 5 keys of each row; 3 keys of both.
  expect_lines(profile, {"reorder: 1", "decoder/layer 0/self-attention/attention: 1; 1280 256 640",
                         "decoder/layer 0/cross-attention/attention: 1; 384 256 384"});
}

TEST(TransformerProfile, ChangesNoBit) {
  for (const Storage storage : all_storages) {
    TransformerConfig config = tiny;
    config.storage = storage;
    const auto model = make_model(config);
    Context plain = make_context(), profiled = make_context();
    Profile profile;
    profiled.profile_into(profile);
    const std::vector<float> expected = first_step(model, plain);
    EXPECT_TRUE(same_bits(expected, first_step(model, profiled))) << name(storage);
    EXPECT_FALSE(profile.passes().empty());
    profiled.stop_profile();
    profile.clear();
    EXPECT_TRUE(same_bits(expected, first_step(model, profiled))) << name(storage);
    EXPECT_TRUE(profile.passes().empty());
  }
}

TEST(TransformerProfile, ASecondStepAllocatesNothing) {
  if (!memory_is_counted()) GTEST_SKIP() << "memory is not counted here";
  const auto model = make_model(tiny);
  Context context = make_context();
  Profile profile, sum;
  context.profile_into(profile);
  const std::vector<TokenId> source{1, 2, 3, 4, 5};
  const Batch batch{3, 2};
  Matrix<float> states(5, 16);
  const auto step = [&] {
    model.encode(source, batch, context, states);
    sum.merge(profile);
  };
  step();
  EXPECT_EQ(peak_memory(step), 0u);
  profile.clear();
  EXPECT_EQ(peak_memory(step), 0u);
}

}  // namespace
}  // namespace eigenformer::test
