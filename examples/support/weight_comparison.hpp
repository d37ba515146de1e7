// SPDX-License-Identifier: MIT
/// Next-token distributions of one model with its weights in several storages, position by
/// position.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigenformer/models/transformer_session.hpp"
#include "eigenformer/pipelines/translator.hpp"

namespace comparison {

using namespace eigenformer;

namespace detail {

inline std::size_t bytes_of(const WeightMatrix<float>& parameter) { return parameter.bytes(); }
inline std::size_t bytes_of(const Vector<float>& parameter) { return parameter.bytes(); }
inline std::size_t bytes_of(const Matrix<float>& parameter) {
  return static_cast<std::size_t>(parameter.size()) * sizeof(float);
}

/// Nothing: the model has another wiring.
template <class Wiring>
std::optional<std::size_t> bytes_as(const SequenceToSequenceModel& model) {
  const auto* const known = dynamic_cast<const TransformerModel<Wiring>*>(&model);
  if (known == nullptr) return std::nullopt;
  std::size_t bytes = 0;
  known->transformer().for_each_parameter(
      [&](const std::string&, const auto& parameter) { bytes += bytes_of(parameter); });
  return bytes;
}

}  // namespace detail

/// Of all parameters in memory. Throws Error(unsupported).
inline std::size_t weight_bytes(const SequenceToSequenceModel& model) {
  if (const auto bytes = detail::bytes_as<PostNorm>(model)) return *bytes;
  if (const auto bytes = detail::bytes_as<PreNorm>(model)) return *bytes;
  throw Error(ErrorCode::unsupported, "a model whose weights cannot be counted");
}

/// The model with its weights in one storage, and what came of the positions so far.
struct Weights {
  Storage storage;
  Translator translator;
  std::size_t bytes;
  std::size_t positions = 0;
  double log_probability = 0;            ///< of the targets' tokens: the sum
  double moved = 0;                      ///< the sum of its absolute differences to f32's
  std::size_t agreed = 0;                ///< positions with f32's likeliest token
  std::vector<double> divergences = {};  ///< from f32, of each position
};

/// A source and its target, the end tokens too: of each at least that one.
struct Pair {
  std::string place;  ///< "FILE: line 3: "
  std::vector<TokenId> source, target;
};

/// How likely each token is to follow.
struct Distribution {
  std::vector<double> log_probabilities;  ///< by token
  std::size_t best;                       ///< the likeliest token

  /// Throws Error(not_a_number).
  explicit Distribution(std::span<const float> logits)
      : log_probabilities(logits.begin(), logits.end()),
        best(static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) -
                                      logits.begin())) {
    const double most = log_probabilities[best];
    double sum = 0;
    for (const double logit : log_probabilities) sum += std::exp(logit - most);
    if (!std::isfinite(sum)) {
      throw Error(ErrorCode::not_a_number, "the model's logits are not numbers");
    }
    const double log_sum = most + std::log(sum);
    for (double& value : log_probabilities) value -= log_sum;
  }
};

/// KL(p || q) in nats. It is never below 0, but rounding is.
inline double divergence(const Distribution& p, const Distribution& q) {
  double sum = 0;
  for (std::size_t i = 0; i < p.log_probabilities.size(); ++i) {
    const double log_p = p.log_probabilities[i], probability = std::exp(log_p);
    if (probability > 0) sum += probability * (log_p - q.log_probabilities[i]);
  }
  return std::max(0.0, sum);
}

/// A few pairs under all models side by side, a token of each target at a step.
class Run {
 public:
  /// The first of `models` is the one in f32.
  Run(std::span<const Pair> pairs, std::span<Weights> models, Context& context)
      : pairs_(pairs), models_(models) {
    std::vector<TokenId> source;
    Batch batch;
    for (const Pair& pair : pairs) {
      source.insert(source.end(), pair.source.begin(), pair.source.end());
      batch.add(static_cast<Index>(pair.source.size()));
    }
    for (const Weights& one : models) {
      sessions_.push_back(one.translator.model().start(source, batch, context));
      logits_.emplace_back(batch.sequences(), one.translator.model().target_vocab());
    }
  }

  /// Every position of the pairs counts. Throws Error(not_a_number).
  void compare() {
    std::vector<std::size_t> rows(pairs_.size());
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = row;
    std::vector<TokenId> tokens(rows.size(),
                                models_.front().translator.defaults().start_token.value());
    for (std::size_t t = 0; !rows.empty(); ++t) {
      advance(tokens);
      std::vector<Index> kept;
      std::vector<std::size_t> kept_rows;
      tokens.clear();
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const Pair& pair = pairs_[rows[row]];
        compare(static_cast<Index>(row), pair, pair.target[t]);
        if (t + 1 == pair.target.size()) continue;
        kept.push_back(static_cast<Index>(row));
        kept_rows.push_back(rows[row]);
        tokens.push_back(pair.target[t]);
      }
      for (const auto& session : sessions_) session->reorder(kept);
      rows = std::move(kept_rows);
    }
  }

 private:
  void advance(const std::vector<TokenId>& tokens) {
    const std::vector<Index> one_each(tokens.size(), 1);
    for (std::size_t m = 0; m < sessions_.size(); ++m) {
      sessions_[m]->advance(tokens, Batch(std::span(one_each)));
      Matrix<float>& logits = logits_[m];
      sessions_[m]->logits({logits.data(), sessions_[m]->rows(), logits.cols()});
    }
  }

  Distribution distribution(std::size_t m, Index row, const Pair& pair) const {
    const Matrix<float>& logits = logits_[m];
    try {
      return Distribution(
          {logits.data() + row * logits.cols(), static_cast<std::size_t>(logits.cols())});
    } catch (const Error& error) {
      throw Error(error.code(), pair.place + name(models_[m].storage) + ": " + error.what());
    }
  }

  static void count(Weights& model, double log_probability) {
    ++model.positions;
    model.log_probability += log_probability;
  }

  void compare(Index row, const Pair& pair, TokenId target) {
    const Distribution exact = distribution(0, row, pair);
    const double wanted = exact.log_probabilities[static_cast<std::size_t>(target)];
    count(models_.front(), wanted);
    for (std::size_t m = 1; m < models_.size(); ++m) {
      const Distribution other = distribution(m, row, pair);
      const double got = other.log_probabilities[static_cast<std::size_t>(target)];
      count(models_[m], got);
      models_[m].moved += std::abs(got - wanted);
      models_[m].agreed += other.best == exact.best ? 1 : 0;
      models_[m].divergences.push_back(divergence(exact, other));
    }
  }

  std::span<const Pair> pairs_;
  std::span<Weights> models_;
  std::vector<std::unique_ptr<DecodingSession>> sessions_;
  std::vector<Matrix<float>> logits_;
};

/// What came of all positions; of f32 itself, log_probability alone.
struct Figures {
  double mean = 0, percentile_99 = 0, most = 0;  ///< of the divergences
  double top_1 = 0;                              ///< in percent
  double moved = 0, log_probability = 0;         ///< a position

  explicit Figures(const Weights& weights) {
    const auto all = static_cast<double>(weights.positions);
    log_probability = weights.log_probability / all;
    std::vector<double> sorted = weights.divergences;
    if (sorted.empty()) return;
    std::sort(sorted.begin(), sorted.end());
    for (const double one : sorted) mean += one / all;
    percentile_99 = sorted[(99 * sorted.size() + 99) / 100 - 1];  // the nearest rank
    most = sorted.back();
    top_1 = 100 * static_cast<double>(weights.agreed) / all;
    moved = weights.moved / all;
  }
};

}  // namespace comparison
