// SPDX-License-Identifier: MIT
// "Attention is all you need", figure 1, from its parts: random weights, so it babbles; but every
// step of a translation is here, with its shape.
#include <algorithm>
#include <eigenformer/eigenformer.hpp>
#include <iostream>

using namespace eigenformer;
constexpr Index vocab = 12, d_model = 16;
constexpr TokenId first = 0, last = 1;
const TransformerConfig sizes{
    .d_model = d_model, .heads = 4, .d_ff = 32, .encoder_layers = 2, .decoder_layers = 2};

void print_shape(const char* what, const Matrix<float>& x) {
  std::cout << what << " [" << x.rows() << ", " << x.cols() << "]\n";
}

struct Model {
  Embedding<float> embedding{{.vocab = vocab, .d_model = d_model, .scale = 4}};  // sqrt(d_model)
  SinusoidalPositions<float> positions{{.positions = 64, .d_model = d_model}};
  Encoder<float> encoder{sizes};
  Decoder<float> decoder{sizes};
  OutputProjection<float> output{{.d_model = d_model, .vocab = vocab}};

  Matrix<float> embed(const std::vector<TokenId>& ids, Context& context) const {
    Matrix<float> x(static_cast<Index>(ids.size()), d_model);
    embedding(ids, context, x);
    positions(Batch(x.rows()), context, x);
    return x;
  }
  Matrix<float> encode(const std::vector<TokenId>& source, Context& context) const {
    Matrix<float> x = embed(source, context);
    encoder.forward(x, Batch(x.rows()), context);
    return x;
  }
  /// Hidden states [target tokens, d_model]: row t knows of tokens 0 to t, and tells of t + 1.
  Matrix<float> decode(const std::vector<TokenId>& target, const Matrix<float>& memory,
                       Context& context) const {
    const Batch source(memory.rows());
    Matrix<float> x = embed(target, context);
    decoder.forward(x, Batch(x.rows()), {memory, source}, context);
    return x;
  }
  Matrix<float> project(const Matrix<float>& hidden, Context& context) const {
    Matrix<float> logits(hidden.rows(), vocab);
    output(hidden, context, logits);
    return logits;
  }
};

TokenId draw(Matrix<float> row, float temperature, RandomStream& random, Context& context) {
  row /= temperature;
  kernels::softmax(context, row.view());
  float left = random.uniform();
  for (Index id = 0; id + 1 < row.cols(); ++id) {
    if ((left -= row(0, id)) < 0) return static_cast<TokenId>(id);
  }
  return static_cast<TokenId>(row.cols() - 1);
}

/// From the first token on, each token is chosen from the last row, until the last or 10 tokens.
template <class Choose>
void translate(const Model& model, const Matrix<float>& memory, Context& context, Choose choose) {
  std::vector<TokenId> target{first};
  while (target.back() != last && target.size() <= 10) {
    const Matrix<float> hidden = model.decode(target, memory, context);
    target.push_back(choose(model.project(hidden.bottomRows(1), context)));
    std::cout << ' ' << target.back();
  }
  std::cout << '\n';
}

int main() {
  Model model;
  model.embedding.initialize(1);
  model.encoder.initialize(2);
  model.decoder.initialize(3);
  model.output.initialize(4);
  Context context = make_context();
  const std::vector<TokenId> source{5, 3, 8, 2, 7, last}, target{first, 5, 3};
  const Matrix<float> memory = model.encode(source, context);
  const Matrix<float> hidden = model.decode(target, memory, context);
  print_shape("source, embedded, with positions", model.embed(source, context));
  print_shape("memory, the encoder's output    ", memory);
  print_shape("target, embedded, with positions", model.embed(target, context));
  print_shape("hidden, the decoder's output    ", hidden);
  print_shape("logits                          ", model.project(hidden, context));
  std::cout << "greedy:";
  translate(model, memory, context, [&](const Matrix<float>& row) {
    return static_cast<TokenId>(std::max_element(row.data(), row.data() + vocab) - row.data());
  });
  for (const float temperature : {0.5f, 1.5f}) {
    std::cout << "temperature " << temperature << ':';
    RandomStream random(42, 0, 0);
    translate(model, memory, context, [&](Matrix<float> row) {
      return draw(std::move(row), temperature, random, context);
    });
  }
}
