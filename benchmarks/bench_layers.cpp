// SPDX-License-Identifier: MIT
// The layers of the paper's base model on 128 tokens, and what works element by element; against
// Eigen where it has an expression for it.
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/layers/decoder_layer.hpp"
#include "eigenformer/layers/encoder_layer.hpp"
#include "eigenformer/layers/rms_norm.hpp"
#include "support/eigen_peer.hpp"
#include "support/report.hpp"

namespace eigenformer::bench {
namespace {

constexpr Index tokens = 128, vocabulary = 53017;
const TransformerConfig paper{.d_model = 512, .heads = 8, .d_ff = 2048};

/// Multiply-adds, twice, of a product for `tokens`.
double product_flops(Index inputs, Index outputs) {
  return 2.0 * static_cast<double>(tokens * inputs * outputs);
}
const double attention_flops = 4 * product_flops(512, 512) + 2 * product_flops(512, tokens);
const double feed_forward_flops = 2 * product_flops(512, 2048);

/// A layer with random weights, its input and its output.
template <class Layer>
struct Bench {
  Bench(Isa isa, Layer random)
      : layer(std::move(random)),
        context(make_context(isa)),
        x(random_matrix(tokens, 512, 1)),
        y(tokens, 512) {
    layer.initialize(2);
  }

  Layer layer;
  Context context;
  const Batch batch{tokens};
  Matrix<float> x, y, peers{tokens, 512};  // [tokens, d_model]
};

void linear(benchmark::State& state, Isa isa) {
  Bench b(isa, Linear<float>({512, 512}));
  const Matrix<float> weight = b.layer.get("weight"), bias = b.layer.get("bias");
  Trial trial(state, isa, [&] { b.layer(b.x.view(), b.context, b.y); });
  trial.flops(product_flops(512, 512));
  trial.peer("x_eigen", [&] {
    eigen_peer::linear({b.x.data(), weight.data(), bias.data(), b.peers.data(), tokens, 512, 512});
  });
  trial.run();
  trial.result(b.y);
}

void feed_forward(benchmark::State& state, Isa isa) {
  Bench b(isa, FeedForward<float>(paper.feed_forward()));
  const Matrix<float> up = b.layer.get("up.weight"), up_bias = b.layer.get("up.bias"),
                      down = b.layer.get("down.weight"), down_bias = b.layer.get("down.bias");
  Matrix<float> hidden(tokens, 2048);
  Trial trial(state, isa, [&] { b.layer(b.x.view(), b.context, b.y); });
  trial.flops(feed_forward_flops);
  trial.peer("x_eigen", [&] {
    eigen_peer::linear({b.x.data(), up.data(), up_bias.data(), hidden.data(), tokens, 512, 2048});
    eigen_peer::relu(hidden.data(), hidden.data(), hidden.size());
    eigen_peer::linear(
        {hidden.data(), down.data(), down_bias.data(), b.peers.data(), tokens, 2048, 512});
  });
  trial.run();
  trial.result(b.y);
}

template <class Layer>
void norm(benchmark::State& state, Isa isa, void (*peer)(const eigen_peer::Norm&)) {
  Bench b(isa, Layer(paper.norm()));
  const Matrix<float> weight = b.layer.get("weight"), bias(1, 512);
  Trial trial(state, isa, [&] { b.layer(b.x.view(), b.context, b.y); });
  trial.elements(b.x.size());
  trial.peer("x_eigen", [&] {
    peer({b.x.data(), weight.data(), bias.data(), 1e-5f, b.peers.data(), tokens, 512});
  });
  trial.run();
  trial.result(b.y);
}

void self_attention(benchmark::State& state, Isa isa) {
  Bench b(isa, MultiHeadAttention<float>(paper.attention(AttentionScope::all(), {})));
  Trial trial(state, isa, [&] { b.layer(b.x.view(), b.batch, b.context, b.y); });
  trial.flops(attention_flops);
  trial.run();
  trial.result(b.y);
}

/// Blocks replace their input; each call takes the last one's output, which the norm keeps in
/// bounds. The checksum is that of one call.
void encoder_layer(benchmark::State& state, Isa isa) {
  Bench b(isa, EncoderLayer<float>(paper));
  b.y = b.x;
  b.layer.forward(b.y, b.batch, b.context);
  Trial trial(state, isa, [&] { b.layer.forward(b.x, b.batch, b.context); });
  trial.flops(attention_flops + feed_forward_flops);
  trial.run();
  trial.result(b.y);
}

void decoder_layer(benchmark::State& state, Isa isa) {
  Bench b(isa, DecoderLayer<float>(paper));
  const Matrix<float> memory = random_matrix(tokens, 512, 3);
  b.y = b.x;
  b.layer.forward(b.y, b.batch, {memory, b.batch}, b.context);
  Trial trial(state, isa, [&] { b.layer.forward(b.x, b.batch, {memory, b.batch}, b.context); });
  // Half of the scores of the masked self-attention are never made.
  trial.flops(2 * attention_flops - product_flops(512, tokens) + feed_forward_flops);
  trial.run();
  trial.result(b.y);
}

using Elementwise = void (*)(const float* x, float* y, Index n);

/// y = kernel(x) on `n` elements; Eigen's, unless there is none.
void elementwise(benchmark::State& state, Isa isa, Index n, Elementwise kernel, Elementwise peer) {
  const Matrix<float> x = random_matrix(1, n, 1) * 4.0f;
  Matrix<float> y(1, n), peers(1, n);
  Trial trial(state, isa, [&] { kernel(x.data(), y.data(), n); });
  trial.elements(n);
  if (peer) trial.peer("x_eigen", [&] { peer(x.data(), peers.data(), n); });
  trial.run();
  trial.result(y);
}

/// In the order of Activation; Eigen/Core has no erf.
constexpr Elementwise eigen_activations[activations] = {
    eigen_peer::relu,       nullptr,          eigen_peer::gelu_tanh,
    eigen_peer::quick_gelu, eigen_peer::silu, eigen_peer::sigmoid,
    eigen_peer::tanh};

void register_all(Isa most) {
  for (const Isa isa : isas_up_to(most)) {
    if (isa <= Isa::portable && isa != most) continue;
    const auto add_layer = [isa](const std::string& layer, auto function) {
      add(layer + "/" + name(isa), [=](auto& state) { function(state, isa); });
    };
    add_layer("linear/512x512", linear);
    add_layer("layer_norm/512",
              [](auto& state, Isa i) { norm<LayerNorm<float>>(state, i, eigen_peer::layer_norm); });
    add_layer("rms_norm/512",
              [](auto& state, Isa i) { norm<RmsNorm<float>>(state, i, eigen_peer::rms_norm); });
    add_layer("feed_forward/512x2048", feed_forward);
    add_layer("multi_head_attention/512x8", self_attention);
    add_layer("encoder_layer", encoder_layer);
    add_layer("decoder_layer", decoder_layer);

    const kernels::KernelTable& table = *kernels::find_table(isa);
    const auto add_elementwise = [isa](const std::string& what, Index n, Elementwise kernel,
                                       Elementwise peer) {
      add(what + "/" + name(isa), [=](auto& state) { elementwise(state, isa, n, kernel, peer); });
    };
    add_elementwise("softmax/53017", vocabulary, table.softmax, eigen_peer::softmax);
    add_elementwise("log_softmax/53017", vocabulary, table.log_softmax, eigen_peer::log_softmax);
    for (int i = 0; i < activations; ++i) {
      add_elementwise(std::string(name(static_cast<Activation>(i))) + "/65536", 65536,
                      table.activation[i], eigen_activations[i]);
    }
  }
}

}  // namespace
}  // namespace eigenformer::bench

int main(int argc, char** argv) {
  return eigenformer::bench::run(argc, argv, eigenformer::bench::register_all);
}
