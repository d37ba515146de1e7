// SPDX-License-Identifier: MIT
#include "eigen_peer.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace eigen_peer {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowVector = Eigen::RowVectorXf;
using Rows = Eigen::Map<Matrix>;
using ConstRows = Eigen::Map<const Matrix>;
using ConstRow = Eigen::Map<const RowVector>;
using Array = Eigen::Map<Eigen::ArrayXf>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;

/// Softmax of the first `seen` scores of a row, zeros behind them: less work than a mask of -inf.
template <class Scores>
void softmax_row(Scores row, Index seen) {
  auto mine = row.head(seen).array();
  mine = (mine - mine.maxCoeff()).exp();
  mine *= 1.0f / mine.sum();
  row.tail(row.size() - seen).setZero();
}

/// Query, key and value of a head, [tokens, d_head], and where its contexts go.
struct Head {
  using Columns = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
  using ConstColumns = Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

  Head(const Attention& a, Index head)
      : stride(a.heads * a.d_head),
        scale(1.0f / std::sqrt(static_cast<float>(a.d_head))),
        query(a.queries + head * a.d_head, a.tokens, a.d_head, stride),
        key(a.keys + head * a.d_head, a.tokens, a.d_head, stride),
        value(a.values + head * a.d_head, a.tokens, a.d_head, stride),
        context(a.out + head * a.d_head, a.tokens, a.d_head, stride) {}

  Eigen::OuterStride<> stride;
  float scale;
  ConstColumns query, key, value;
  Columns context;
};

}  // namespace

void linear(const Linear& l) {
  const ConstRows x(l.x, l.rows, l.inputs), weight(l.weight, l.outputs, l.inputs);
  Rows y(l.y, l.rows, l.outputs);
  y.noalias() = x * weight.transpose();
  if (l.bias) y.rowwise() += ConstRow(l.bias, l.outputs);
}

void attention(const Attention& a) {
  Rows scores(a.scores, a.tokens, a.tokens);
  for (Index h = 0; h < a.heads; ++h) {
    Head head(a, h);
    scores.noalias() = head.scale * head.query * head.key.transpose();
    for (Index q = 0; q < a.tokens; ++q) softmax_row(scores.row(q), a.causal ? q + 1 : a.tokens);
    head.context.noalias() = scores * head.value;
  }
}

void attention_in_blocks(const Attention& a) {
  for (Index h = 0; h < a.heads; ++h) {
    Head head(a, h);
    for (Index first = 0; first < a.tokens; first += 64) {
      const Index count = std::min<Index>(64, a.tokens - first);
      const Index seen = a.causal ? first + count : a.tokens;  // by the block's last query
      Rows scores(a.scores, count, seen);
      scores.noalias() =
          head.scale * head.query.middleRows(first, count) * head.key.topRows(seen).transpose();
      for (Index q = 0; q < count; ++q) {
        softmax_row(scores.row(q), a.causal ? first + q + 1 : a.tokens);
      }
      head.context.middleRows(first, count).noalias() = scores * head.value.topRows(seen);
    }
  }
}

void layer_norm(const Norm& n) {
  const ConstRows x(n.x, n.rows, n.features);
  const ConstRow weight(n.weight, n.features), bias(n.bias, n.features);
  Rows y(n.y, n.rows, n.features);
  for (Index r = 0; r < n.rows; ++r) {
    const auto row = x.row(r).array();
    const float mean = row.mean();
    const float inverse = 1.0f / std::sqrt((row - mean).square().mean() + n.epsilon);
    y.row(r) = (row - mean) * inverse * weight.array() + bias.array();
  }
}

void rms_norm(const Norm& n) {
  const ConstRows x(n.x, n.rows, n.features);
  const ConstRow weight(n.weight, n.features);
  Rows y(n.y, n.rows, n.features);
  for (Index r = 0; r < n.rows; ++r) {
    const auto row = x.row(r).array();
    y.row(r) = row * (1.0f / std::sqrt(row.square().mean() + n.epsilon)) * weight.array();
  }
}

void softmax(const float* in, float* out, Index n) {
  const ConstArray x(in, n);
  Array y(out, n);
  y = (x - x.maxCoeff()).exp();
  y *= 1.0f / y.sum();
}

void log_softmax(const float* in, float* out, Index n) {
  const ConstArray x(in, n);
  const float max = x.maxCoeff();
  Array(out, n) = x - (max + std::log((x - max).exp().sum()));
}

void relu(const float* x, float* y, Index n) { Array(y, n) = ConstArray(x, n).max(0.0f); }
void sigmoid(const float* x, float* y, Index n) { Array(y, n) = ConstArray(x, n).logistic(); }
void tanh(const float* x, float* y, Index n) { Array(y, n) = ConstArray(x, n).tanh(); }

void silu(const float* in, float* out, Index n) {
  const ConstArray x(in, n);
  Array(out, n) = x * x.logistic();
}

void quick_gelu(const float* in, float* out, Index n) {
  const ConstArray x(in, n);
  Array(out, n) = x * (1.702f * x).logistic();
}

void gelu_tanh(const float* in, float* out, Index n) {
  const ConstArray x(in, n);
  Array(out, n) = 0.5f * x * (1.0f + (0.797884561f * (x + 0.044715f * x.cube())).tanh());
}

}  // namespace eigen_peer
