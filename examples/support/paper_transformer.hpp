// SPDX-License-Identifier: MIT
/// "Attention is all you need" in formulas: Vaswani et al., 2017, figure 1, in double and without a
/// layer of the library, so that it can be read beside the paper, and checks what they compute.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "eigenformer/architectures/marian.hpp"

namespace paper {

using namespace eigenformer;
using M = Matrix<double>;
enum class Sees { everything, its_past };

/// Section 3.2.1: softmax(Q K^T / sqrt(d_head)) V, and what it is made of.
struct Head {
  M queries, keys, values, scores, weights, output;
};
/// An encoder layer, step by step.
struct EncoderTrace {
  std::vector<Head> heads;
  M joined, attended, inner, out;
};

inline M softmax(const M& x) {
  const M powers = (x.colwise() - x.rowwise().maxCoeff()).array().exp().matrix();
  return (powers.array().colwise() / powers.rowwise().sum().array()).matrix();
}

/// Figure 1 of the paper, from a model's weights.
class Transformer {
 public:
  Transformer(const TransformerConfig& config, const Marian<double>& model)
      : config_(config),
        model_(model),
        source_(model.get("source_embedding.weight")),
        target_(config.shared_embedding ? source_ : model.get("target_embedding.weight")),
        output_(config.tied_output ? target_ : model.get("output.weight")) {}

  const TransformerConfig& config() const { return config_; }

  M embed_source(std::span<const TokenId> ids) const { return embed(ids, source_); }

  /// Section 3.5, but all the sines first, as Marian has them. [tokens, d_model]
  M positions(Index tokens) const {
    M out(tokens, config_.d_model);
    const Index sines = (config_.d_model + 1) / 2;
    for (Index i = 0; i < sines; ++i) {
      const double frequency = std::pow(10000.0, -2.0 * double(i) / double(config_.d_model));
      for (Index t = 0; t < tokens; ++t) {
        out(t, i) = std::sin(double(t) * frequency);
        if (sines + i < config_.d_model) out(t, sines + i) = std::cos(double(t) * frequency);
      }
    }
    return out;
  }

  EncoderTrace encoder_layer(const M& x, Index layer) const {
    const std::string name = "encoder.layers." + std::to_string(layer) + ".";
    EncoderTrace trace{
        attention(x, x, name + "self_attention.", config_.heads, Sees::everything), {}, {}, {}, {}};
    trace.joined = join(trace.heads, name + "self_attention.");
    trace.attended = norm(x + trace.joined, name + "self_attention_residual.");
    trace.inner = activate(linear(trace.attended, name + "feed_forward.up."));
    trace.out = norm(trace.attended + linear(trace.inner, name + "feed_forward.down."),
                     name + "feed_forward_residual.");
    return trace;
  }

  /// The next token's logits [1, target vocabulary], and in `cross` what the heads of the last
  /// layer see of the memory meanwhile, on the mean [1, memory tokens].
  M decode(std::span<const TokenId> target, const M& memory, M& cross) const {
    M x = embed(target, target_) + positions(static_cast<Index>(target.size()));
    for (Index layer = 0; layer < config_.decoder_layers; ++layer) {
      const std::string name = "decoder.layers." + std::to_string(layer) + ".";
      const auto own =
          attention(x, x, name + "self_attention.", config_.decoder_heads, Sees::its_past);
      x = norm(x + join(own, name + "self_attention."), name + "self_attention_residual.");
      const auto heads =
          attention(x, memory, name + "cross_attention.", config_.decoder_heads, Sees::everything);
      x = norm(x + join(heads, name + "cross_attention."), name + "cross_attention_residual.");
      const M inner = activate(linear(x, name + "feed_forward.up."));
      x = norm(x + linear(inner, name + "feed_forward.down."), name + "feed_forward_residual.");
      cross = M(1, memory.rows());
      for (const Head& head : heads) cross += head.weights.bottomRows(1) / double(heads.size());
    }
    return x.bottomRows(1) * output_.transpose() + model_.get("output.bias");
  }

 private:
  M embed(std::span<const TokenId> ids, const M& table) const {
    M out(static_cast<Index>(ids.size()), config_.d_model);
    for (Index t = 0; t < out.rows(); ++t) {
      out.row(t) = table.row(ids[static_cast<std::size_t>(t)]) * config_.embedding_scale;
    }
    return out;
  }
  M linear(const M& x, const std::string& name) const {
    const M product = x * model_.get(name + "weight").transpose();
    return product.rowwise() + model_.get(name + "bias").row(0);
  }
  /// Each row to mean 0 and variance 1, then weight and bias.
  M norm(M x, const std::string& name) const {
    for (Index t = 0; t < x.rows(); ++t) {
      const double mean = x.row(t).mean();
      const double variance = (x.row(t).array() - mean).square().mean();
      x.row(t) = (x.row(t).array() - mean) / std::sqrt(variance + config_.norm_epsilon);
    }
    const M weight = model_.get(name + "norm.weight"), bias = model_.get(name + "norm.bias");
    return (x.array().rowwise() * weight.row(0).array()).matrix().rowwise() + bias.row(0);
  }
  M activate(const M& x) const {
    switch (config_.activation) {
      case Activation::silu: return x.unaryExpr([](double v) { return v / (1 + std::exp(-v)); });
      case Activation::gelu:
        return x.unaryExpr([](double v) { return v * (1 + std::erf(v / std::sqrt(2.0))) / 2; });
      default: return x.cwiseMax(0.0);
    }
  }
  std::vector<Head> attention(const M& x, const M& memory, const std::string& name, Index heads,
                              Sees sees) const {
    const M q = linear(x, name + "query."), k = linear(memory, name + "key."),
            v = linear(memory, name + "value.");
    const Index d_head = config_.d_model / heads;
    std::vector<Head> out;
    for (Index from = 0; from < config_.d_model; from += d_head) {
      Head head;
      head.queries = q.middleCols(from, d_head);
      head.keys = k.middleCols(from, d_head);
      head.values = v.middleCols(from, d_head);
      head.scores = head.queries * head.keys.transpose() / std::sqrt(double(d_head));
      for (Index t = 0; sees == Sees::its_past && t < x.rows(); ++t) {
        head.scores.row(t).tail(x.rows() - 1 - t).setConstant(-INFINITY);
      }
      head.weights = softmax(head.scores);
      head.output = head.weights * head.values;
      out.push_back(std::move(head));
    }
    return out;
  }
  /// Concat(head_1, ..., head_h) W_O.
  M join(const std::vector<Head>& heads, const std::string& name) const {
    M all(heads[0].output.rows(), config_.d_model);
    Index from = 0;
    for (const Head& head : heads) {
      all.middleCols(from, head.output.cols()) = head.output;
      from += head.output.cols();
    }
    return linear(all, name + "output.");
  }

  TransformerConfig config_;
  const Marian<double>& model_;
  M source_, target_, output_;  // [vocabulary, d_model]
};

}  // namespace paper
