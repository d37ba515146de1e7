// SPDX-License-Identifier: MIT
/// The candidates of a step: from a session's best() where that is enough, from all of its logits
/// where somebody wants to see them.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "eigenformer/generation/result.hpp"
#include "eigenformer/generation/token_rules.hpp"
#include "eigenformer/models/interfaces.hpp"

namespace eigenformer::inline v0 {

/// A candidate after the rules.
struct NextToken {
  TokenId token;
  float value;            ///< its logit or, under beams, its log-probability, after the rules
  float log_probability;  ///< the model's, before the rules; 0 for a forced token
};

/// What a step may choose from, for each row.
class NextTokens {
 public:
  /// Which values the rules work on.
  enum class Values { logits, log_probabilities };

  /// Up to so many candidates a row, keeping a list of the best is faster than sorting all.
  static constexpr Index few = 64;

  NextTokens(DecodingSession& session, TokenRules& rules, Values values)
      : session_(session), rules_(rules), values_(values) {}

  /// The `count` best candidates of each row, by best(). rows[r] is what the rules see of row r.
  void find(std::span<const RowHistory> rows, Index count) {
    begin(rows);
    for (const RowHistory& row : rows) {
      if (rules_.forced(row).empty()) rules_.edits(row, edits_);
      listed_batch_.add(static_cast<Index>(edits_.size()) - listed_batch_.tokens());
    }
    listed_.clear();
    for (const EditedToken& edited : edits_) listed_.push_back(edited.token);
    listed_logits_.resize(listed_.size());
    best_.resize(rows.size() * static_cast<std::size_t>(count));
    session_.best({count, listed_batch_, listed_}, {best_, totals_, listed_logits_});
    for (std::size_t r = 0; r < rows.size(); ++r) {
      add_forced(rows[r]);
      const auto k = static_cast<std::size_t>(count);
      if (rules_.forced(rows[r]).empty()) add_best(static_cast<Index>(r), {&best_[r * k], k});
      end_row(count);
    }
  }

  /// The same from all logits [rows, vocab], which are changed: by the rules, then by `change`(row,
  /// its logits).
  template <class Change>
  void find_in(MatrixView<float> logits, std::span<const RowHistory> rows, Index count,
               Change change) {
    edit(logits, rows, change, [&](Index, std::span<const float> row, auto log_probability_of) {
      find_best(row, count);
      for (const Candidate& candidate : candidates_) {
        if (candidate.token < 0) break;
        add(candidate.token, candidate.logit, log_probability_of(candidate.token));
      }
      end_row(count);
    });
  }

  /// One token of each row, `draw`(row, its logits); none where the rules forbid all.
  template <class Change, class Draw>
  void draw_in(MatrixView<float> logits, std::span<const RowHistory> rows, Change change,
               Draw draw) {
    edit(logits, rows, change, [&](Index r, std::span<float> row, auto log_probability_of) {
      find_best(row, 1);
      if (candidates_[0].token >= 0) {
        const TokenId token = draw(r, row);
        add(token, row[static_cast<std::size_t>(token)], log_probability_of(token));
      }
      end_row(1);
    });
  }

  /// Best first: the larger value, then the lower token.
  std::span<const NextToken> of(Index row) const {
    const auto end = static_cast<std::size_t>(ends_[static_cast<std::size_t>(row)]);
    const std::size_t begin = row == 0 ? 0 : ends_[static_cast<std::size_t>(row) - 1];
    return std::span(tokens_).subspan(begin, end - begin);
  }
  /// Whether the model gave the row numbers that nothing can be chosen by.
  bool not_a_number(Index row) const {
    const kernels::LogSumExp& total = totals_[static_cast<std::size_t>(row)];
    return !std::isfinite(total.max) || !std::isfinite(total.log_sum);
  }

 private:
  static float log_probability(const kernels::LogSumExp& total, float logit) {
    return (logit - total.max) - total.log_sum;
  }
  void begin(std::span<const RowHistory> rows) {
    edits_.clear();
    tokens_.clear();
    ends_.clear();
    listed_batch_.clear();
    totals_.resize(rows.size());
  }
  void add(TokenId token, float value, float log_probability) {
    if (value > TokenRules::never) tokens_.push_back({token, value, log_probability});
  }
  void add_forced(const RowHistory& row) {
    for (const TokenId token : rules_.forced(row)) {
      if (!rules_.suppressed(row, token)) add(token, 0.0f, 0.0f);
    }
  }
  void add_best(Index row, std::span<const Candidate> best) {
    const kernels::LogSumExp& total = totals_[static_cast<std::size_t>(row)];
    const bool logs = values_ == Values::log_probabilities;
    for (const Candidate& candidate : best) {
      if (candidate.token < 0) break;
      const float log_prob = log_probability(total, candidate.logit);
      add(candidate.token, logs ? log_prob : candidate.logit, log_prob);
    }
    for (Index i = listed_batch_.begin(row); i < listed_batch_.end(row); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const float log_prob = log_probability(total, listed_logits_[at]);
      add(listed_[at], rules_.edited(edits_[at].edit, logs ? log_prob : listed_logits_[at]),
          log_prob);
    }
  }
  /// The rules and `change` on each row, then pick(row, its logits, the model's log-probability of
  /// a token).
  template <class Change, class Pick>
  void edit(MatrixView<float> logits, std::span<const RowHistory> rows, Change change, Pick pick) {
    begin(rows);
    raw_.resize(static_cast<std::size_t>(logits.cols()));
    for (Index r = 0; r < logits.rows(); ++r) {
      const auto at = static_cast<std::size_t>(r);
      const std::span<float> row(logits.row(r), raw_.size());
      const kernels::LogSumExp total =
          session_.context().kernels().log_sum_exp(row.data(), logits.cols());
      totals_[at] = total;
      if (not_a_number(r)) {
        end_row(0);
        continue;
      }
      std::copy(row.begin(), row.end(), raw_.begin());
      if (values_ == Values::log_probabilities) {
        for (float& value : row) value = log_probability(total, value);
      }
      rules_.apply(rows[at], row);
      change(r, row);
      expect_numbers(row);
      const bool forced = !rules_.forced(rows[at]).empty();
      pick(r, row, [&](TokenId token) {
        return forced ? 0.0f : log_probability(total, raw_[static_cast<std::size_t>(token)]);
      });
    }
  }
  static void expect_numbers(std::span<const float> row) {
    constexpr float most = std::numeric_limits<float>::max();
    if (std::all_of(row.begin(), row.end(), [](float x) { return x <= most; })) return;
    throw Error(ErrorCode::invalid_argument,
                "logits after repetition_penalty and GenerationHooks::change_logits: expected "
                "finite numbers or -infinity");
  }
  void find_best(std::span<const float> row, Index count) {
    if (count > few) return sort_best(row, count);
    candidates_.assign(static_cast<std::size_t>(count), Candidate{TokenRules::never, -1});
    const auto find_above = session_.context().kernels().find_above;
    const auto vocab = static_cast<Index>(row.size());
    for (Index i = 0; (i = find_above(row.data(), i, vocab, candidates_.back().logit)) < vocab;
         ++i) {
      kernels::insert_candidate(candidates_.data(), count,
                                {row[static_cast<std::size_t>(i)], static_cast<TokenId>(i)});
    }
  }
  void sort_best(std::span<const float> row, Index count) {
    candidates_.clear();
    for (const float logit : row) {
      candidates_.push_back({logit, static_cast<TokenId>(candidates_.size())});
    }
    const auto end = candidates_.begin() + std::min<Index>(count, std::ssize(candidates_));
    std::partial_sort(candidates_.begin(), end, candidates_.end(),
                      [](const Candidate& a, const Candidate& b) { return a.before(b); });
    candidates_.erase(end, candidates_.end());
  }
  void end_row(Index count) {
    const std::size_t begin = ends_.empty() ? 0 : ends_.back();
    std::sort(tokens_.begin() + static_cast<std::ptrdiff_t>(begin), tokens_.end(),
              [](const NextToken& a, const NextToken& b) {
                return a.value > b.value || (a.value == b.value && a.token < b.token);
              });
    tokens_.resize(std::min(tokens_.size(), begin + static_cast<std::size_t>(count)));
    ends_.push_back(tokens_.size());
  }

  DecodingSession& session_;
  TokenRules& rules_;
  Values values_;
  std::vector<EditedToken> edits_;
  Batch listed_batch_;
  std::vector<TokenId> listed_;
  std::vector<float> listed_logits_, raw_;
  std::vector<Candidate> best_, candidates_;
  std::vector<kernels::LogSumExp> totals_;
  std::vector<NextToken> tokens_;
  std::vector<std::size_t> ends_;
};

}  // namespace eigenformer::inline v0
