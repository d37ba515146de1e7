// SPDX-License-Identifier: MIT
#include "eigenformer/layers/stack.hpp"

#include "support/torch_modules.hpp"

namespace eigenformer::test {
namespace {

template <class Scalar, class Wiring>
void encoder_like_torch(const std::string& fixture, double tolerance) {
  const Golden golden("torch/" + fixture);
  const io::Json json = Golden::json("torch/" + fixture), arguments = json.at("arguments");
  TransformerConfig config = torch_layer_config(arguments.at("encoder_layer"));
  config.encoder_layers = arguments.at("num_layers").integer();
  config.final_norm = arguments.find("norm").has_value();
  for (const io::Json& scene : json.at("scenes").elements()) {
    const std::string name(scene.at("name").string());
    config.encoder_scope =
        scene.at("causal").boolean() ? AttentionScope::causal() : AttentionScope::all();
    Encoder<Scalar, Wiring> encoder(config);
    bind(encoder, golden.state("state."), torch_encoder_names());
    Matrix<Scalar> x = golden.matrix<Scalar>("in." + name + ".src");
    Context context = make_context();
    encoder.forward(x, Batch(x.rows()), context);
    EXPECT_LT(largest_difference(x, golden.matrix<double>("out." + name)), tolerance)
        << fixture << " " << name;
  }
}

TEST(Encoder, LikeTorchPostNorm) {
  for (const char* fixture : {"encoder_postnorm_relu", "encoder_postnorm_relu_nofinal",
                              "encoder_postnorm_gelu_nofinal", "encoder_postnorm_relu_nobias"}) {
    encoder_like_torch<float, PostNorm>(fixture, 4e-6);
    encoder_like_torch<double, PostNorm>(fixture, 1e-12);
  }
}
TEST(Encoder, LikeTorchPreNorm) {
  for (const char* fixture :
       {"encoder_prenorm_relu", "encoder_prenorm_gelu", "encoder_prenorm_gelu_nobias"}) {
    encoder_like_torch<float, PreNorm>(fixture, 4e-6);
    encoder_like_torch<double, PreNorm>(fixture, 1e-12);
  }
}

/// nn.Transformer without embeddings: its encoder and its decoder, one after the other.
template <class Scalar, class Wiring>
void transformer_like_torch(const std::string& fixture, double tolerance) {
  const Golden golden("torch/" + fixture);
  const io::Json json = Golden::json("torch/" + fixture), arguments = json.at("arguments");
  TransformerConfig config = torch_layer_config(arguments);
  config.encoder_layers = arguments.at("num_encoder_layers").integer();
  config.decoder_layers = arguments.at("num_decoder_layers").integer();
  config.final_norm = true;
  NameTable decoder_names;
  add_torch_decoder(decoder_names, "", "");
  for (const io::Json& scene : json.at("scenes").elements()) {
    const std::string name(scene.at("name").string());
    config.decoder_scope =
        scene.at("target_causal").boolean() ? AttentionScope::causal() : AttentionScope::all();
    Encoder<Scalar, Wiring> encoder(config);
    Decoder<Scalar, Wiring> decoder(config);
    bind(encoder, golden.state("state.encoder."), torch_encoder_names());
    bind(decoder, golden.state("state.decoder."), decoder_names);
    Matrix<Scalar> memory = golden.matrix<Scalar>("in." + name + ".src");
    Matrix<Scalar> x = golden.matrix<Scalar>("in." + name + ".tgt");
    Context context = make_context();
    const Batch source(memory.rows());
    encoder.forward(memory, source, context);
    EXPECT_LT(largest_difference(memory, golden.matrix<double>("memory." + name)), tolerance)
        << fixture << " " << name;
    decoder.forward(x, Batch(x.rows()), {memory, source}, context);
    EXPECT_LT(largest_difference(x, golden.matrix<double>("out." + name)), tolerance)
        << fixture << " " << name;
  }
}

TEST(Decoder, LikeTorchPostNorm) {
  for (const char* fixture : {"transformer_postnorm_relu", "transformer_postnorm_gelu_nobias"}) {
    transformer_like_torch<float, PostNorm>(fixture, 8e-6);
    transformer_like_torch<double, PostNorm>(fixture, 1e-12);
  }
}
TEST(Decoder, LikeTorchPreNorm) {
  for (const char* fixture : {"transformer_prenorm_gelu_eps", "transformer_prenorm_relu_nobias"}) {
    transformer_like_torch<float, PreNorm>(fixture, 8e-6);
    transformer_like_torch<double, PreNorm>(fixture, 1e-12);
  }
}

TEST(Encoder, NoLayersIsIdentity) {
  const Encoder<float> encoder({.d_model = 2, .heads = 1, .encoder_layers = 0});
  Context context = make_context();
  Matrix<float> x{{1, 2}};
  encoder.forward(x, Batch(1), context);
  EXPECT_EQ(x, (Matrix<float>{{1, 2}}));
}

}  // namespace
}  // namespace eigenformer::test
