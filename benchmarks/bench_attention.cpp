// SPDX-License-Identifier: MIT
// Attention of whole sequences, keys and values packed each time, against plain Eigen.
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/kernels/attention.hpp"
#include "support/eigen_peer.hpp"
#include "support/report.hpp"

namespace eigenformer::bench {
namespace {

constexpr Index d_head = 64;

struct Shape {
  Index tokens, heads;
  bool causal;
  Index threads = 1;

  /// Two products; a causal query multiplies with half of the keys, on average.
  double flops() const {
    const Index seen = causal ? tokens * (tokens + 1) / 2 : tokens * tokens;
    return 4.0 * static_cast<double>(seen * heads * d_head);
  }
  std::string text() const {
    const std::string shape = std::string(causal ? "causal" : "full") +
                              "/tokens:" + std::to_string(tokens) +
                              "/heads:" + std::to_string(heads);
    return threads == 1 ? shape : shape + "/threads:" + std::to_string(threads);
  }
};

/// Random numbers, and a place for the contexts.
struct Inputs {
  explicit Inputs(const Shape& shape)
      : queries(random_matrix(shape.tokens, shape.heads * d_head, 1)),
        keys(random_matrix(shape.tokens, shape.heads * d_head, 2)),
        values(random_matrix(shape.tokens, shape.heads * d_head, 3)),
        out(shape.tokens, shape.heads * d_head) {}

  Matrix<float> queries, keys, values, out;  // [tokens, heads * d_head]
};

void attend(Context& context, const Shape& shape, const Batch& batch, Inputs& inputs) {
  const kernels::Attention<float> attention{
      .queries = inputs.queries,
      .keys = inputs.keys,
      .values = inputs.values,
      .query_batch = batch,
      .key_batch = batch,
      .heads = shape.heads,
      .kv_heads = shape.heads,
      .scope = shape.causal ? AttentionScope::causal() : AttentionScope::all(),
      .scale = 1.0f / std::sqrt(static_cast<float>(d_head))};
  kernels::attention(context, attention, inputs.out);
}

/// Ours, with its share of the peak.
void attention(benchmark::State& state, Isa isa, const Shape& shape) {
  ThreadPool pool(shape.threads);
  Context context = make_context(pool, isa);
  const Batch batch(shape.tokens);
  Inputs inputs(shape);
  Trial trial(
      state, isa, [&] { attend(context, shape, batch, inputs); },
      shape.threads == 1 ? Clock::thread : Clock::wall);
  // A peak is one thread's.
  shape.threads == 1 ? trial.flops(shape.flops()) : trial.work("FLOP", shape.flops());
  trial.run();
  trial.result(inputs.out);
}

/// Ours against plain Eigen, as the textbook has it and in blocks.
void against_eigen(benchmark::State& state, Isa isa, const Shape& shape) {
  if (!affordable(shape.tokens * shape.tokens * 4)) {
    return state.SkipWithError("too little memory");
  }
  Context context = make_context(isa);
  const Batch batch(shape.tokens);
  Inputs inputs(shape);
  Matrix<float> out(shape.tokens, shape.heads * d_head), scores(shape.tokens, shape.tokens);
  const eigen_peer::Attention peer{inputs.queries.data(),
                                   inputs.keys.data(),
                                   inputs.values.data(),
                                   out.data(),
                                   shape.tokens,
                                   shape.heads,
                                   d_head,
                                   shape.causal,
                                   scores.data()};
  Trial trial(state, isa, [&] { attend(context, shape, batch, inputs); });
  trial.flops(shape.flops());
  trial.peer("x_eigen", [&] { eigen_peer::attention(peer); });
  trial.peer("x_eigen_blocks", [&] { eigen_peer::attention_in_blocks(peer); });
  trial.run(shape.tokens > 2048 ? 1 : 5);
  char text[48];
  std::snprintf(text, sizeof text, "largest difference %.0e",
                static_cast<double>((inputs.out - out).cwiseAbs().maxCoeff()));
  trial.label(text);
  trial.result(inputs.out);
}

void register_all(Isa most) {
  const auto add_shape = [](const char* what, Isa isa, const Shape& shape, auto function) {
    add(std::string(what) + "/" + name(isa) + "/" + shape.text(),
        [=](auto& state) { function(state, isa, shape); });
  };
  const Isa fastest = kernels::best_table(most).isa;
  for (const bool causal : {false, true}) {
    if (fastest != kernels::best_table().isa) break;
    for (const Index tokens : {512, 2048}) {
      add_shape("attention_and_eigen", fastest, {tokens, 8, causal}, against_eigen);
    }
    for (const Index tokens : {128, 256, 512, 1024, 2048, 4096, 16384}) {
      add_shape("attention_and_eigen", fastest, {tokens, 1, causal}, against_eigen);
    }
  }
  if (const Index cores = usable_processors(); cores > 1) {
    for (const bool causal : {false, true}) {
      for (const Index tokens : {512, 2048}) {
        add_shape("attention", fastest, {tokens, 8, causal, cores}, attention);
      }
    }
  }
  for (const Isa isa : isas_up_to(most)) {
    for (const Index heads : {1, 8}) {
      // All lengths where that takes seconds; the slow ones are there to be equal.
      Index longest = 16384;
      if (isa == Isa::avx2 && kernels::find_table(Isa::avx512)) longest /= 4;
      if (isa == Isa::portable) longest = 512;
      if (isa == Isa::reference) longest = 128;
      for (const bool causal : {false, true}) {
        for (Index tokens = 128; tokens <= longest; tokens *= 2) {
          add_shape("attention", isa, {tokens, heads, causal}, attention);
        }
      }
    }
  }
}

}  // namespace
}  // namespace eigenformer::bench

int main(int argc, char** argv) {
  return eigenformer::bench::run(argc, argv, eigenformer::bench::register_all);
}
