// SPDX-License-Identifier: MIT
// "Attention is all you need", figure 1, from its parts: random weights, so it babbles; but every
// step of a translation is here, with its shape.
#include <eigenformer/eigenformer.hpp>
#include <iostream>
#include <vector>

using namespace eigenformer;

namespace {

constexpr Index vocab = 12, d_model = 16;
constexpr TokenId start = 0, end = 1;
const TransformerConfig config{
    .d_model = d_model, .heads = 4, .d_ff = 32, .encoder_layers = 2, .decoder_layers = 2};

void print_shape(const char* what, const Matrix<float>& x) {
  std::cout << what << " [" << x.rows() << ", " << x.cols() << "]\n";
}

struct Model {
  Embedding<float> embedding{{.vocab = vocab, .d_model = d_model, .scale = 4}};  // sqrt(d_model)
  SinusoidalPositions<float> positions{{.positions = 64, .d_model = d_model}};
  Encoder<float> encoder{config};
  Decoder<float> decoder{config};
  OutputProjection<float> output{{.d_model = d_model, .vocab = vocab, .tied = true, .bias = false}};

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
  /// Logits [target tokens, vocab]: row t is about token t + 1.
  Matrix<float> decode(const std::vector<TokenId>& target, const Matrix<float>& memory,
                       Context& context) const {
    const Batch source(memory.rows());
    Matrix<float> x = embed(target, context), logits(x.rows(), vocab);
    decoder.forward(x, Batch(x.rows()), {memory, source}, context);
    output(x.view(), embedding.weight(), context, logits);
    return logits;
  }
};

TokenId likeliest(Matrix<float> row) {
  Index id = 0;
  row.row(0).maxCoeff(&id);
  return static_cast<TokenId>(id);
}

TokenId draw(Matrix<float> row, float temperature, RandomStream& random, Context& context) {
  row /= temperature;
  kernels::softmax(context, row.view());
  float left = random.uniform();
  for (Index id = 0; id + 1 < row.cols(); ++id) {
    if ((left -= row(0, id)) < 0) return static_cast<TokenId>(id);
  }
  return static_cast<TokenId>(row.cols() - 1);
}

/// From the start token on, each token is chosen from the last row, until the end or 10 tokens.
template <class Choose>
void translate(const Model& model, const Matrix<float>& memory, Context& context, Choose choose) {
  std::vector<TokenId> target{start};
  while (target.back() != end && target.size() <= 10) {
    target.push_back(choose(Matrix<float>(model.decode(target, memory, context).bottomRows(1))));
    std::cout << ' ' << target.back();
  }
  std::cout << '\n';
}

}  // namespace

int main() {
  Model model;
  model.embedding.initialize(1);
  model.encoder.initialize(2);
  model.decoder.initialize(3);
  Context context = make_context();
  const std::vector<TokenId> source{5, 3, 8, 2, 7, end};
  print_shape("embedded source", model.embed(source, context));
  const Matrix<float> memory = model.encode(source, context);
  print_shape("memory", memory);
  print_shape("logits after start, 5, 3", model.decode({start, 5, 3}, memory, context));
  std::cout << "greedy:";
  translate(model, memory, context, likeliest);
  for (const float temperature : {0.5f, 1.5f}) {
    std::cout << "temperature " << temperature << ':';
    RandomStream random(42, 0, 0);
    translate(model, memory, context, [&](Matrix<float> row) {
      return draw(std::move(row), temperature, random, context);
    });
  }
}
