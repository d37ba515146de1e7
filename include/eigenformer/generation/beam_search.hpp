// SPDX-License-Identifier: MIT
/// Beam search as transformers does it.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "eigenformer/generation/next_tokens.hpp"
#include "eigenformer/generation/plan.hpp"
#include "eigenformer/generation/score.hpp"

namespace eigenformer::inline v0 {

/// A hypothesis that goes on.
struct Beam {
  std::vector<TokenId> tokens;           ///< the prompt, then what has been generated
  std::vector<float> log_probabilities;  ///< of the generated ones
  float sum = 0.0f;                      ///< of them, in float as transformers adds
  Index row = 0;                         ///< of the session
};

/// The beams of one input.
class BeamGroup {
 public:
  BeamGroup(const GenerationPlan& plan, Index input, std::span<const TokenId> prompt,
            Index end_length)
      : plan_(&plan),
        input_(input),
        prompt_(static_cast<Index>(prompt.size())),
        end_length_(end_length),
        running_{{{prompt.begin(), prompt.end()}, {}, 0.0f, input}} {
    if (prompt_ >= end_length) end_early(FinishReason::length);
  }

  /// Candidates that a step looks at: enough to have beam_size that go on, whatever ends.
  static Index candidates(const GenerationPlan& plan) {
    return std::max<Index>(2, 1 + static_cast<Index>(plan.stop_tokens.size())) * plan.beam_size;
  }

  Index input() const { return input_; }
  bool done() const { return done_; }
  std::vector<Beam>& running() { return running_; }
  RowHistory history(const Beam& beam) const { return {beam.tokens, prompt_, end_length_}; }
  std::span<const TokenId> generated(const Beam& beam) const {
    return std::span(beam.tokens).subspan(static_cast<std::size_t>(prompt_));
  }

  /// Continues every running beam by the candidates of its row.
  void step(const NextTokens& next) {
    for (const Beam& beam : running_) {
      if (next.not_a_number(beam.row)) return end_early(FinishReason::not_a_number);
    }
    collect(next);
    if (continuations_.empty()) return end_early(FinishReason::no_candidate);
    std::vector<Beam> running;
    const bool at_end = static_cast<Index>(running_[0].tokens.size()) + 1 >= end_length_;
    const bool closed = !improvable_ || (full() && plan_->early_stopping == EarlyStopping::first);
    for (std::size_t c = 0; c < continuations_.size(); ++c) {
      const bool stops = plan_->stops(continuations_[c].next->token);
      if (stops || at_end) {
        const bool counts = static_cast<Index>(c) < plan_->beam_size && !closed;
        if (counts) add_finished(extended(continuations_[c]), stops);
      } else if (static_cast<Index>(running.size()) < plan_->beam_size) {
        running.push_back(extended(continuations_[c]));
      }
    }
    running_ = std::move(running);
    done_ = at_end || running_.empty() || !may_improve() ||
            (full() && plan_->early_stopping == EarlyStopping::first);
  }

  /// Ends it with the best running beam alone.
  void end_early(FinishReason reason) {
    finished_.assign(1, hypothesis(running_[0], reason));
    done_ = true;
  }

  /// The finished hypotheses, best first.
  Generated take() {
    const auto most = static_cast<std::size_t>(plan_->hypotheses);
    if (finished_.size() > most) finished_.resize(most);
    return {std::move(finished_)};
  }

 private:
  /// A beam and the token that may follow it.
  struct Continuation {
    const Beam* beam;
    const NextToken* next;
    float sum;
  };

  /// The best continuations of all beams: the larger sum, then the earlier beam, then its order.
  void collect(const NextTokens& next) {
    continuations_.clear();
    for (const Beam& beam : running_) {
      for (const NextToken& token : next.of(beam.row)) {
        continuations_.push_back({&beam, &token, token.value + beam.sum});
      }
    }
    std::stable_sort(continuations_.begin(), continuations_.end(),
                     [](const Continuation& a, const Continuation& b) { return a.sum > b.sum; });
    const auto most = static_cast<std::size_t>(candidates(*plan_));
    if (continuations_.size() > most) continuations_.resize(most);
  }

  Beam extended(const Continuation& continuation) const {
    Beam beam = *continuation.beam;
    beam.tokens.push_back(continuation.next->token);
    beam.log_probabilities.push_back(continuation.next->value);
    beam.sum = continuation.sum;
    return beam;
  }

  Hypothesis hypothesis(const Beam& beam, FinishReason reason) const {
    const auto tokens = generated(beam);
    return {{tokens.begin(), tokens.end()},
            beam.log_probabilities,
            score(beam.sum, static_cast<Index>(tokens.size())),
            reason};
  }
  float score(float sum, Index tokens) const {
    return hypothesis_score(sum, tokens, plan_->length_penalty);
  }
  bool full() const { return static_cast<Index>(finished_.size()) == plan_->beam_size; }

  /// Keeps the best beam_size; among equals the earlier.
  void add_finished(const Beam& beam, bool stops) {
    Hypothesis added = hypothesis(beam, stops ? FinishReason::stop : FinishReason::length);
    const auto place =
        std::upper_bound(finished_.begin(), finished_.end(), added.score,
                         [](float value, const Hypothesis& other) { return value > other.score; });
    finished_.insert(place, std::move(added));
    if (static_cast<Index>(finished_.size()) > plan_->beam_size) finished_.pop_back();
  }

  /// Whether a running beam may still beat the worst finished one. Once false, for ever.
  bool may_improve() {
    if (running_.empty()) return false;
    const auto now = static_cast<Index>(running_[0].tokens.size());
    const bool far = plan_->early_stopping == EarlyStopping::never && plan_->length_penalty > 0.0f;
    const float best = score(running_[0].sum, (far ? end_length_ : now) - prompt_);
    improvable_ = improvable_ && (!full() || best > finished_.back().score);
    return improvable_;
  }

  const GenerationPlan* plan_;  // the search's
  Index input_, prompt_, end_length_;
  std::vector<Beam> running_;         // best first
  std::vector<Hypothesis> finished_;  // best first
  std::vector<Continuation> continuations_;
  bool improvable_ = true;
  bool done_ = false;
};

/// Beam search over the rows of a session.
class BeamSearch {
 public:
  /// Throws Error(invalid_argument).
  BeamSearch(DecodingSession& session, const GenerationOptions& options,
             const GenerationHooks& hooks)
      : session_(session),
        hooks_(hooks),
        plan_(options, session.vocab()),
        rules_(options, session.vocab()),
        next_(session, rules_, NextTokens::Values::log_probabilities) {}

  std::vector<Generated> run(const Prompts& prompts) {
    session_.advance(prompts.tokens, prompts.batch);
    std::vector<Generated> results(static_cast<std::size_t>(prompts.batch.sequences()));
    for (Index input = 0; input < prompts.batch.sequences(); ++input) {
      const Index end = plan_.end_length(prompts.batch.length(input), session_.longest());
      groups_.emplace_back(plan_, input, prompts.of(input), end);
    }
    keep_running(results);
    if (!groups_.empty()) session_.reorder(parents_);
    while (!groups_.empty()) {
      step();
      keep_running(results);
      session_.reorder(parents_);
      if (!groups_.empty()) session_.advance(tokens_, batch_);
    }
    return results;
  }

 private:
  void step() {
    histories_.clear();
    owners_.clear();
    for (BeamGroup& group : groups_) {
      for (const Beam& beam : group.running()) {
        histories_.push_back(group.history(beam));
        owners_.push_back(group.input());
      }
    }
    find();
    for (BeamGroup& group : groups_) {
      group.step(next_);
      if (hooks_.on_step && !group.running().empty()) tell(group);
    }
  }

  void find() {
    const Index count = std::min(BeamGroup::candidates(plan_), session_.vocab());
    if (!hooks_.change_logits && count <= NextTokens::few) return next_.find(histories_, count);
    const Arena::Scope scope(session_.context().arena());
    const auto logits = session_.context().arena().matrix<float>(session_.rows(), session_.vocab());
    session_.logits(logits);
    next_.find_in(logits, histories_, count, [&](Index r, std::span<float> row) {
      if (!hooks_.change_logits) return;
      const auto at = static_cast<std::size_t>(r);
      hooks_.change_logits({owners_[at], histories_[at].tokens, row});
    });
  }

  void tell(BeamGroup& group) {
    const Beam& best = group.running()[0];
    if (best.log_probabilities.empty()) return;
    const AfterStep after =
        hooks_.on_step({group.input(), 0, group.generated(best), best.log_probabilities.back()});
    if (after == AfterStep::cancel && !group.done()) group.end_early(FinishReason::cancelled);
  }

  /// Groups that are done give their results; the beams of the others get the session's next rows.
  void keep_running(std::vector<Generated>& results) {
    parents_.clear();
    tokens_.clear();
    batch_.clear();
    std::size_t kept = 0;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (groups_[g].done()) {
        results[static_cast<std::size_t>(groups_[g].input())] = groups_[g].take();
        continue;
      }
      for (Beam& beam : groups_[g].running()) {
        parents_.push_back(beam.row);
        tokens_.push_back(beam.tokens.back());
        batch_.add(1);
        beam.row = static_cast<Index>(parents_.size()) - 1;
      }
      if (kept != g) groups_[kept] = std::move(groups_[g]);
      ++kept;
    }
    groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(kept), groups_.end());
  }

  DecodingSession& session_;
  const GenerationHooks& hooks_;
  GenerationPlan plan_;
  TokenRules rules_;
  NextTokens next_;
  std::vector<BeamGroup> groups_;
  std::vector<RowHistory> histories_;
  std::vector<Index> owners_, parents_;
  std::vector<TokenId> tokens_;
  Batch batch_;
};

}  // namespace eigenformer::inline v0
