// SPDX-License-Identifier: MIT
/// A Transformer behind the interfaces of decoding.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/models/interfaces.hpp"
#include "eigenformer/models/transformer.hpp"

namespace eigenformer::inline v0 {

template <class Wiring>
class TransformerSession final : public DecodingSession {
 public:
  TransformerSession(const Transformer<float, Wiring>& model, const Memory<float>& memory,
                     Context& context)
      : model_(model), context_(context), cache_(model.remember(memory, context)) {}

  Context& context() override { return context_; }
  Index rows() const override { return cache_.past.rows(); }
  Index vocab() const override { return model_.target_vocab(); }
  Index longest() const override { return model_.longest(); }

  void advance(std::span<const TokenId> tokens, const Batch& batch) override {
    for (Index row = 0; row < batch.sequences(); ++row) {
      const Index fresh = batch.length(row);
      if (1 <= fresh && fresh <= longest()) continue;
      throw Error(fresh < 1 ? ErrorCode::invalid_argument : ErrorCode::out_of_range,
                  "DecodingSession: new tokens of a row: expected 1 to " +
                      std::to_string(longest()) + ", got " + std::to_string(fresh));
    }
    const FloatingPointGuard guard;
    reserve(hidden_, batch.tokens());
    model_.decode(tokens, batch, cache_, context_, view(hidden_, batch.tokens()));
    tokens_ = batch.tokens();
    reserve(last_, rows());
    for (Index row = 0; row < rows(); ++row) {
      const float* const from = hidden_.data() + (batch.end(row) - 1) * d_model();
      std::copy_n(from, d_model(), last_.data() + row * d_model());
    }
    advanced_ = true;
  }

  void logits(MatrixView<float> out) override {
    const FloatingPointGuard guard;
    expect_advanced();
    model_.project(view(last_, rows()), context_, out);
  }

  void best(const BestQuery& query, const BestAnswer& answer) override {
    const FloatingPointGuard guard;
    expect_advanced();
    model_.best(view(last_, rows()), context_, query, answer);
  }

  void score(std::span<const TokenId> followers, std::span<float> log_probabilities) override {
    const FloatingPointGuard guard;
    expect_advanced();
    expect_range(static_cast<Index>(followers.size()), tokens_, tokens_,
                 "DecodingSession: tokens to score");
    Batch one_each;
    for (Index t = 0; t < tokens_; ++t) {
      expect_range(followers[static_cast<std::size_t>(t)], 0, vocab() - 1,
                   "DecodingSession: token to score");
      one_each.add(1);
    }
    std::vector<Candidate> best(followers.size());
    std::vector<kernels::LogSumExp> totals(followers.size());
    model_.best(view(hidden_, tokens_), context_, {1, one_each, followers},
                {best, totals, log_probabilities});
    for (std::size_t t = 0; t < followers.size(); ++t) {
      log_probabilities[t] = (log_probabilities[t] - totals[t].max) - totals[t].log_sum;
    }
  }

  void reorder(std::span<const Index> parents) override {
    const Profile::Scope scope(context_.profile(), {"reorder"});
    for (const Index parent : parents) {
      expect_range(parent, 0, rows() - 1, "DecodingSession: parent");
    }
    cache_.past.reorder(parents);
    cache_.memory.reorder(parents);
    tokens_ = 0;
    if (!advanced_) return;
    reserve(spare_, rows());
    for (std::size_t row = 0; row < parents.size(); ++row) {
      std::copy_n(last_.data() + parents[row] * d_model(), d_model(),
                  spare_.data() + static_cast<Index>(row) * d_model());
    }
    std::swap(last_, spare_);
  }

 private:
  Index d_model() const { return model_.d_model(); }
  /// Grows and never shrinks: a step like the last one allocates nothing.
  void reserve(AlignedBuffer<float>& states, Index count) const {
    const Index floats = count * d_model();
    if (states.size() < floats) {
      states = AlignedBuffer<float>::uninitialized(std::max(floats, 2 * states.size()));
    }
  }
  MatrixView<float> view(AlignedBuffer<float>& states, Index count) const {
    return {states.data(), count, d_model()};
  }
  void expect_advanced() const {
    if (advanced_) return;
    throw Error(ErrorCode::invalid_argument, "DecodingSession: expected advance() first");
  }

  const Transformer<float, Wiring>& model_;
  Context& context_;
  DecoderCache cache_;
  AlignedBuffer<float> hidden_;        // [tokens_, d_model], of the last advance()
  AlignedBuffer<float> last_, spare_;  // [rows, d_model]: each row's last
  Index tokens_ = 0;                   // 0 after reorder()
  bool advanced_ = false;
};

template <class Wiring>
class TransformerModel final : public SequenceToSequenceModel {
 public:
  explicit TransformerModel(Transformer<float, Wiring> transformer)
      : transformer_(std::move(transformer)) {}

  Index d_model() const override { return transformer_.d_model(); }
  Index source_vocab() const override { return transformer_.source_vocab(); }
  Index target_vocab() const override { return transformer_.target_vocab(); }
  Index longest() const override { return transformer_.longest(); }

  void encode(std::span<const TokenId> source, const Batch& batch, Context& context,
              MatrixView<float> states) const override {
    const FloatingPointGuard guard;
    transformer_.encode(source, batch, context, states);
  }

  using SequenceToSequenceModel::start;
  std::unique_ptr<DecodingSession> start(MatrixView<const float> states, const Batch& batch,
                                         Context& context) const override {
    const FloatingPointGuard guard;
    return std::make_unique<TransformerSession<Wiring>>(transformer_, Memory<float>{states, batch},
                                                        context);
  }

  const Transformer<float, Wiring>& transformer() const { return transformer_; }

 private:
  Transformer<float, Wiring> transformer_;
};

}  // namespace eigenformer::inline v0
