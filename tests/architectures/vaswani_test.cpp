// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/vaswani.hpp"

#include <algorithm>

#include "support/golden.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

template <class Scalar, class Wiring>
struct Scene {
  const Transformer<Scalar, Wiring>& model;
  Context context = make_context();

  Matrix<Scalar> encode(const std::vector<TokenId>& source) {
    Matrix<Scalar> memory(Index(source.size()), model.d_model());
    model.encode(source, Batch(memory.rows()), context, memory);
    return memory;
  }
  Matrix<Scalar> decode(const std::vector<TokenId>& target, const Matrix<Scalar>& memory) {
    const Batch source(memory.rows());
    Matrix<Scalar> hidden(Index(target.size()), model.d_model());
    model.decode(target, Batch(hidden.rows()), {memory, source}, context, hidden);
    return hidden;
  }
  Matrix<Scalar> project(const Matrix<Scalar>& hidden) {
    Matrix<Scalar> logits(hidden.rows(), model.target_vocab());
    model.project(hidden.view(), context, logits);
    return logits;
  }
  /// The likeliest token after the last row.
  TokenId best(const Matrix<Scalar>& logits) const {
    Index id = 0;
    logits.row(logits.rows() - 1).maxCoeff(&id);
    return TokenId(id);
  }
};

template <class Scalar, class Wiring>
void like_torch(const std::string& folder, double tolerance) {
  const VaswaniConfig config =
      read_vaswani_config(io::read_json(Golden::path("torch/" + folder + "/config.json")));
  const auto model = make_vaswani<Scalar, Wiring>(
      config, io::read_safetensors(Golden::path("torch/" + folder + "/model.safetensors")));
  const Golden golden("torch/" + folder + "/golden");
  for (const std::string name : {"scene_0", "scene_1", "scene_2"}) {
    Scene<Scalar, Wiring> scene{model};
    const Matrix<Scalar> memory = scene.encode(golden.ids("in." + name + ".source"));
    const Matrix<Scalar> hidden = scene.decode(golden.ids("in." + name + ".target"), memory);
    EXPECT_LT(largest_difference(memory, golden.matrix<double>("memory." + name)), tolerance);
    EXPECT_LT(largest_difference(hidden, golden.matrix<double>("decoder." + name)), tolerance);
    EXPECT_LT(largest_difference(scene.project(hidden), golden.matrix<double>("logits." + name)),
              4 * tolerance);
    std::vector<TokenId> ids{config.bos};
    while (ids.size() < 13 && (ids.size() == 1 || ids.back() != config.eos)) {
      ids.push_back(scene.best(scene.project(scene.decode(ids, memory))));
    }
    EXPECT_EQ(ids, golden.ids("greedy." + name)) << folder << " " << name;
  }
}

TEST(Vaswani, LikeTorch) {
  like_torch<float, PostNorm>("vaswani", 1e-5);
  like_torch<double, PostNorm>("vaswani", 1e-6);  // the table of positions is float's there
}
TEST(Vaswani, TiedPreNormLikeTorch) {
  like_torch<float, PreNorm>("vaswani-tied", 1e-5);
  like_torch<double, PreNorm>("vaswani-tied", 1e-6);
}

TEST(Vaswani, WiringsDontMix) {
  const VaswaniConfig config =
      read_vaswani_config(io::read_json(Golden::path("torch/vaswani/config.json")));
  const io::Tensors tensors = io::read_safetensors(Golden::path("torch/vaswani/model.safetensors"));
  EXPECT_THROW((make_vaswani<float, PreNorm>(config, tensors)), Error);
}

/// A config may ask for terabytes: the answer comes before an allocation.
TEST(Vaswani, AHugeConfigMeetsASmallFile) {
  VaswaniConfig config =
      read_vaswani_config(io::read_json(Golden::path("torch/vaswani/config.json")));
  const io::Tensors tensors = io::read_safetensors(Golden::path("torch/vaswani/model.safetensors"));
  config.transformer.vocab = 4000000;
  config.transformer.d_model = 131072;
  config.transformer.d_ff = 1048576;
  config.transformer.encoder_layers = 1024;
  try {
    make_vaswani<float, PostNorm>(config, tensors);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::missing_tensor);
    EXPECT_NE(std::string(error.what()).find("the config asks for at least"), std::string::npos);
  }
}

/// 63 million parameters with 37,000 tokens; table 3 of the paper says 65 million.
TEST(Vaswani, TheBaseModelHasThePapersSize) {
  TransformerConfig config = vaswani_base(37000);
  const auto count = [](Index layers, Index attentions, Index norms) {
    const Index d = 512, d_ff = 2048;
    return layers * (attentions * 4 * (d * d + d) + 2 * d * d_ff + d_ff + d + norms * 2 * d);
  };
  EXPECT_NEAR(config.least_parameter_count(), 63e6, 2e5);
  const Index expected = 37000 * 512 + count(6, 1, 2) + count(6, 2, 3);
  EXPECT_NEAR(double(expected), 63e6, 1e5);
  config.encoder_layers = config.decoder_layers = 1;  // and built, in a size that fits a test
  EXPECT_EQ(Transformer<float>(config).parameter_count(),
            37000 * 512 + count(1, 1, 2) + count(1, 2, 3));
}

void expect_refused(const std::string& key, const std::string& value, const std::string& text) {
  std::string json =
      R"({"model_type": "vaswani", "d_model": 16, "attention_heads": 2, "d_ff": 32, "encoder_layers": 2, "decoder_layers": 2,
      "activation": "relu", "bias": true, "layer_norm_eps": 1e-5, "vocab_size": 20,
      "target_vocab_size": 23, "tie_embeddings": false, "scale_embedding": true, "max_positions": 9,
      "positions": "interleaved", "norm_first": false, "bos_token_id": 1, "eos_token_id": 2,
      "pad_token_id": 0, "tensors": {"source_embedding": "s", "target_embedding": "t",
      "transformer": "", "generator": "g."}})";
  EXPECT_NO_THROW(read_vaswani_config(io::parse_json(json, "config.json")));
  const std::size_t at = json.find("\"" + key + "\": ") + key.size() + 4;
  json.replace(at, json.find_first_of(",}", at) - at, value);
  try {
    read_vaswani_config(io::parse_json(json, "config.json"));
    ADD_FAILURE() << key << " = " << value << " was accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}
TEST(Vaswani, ConfigsThatCannotBe) {
  for (const char* key : {"d_model", "attention_heads", "d_ff", "encoder_layers", "vocab_size"}) {
    for (const char* value : {"0", "-1", "1.5", "1e99", "\"8\"", "null", "4611686018427387904"}) {
      expect_refused(key, value, std::string("config.json: /") + key + ": expected an integer");
    }
  }
  expect_refused("attention_heads", "3", "/attention_heads: expected a divisor of d_model, got 3");
  expect_refused("activation", "\"swish\"", "/activation: expected \"relu\" or \"gelu\"");
  expect_refused("layer_norm_eps", "0", "/layer_norm_eps: expected a number");
  expect_refused("tie_embeddings", "true", "/target_vocab_size");
  expect_refused("eos_token_id", "23", "/eos_token_id: expected an integer in [0, 22], got 23");
  expect_refused("model_type", "\"bert\"", "/model_type: expected \"vaswani\", got \"bert\"");
  expect_refused("max_positions", "16777217", "/max_positions: expected an integer");
  expect_refused("positions", "\"learned\"", "/positions: expected \"interleaved\"");
}

}  // namespace
}  // namespace eigenformer::test
