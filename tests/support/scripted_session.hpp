// SPDX-License-Identifier: MIT
/// A session whose logits a test writes: a function of the row's tokens.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "eigenformer/kernels/dispatch.hpp"
#include "eigenformer/models/interfaces.hpp"

namespace eigenformer::test {

class ScriptedSession final : public DecodingSession {
 public:
  /// logits(tokens of the row) -> [vocab].
  using Script = std::function<std::vector<float>(const std::vector<TokenId>&)>;

  ScriptedSession(Index rows, Index vocab, Script script, Index longest = 1000)
      : vocab_(vocab),
        longest_(longest),
        script_(std::move(script)),
        tokens_(static_cast<std::size_t>(rows)) {}

  Context& context() override { return context_; }
  Index rows() const override { return static_cast<Index>(tokens_.size()); }
  Index vocab() const override { return vocab_; }
  Index longest() const override { return longest_; }

  void advance(std::span<const TokenId> tokens, const Batch& batch) override {
    for (Index r = 0; r < rows(); ++r) {
      const auto from = tokens.begin() + batch.begin(r);
      auto& row = tokens_[static_cast<std::size_t>(r)];
      row.insert(row.end(), from, from + batch.length(r));
    }
    rows_per_step.push_back(rows());
  }
  void logits(MatrixView<float> out) override {
    for (Index r = 0; r < rows(); ++r) {
      const auto row = script_(tokens_[static_cast<std::size_t>(r)]);
      std::copy(row.begin(), row.end(), out.row(r));
    }
  }
  void best(const BestQuery& query, const BestAnswer& answer) override {
    for (Index r = 0; r < rows(); ++r) {
      const auto row = script_(tokens_[static_cast<std::size_t>(r)]);
      answer.totals[static_cast<std::size_t>(r)] =
          context_.kernels().log_sum_exp(row.data(), vocab_);
      const auto begin = query.listed.begin() + query.listed_of_row.begin(r);
      const auto end = query.listed.begin() + query.listed_of_row.end(r);
      for (auto at = begin; at != end; ++at) {
        answer.listed[static_cast<std::size_t>(at - query.listed.begin())] =
            row[static_cast<std::size_t>(*at)];
      }
      std::vector<Candidate> all;
      for (TokenId token = 0; token < vocab_; ++token) {
        const float logit = row[static_cast<std::size_t>(token)];
        if (logit > -HUGE_VALF && !std::binary_search(begin, end, token)) {
          all.push_back({logit, token});
        }
      }
      std::sort(all.begin(), all.end(),
                [](const Candidate& a, const Candidate& b) { return a.before(b); });
      all.resize(static_cast<std::size_t>(query.k), {-HUGE_VALF, -1});
      std::copy(all.begin(), all.end(), answer.best.begin() + r * query.k);
    }
  }
  void score(std::span<const TokenId>, std::span<float>) override {}
  void reorder(std::span<const Index> parents) override {
    std::vector<std::vector<TokenId>> next;
    for (const Index parent : parents) next.push_back(tokens_[static_cast<std::size_t>(parent)]);
    tokens_ = std::move(next);
  }

  std::vector<Index> rows_per_step;  ///< of each advance()

 private:
  Context context_ = make_context();
  Index vocab_;
  Index longest_;
  Script script_;
  std::vector<std::vector<TokenId>> tokens_;
};

}  // namespace eigenformer::test
