// SPDX-License-Identifier: MIT
/// One token a step for each row: the likeliest, or one that is drawn.
#pragma once

#include <utility>
#include <vector>

#include "eigenformer/core/random.hpp"
#include "eigenformer/generation/next_tokens.hpp"
#include "eigenformer/generation/plan.hpp"
#include "eigenformer/generation/sampling.hpp"
#include "eigenformer/generation/score.hpp"

namespace eigenformer::inline v0 {

/// Greedy search and sampling. Rows leave the session as they end.
class GreedySearch {
 public:
  /// Throws Error(invalid_argument).
  GreedySearch(DecodingSession& session, const GenerationOptions& options,
               const GenerationHooks& hooks)
      : session_(session),
        hooks_(hooks),
        plan_(options, session.vocab()),
        rules_(options, session.vocab()),
        next_(session, rules_, NextTokens::Values::logits) {
    if (plan_.sample) sampler_.emplace(options, session.context().kernels());
  }

  std::vector<Generated> run(const Prompts& prompts) {
    session_.advance(prompts.tokens, prompts.batch);
    const Index inputs = prompts.batch.sequences();
    results_.assign(static_cast<std::size_t>(inputs), Generated());
    for (Index input = 0; input < inputs; ++input) {
      const auto prompt = prompts.of(input);
      const Index end = plan_.end_length(prompts.batch.length(input), session_.longest());
      auto& hypotheses = results_[static_cast<std::size_t>(input)].hypotheses;
      hypotheses.resize(static_cast<std::size_t>(plan_.hypotheses));
      for (Index h = 0; h < plan_.hypotheses; ++h) {
        rows_.push_back({input,
                         h,
                         prompts.number(input),
                         prompts.batch.length(input),
                         end,
                         {prompt.begin(), prompt.end()},
                         {}});
        parents_.push_back(input);
        if (rows_.back().length() >= end) finish(rows_.back(), FinishReason::length);
      }
    }
    if (plan_.hypotheses > 1) session_.reorder(parents_);
    leave();
    while (!rows_.empty()) step();
    return std::move(results_);
  }

 private:
  struct Row {
    Index input, hypothesis;
    std::uint64_t number;
    Index prompt, end_length;
    std::vector<TokenId> tokens;
    std::vector<float> log_probabilities;
    bool done = false;

    Index length() const { return static_cast<Index>(tokens.size()); }
    RowHistory history() const { return {tokens, prompt, end_length}; }
    std::span<const TokenId> generated() const {
      return std::span(tokens).subspan(static_cast<std::size_t>(prompt));
    }
  };

  void step() {
    histories_.clear();
    for (const Row& row : rows_) histories_.push_back(row.history());
    choose();
    for (std::size_t r = 0; r < rows_.size(); ++r) extend(rows_[r], static_cast<Index>(r));
    leave();
    if (rows_.empty()) return;
    tokens_.clear();
    batch_.clear();
    for (const Row& row : rows_) {
      tokens_.push_back(row.tokens.back());
      batch_.add(1);
    }
    session_.advance(tokens_, batch_);
  }

  void choose() {
    if (!plan_.sample && !hooks_.change_logits) return next_.find(histories_, 1);
    const Arena::Scope scope(session_.context().arena());
    const auto logits = session_.context().arena().matrix<float>(session_.rows(), session_.vocab());
    session_.logits(logits);
    const auto change = [&](Index r, std::span<float> row) {
      const Row& of = rows_[static_cast<std::size_t>(r)];
      if (hooks_.change_logits) hooks_.change_logits({of.input, of.tokens, row});
    };
    if (!plan_.sample) return next_.find_in(logits, histories_, 1, change);
    next_.draw_in(logits, histories_, change, [&](Index r, std::span<float> row) {
      const Row& of = rows_[static_cast<std::size_t>(r)];
      RandomStream stream(plan_.seed, of.number + (static_cast<std::uint64_t>(of.hypothesis) << 48),
                          static_cast<std::uint32_t>(of.length() - of.prompt));
      return sampler_->sample(row, stream);
    });
  }

  /// The row's next token, and what follows from it.
  void extend(Row& row, Index r) {
    if (next_.not_a_number(r)) return finish(row, FinishReason::not_a_number);
    if (next_.of(r).empty()) return finish(row, FinishReason::no_candidate);
    const NextToken& next = next_.of(r)[0];
    row.tokens.push_back(next.token);
    row.log_probabilities.push_back(next.log_probability);
    const bool cancelled =
        hooks_.on_step && hooks_.on_step({row.input, row.hypothesis, row.generated(),
                                          next.log_probability}) == AfterStep::cancel;
    if (plan_.stops(next.token)) return finish(row, FinishReason::stop);
    if (row.length() >= row.end_length) return finish(row, FinishReason::length);
    if (cancelled) finish(row, FinishReason::cancelled);
  }

  void finish(Row& row, FinishReason reason) {
    row.done = true;
    Hypothesis& out = results_[static_cast<std::size_t>(row.input)]
                          .hypotheses[static_cast<std::size_t>(row.hypothesis)];
    out.tokens.assign(row.generated().begin(), row.generated().end());
    out.log_probabilities = std::move(row.log_probabilities);
    out.finish = reason;
    float sum = 0.0f;
    for (const float value : out.log_probabilities) sum += value;
    out.score = hypothesis_score(sum, static_cast<Index>(out.tokens.size()), plan_.length_penalty);
  }

  /// Rows that are done leave the session.
  void leave() {
    parents_.clear();
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (!rows_[r].done) parents_.push_back(static_cast<Index>(r));
    }
    if (parents_.size() == rows_.size()) return;
    for (std::size_t r = 0; r < parents_.size(); ++r) {
      const auto from = static_cast<std::size_t>(parents_[r]);
      if (from != r) rows_[r] = std::move(rows_[from]);
    }
    rows_.resize(parents_.size());
    session_.reorder(parents_);
  }

  DecodingSession& session_;
  const GenerationHooks& hooks_;
  GenerationPlan plan_;
  TokenRules rules_;
  std::optional<Sampler> sampler_;  // where tokens are drawn
  NextTokens next_;
  std::vector<Generated> results_;
  std::vector<Row> rows_;  // those of the session
  std::vector<RowHistory> histories_;
  std::vector<Index> parents_;
  std::vector<TokenId> tokens_;
  Batch batch_;
};

}  // namespace eigenformer::inline v0
