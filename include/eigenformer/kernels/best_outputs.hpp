// SPDX-License-Identifier: MIT
/// The output product of a decoding step that keeps only what the step needs of its logits: the
/// best ones, a few that are asked for by name, and the log-sum-exp of all.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <span>

#include "eigenformer/core/batch.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/kernels/reference/softmax.hpp"

namespace eigenformer::inline v0 {

/// A token that may come next.
struct Candidate {
  float logit;
  TokenId token;  ///< -1: there was none

  /// The order of candidates: the larger logit, then the lower token.
  bool before(const Candidate& other) const {
    return logit > other.logit || (logit == other.logit && token < other.token);
  }
};

/// What is asked of each row of hidden states.
struct BestQuery {
  Index k;                          ///< how many candidates, 1 up
  const Batch& listed_of_row;       ///< a sequence for each row:
  std::span<const TokenId> listed;  ///< tokens that are not to be candidates, ascending in a row
};

/// What is answered; memory of the caller's.
struct BestAnswer {
  std::span<Candidate> best;  ///< [rows][k], best first; a logit of -infinity is never among them
  std::span<kernels::LogSumExp> totals;  ///< [rows], of all logits
  std::span<float> listed;               ///< the logits of the listed tokens
};

namespace kernels {

/// Puts a candidate into its place among the k best so far.
inline void insert_candidate(Candidate* best, Index k, Candidate candidate) {
  if (!(candidate.logit > best[k - 1].logit)) return;
  Index at = k - 1;
  for (; at > 0 && candidate.logit > best[at - 1].logit; --at) best[at] = best[at - 1];
  best[at] = candidate;
}

/// The work: blocks of 1,024 outputs x 96 rows, whose logits live in a worker's scratch only. Of x
/// that has the twin that the weight needs.
class BestOutputs {
 public:
  BestOutputs(Context& context, Rows<float> x, const WeightMatrix<float>& weight, const float* bias,
              const BestQuery& query)
      : context_(context),
        x_(x),
        weight_(weight),
        bias_(bias),
        query_(query),
        blocks_(divide_up(weight.outputs(), log_sum_exp_block)),
        k_(std::min(query.k, log_sum_exp_block)),
        sums_(context.arena().take<ExpSum>(x.tokens() * blocks_)),
        best_(context.arena().take<Candidate>(x.tokens() * blocks_ * k_)),
        floors_(context.arena().take<float>(x.tokens())) {
    std::fill_n(floors_, x.tokens(), -__builtin_huge_valf());
  }

  void run(const BestAnswer& answer) {
    const Index row_tasks = divide_up(x_.tokens(), product_task_rows);
    const Index scratch_size = std::min(product_task_rows, x_.tokens()) * log_sum_exp_block;
    float* const scratch =
        context_.arena().take<float>(scratch_size * context_.executor().workers());
    context_.executor().run(row_tasks * blocks_, [&](Index task, Index worker) {
      const FloatingPointGuard guard;
      run_block(task % row_tasks * product_task_rows, task / row_tasks,
                scratch + worker * scratch_size, answer);
    });
    for_each_row(context_, x_.tokens(), blocks_ * k_, [&](Index row) { merge(row, answer); });
  }

 private:
  /// Up to 96 rows from `row` on, 1,024 outputs.
  void run_block(Index row, Index block, float* logits, const BestAnswer& answer) {
    const Index rows = std::min(product_task_rows, x_.tokens() - row);
    const Index first = block * log_sum_exp_block;
    const Index count = std::min(log_sum_exp_block, weight_.outputs() - first);
    Product p = product_of(x_, weight_, bias_, {row, rows, first / lanes, divide_up(count, lanes)});
    p.out = logits;
    p.out_stride = log_sum_exp_block;
    context_.kernels().product[static_cast<int>(weight_.storage())](p);
    for (Index r = 0; r < rows; ++r) {
      const std::span<const float> x(logits + r * log_sum_exp_block,
                                     static_cast<std::size_t>(count));
      sums_[(row + r) * blocks_ + block] = context_.kernels().exp_sum(x.data(), count);
      const auto listed = answer_listed(row + r, x, static_cast<TokenId>(first), answer);
      scan(row + r, x, static_cast<TokenId>(first), listed);
    }
  }

  /// Answers those of a block's logits x that are listed; `first` is the block's first token.
  std::span<const TokenId> answer_listed(Index row, std::span<const float> x, TokenId first,
                                         const BestAnswer& answer) const {
    const TokenId* const all = query_.listed.data();
    const TokenId* const end = all + query_.listed_of_row.end(row);
    const TokenId* const begin =
        std::lower_bound(all + query_.listed_of_row.begin(row), end, first);
    const TokenId* at = begin;
    for (; at != end && *at < first + static_cast<TokenId>(x.size()); ++at) {
      answer.listed[static_cast<std::size_t>(at - all)] = x[static_cast<std::size_t>(*at - first)];
    }
    return {begin, at};
  }

  /// The best of a block's logits x, but for those that are listed.
  void scan(Index row, std::span<const float> x, TokenId first, std::span<const TokenId> listed) {
    const Index block = first / log_sum_exp_block, count = static_cast<Index>(x.size());
    Candidate* const best = best_ + (row * blocks_ + block) * k_;
    std::fill_n(best, k_, Candidate{-__builtin_huge_valf(), -1});
    // Below the floor k others are better, whichever block was first to know; at it, a tie may be
    // won.
    std::atomic_ref<float> shared_floor(floors_[row]);
    const float floor = shared_floor.load(std::memory_order_relaxed);
    if (sums_[row * blocks_ + block].max < floor) return;
    const float below = std::nextafter(floor, -__builtin_huge_valf());
    auto next = listed.begin();
    const auto find_above = context_.kernels().find_above;
    const auto threshold = [&] { return std::max(best[k_ - 1].logit, below); };
    for (Index i = 0; (i = find_above(x.data(), i, count, threshold())) < count; ++i) {
      const auto token = static_cast<TokenId>(first + i);
      while (next != listed.end() && *next < token) ++next;
      if (next != listed.end() && *next == token) continue;
      insert_candidate(best, k_, {x[static_cast<std::size_t>(i)], token});
    }
    if (k_ == query_.k) raise(shared_floor, best[k_ - 1].logit);
  }
  static void raise(std::atomic_ref<float> floor, float to) {
    float now = floor.load(std::memory_order_relaxed);
    while (now < to && !floor.compare_exchange_weak(now, to, std::memory_order_relaxed)) {
    }
  }

  /// Blocks in ascending order.
  void merge(Index row, const BestAnswer& answer) const {
    Candidate* const best = answer.best.data() + row * query_.k;
    std::fill_n(best, query_.k, Candidate{-__builtin_huge_valf(), -1});
    reference::RunningSum total;
    for (Index block = 0; block < blocks_; ++block) {
      total.merge(sums_[row * blocks_ + block]);
      const Candidate* const of_block = best_ + (row * blocks_ + block) * k_;
      for (Index i = 0; i < k_; ++i) insert_candidate(best, query_.k, of_block[i]);
    }
    answer.totals[static_cast<std::size_t>(row)] = total.result();
  }

  Context& context_;
  Rows<float> x_;
  const WeightMatrix<float>& weight_;
  const float* bias_;
  const BestQuery& query_;
  Index blocks_, k_;
  ExpSum* sums_;     // [rows][blocks]
  Candidate* best_;  // [rows][blocks][k]
  float* floors_;    // [rows]: what the k-th best is at least
};

/// Of the logits x W^T + bias, x [rows, inputs], what the query asks: the same bits that
/// matmul() and log_sum_exp() give.
inline void best_outputs(Context& context, Rows<float> x, const WeightMatrix<float>& weight,
                         const float* bias, const BestQuery& query, const BestAnswer& answer) {
  EIGENFORMER_ASSERT(x.features() == weight.inputs() && query.k >= 1);
  EIGENFORMER_ASSERT(query.listed_of_row.sequences() == x.tokens());
  const Arena::Scope arena_scope(context.arena());
  const Rows<float> in = with_twin(context, x, weight.storage());
  const Profile::Scope scope(context.profile(),
                             {.name = "best outputs", .storage = weight.storage()});
  scope.work(product_work(x, weight, bias, 0));
  BestOutputs(context, in, weight, bias, query).run(answer);
}

}  // namespace kernels
}  // namespace eigenformer::inline v0
