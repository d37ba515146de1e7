// SPDX-License-Identifier: MIT
/// What golden_folder.hpp compares: one check, and the states, attention and logits of a model.
#pragma once

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "eigenformer/core/batch.hpp"
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/layers/attention_recorder.hpp"
#include "eigenformer/models/interfaces.hpp"

namespace golden {

using namespace eigenformer;

/// One comparison.
struct Check {
  std::string name;
  double difference;  ///< the largest; NaN or infinite: not even of the same shape, or NaN
  double tolerance;
  bool binding = true;  ///< not: what may differ, and is only told
  bool passed() const { return difference <= tolerance; }
};

/// How far weights in `storage` may take a tensor from the record, as a share of its largest
/// magnitude, and scores of answers; with more than none, generated ids may differ.
inline double share_of(Storage storage) {
  switch (storage) {
    case Storage::f32: return 0;
    case Storage::f16: return 0.003;
    case Storage::bf16: return 0.02;
    case Storage::int8: return 0.1;
  }
  return 0;
}

/// Hidden states and attention weights of one pass, by the names that the goldens give them.
class Recorder final : public AttentionObserver {
 public:
  bool wants(AttentionPlace, Index) const override { return true; }
  void observe(const AttentionRecord& record) override {
    auto& heads = of(std::string(name(record.place.kind)) + "_attentions.", record.place.layer);
    heads.insert(heads.end(), record.weights.data(),
                 record.weights.data() + record.weights.rows() * record.weights.cols());
  }
  bool wants_states() const override { return true; }
  void observe_states(const StatesRecord& record) override {
    of(std::string(name(record.stack)) + "_hidden_states.", record.layer)
        .assign(record.states.data(),
                record.states.data() + record.states.rows() * record.states.cols());
  }
  const std::map<std::string, std::vector<double>>& tensors() const { return tensors_; }

 private:
  std::vector<double>& of(const std::string& name, Index layer) {
    return tensors_[name + std::to_string(layer)];
  }
  std::map<std::string, std::vector<double>> tensors_;
};

/// The logits after each token of ragged targets, which leave the session as they end.
static Matrix<float> logits(DecodingSession& session,
                            const std::vector<std::vector<TokenId>>& targets, const Batch& batch) {
  Matrix<float> out(batch.tokens(), session.vocab());
  std::vector<Index> sequences(targets.size());
  std::iota(sequences.begin(), sequences.end(), Index{0});
  for (Index t = 0; !sequences.empty(); ++t) {
    std::vector<TokenId> tokens;
    std::vector<Index> kept, kept_sequences;
    for (const Index s : sequences) {
      tokens.push_back(targets[static_cast<std::size_t>(s)][static_cast<std::size_t>(t)]);
      if (t + 1 == batch.length(s)) continue;
      kept.push_back(static_cast<Index>(tokens.size()) - 1);
      kept_sequences.push_back(s);
    }
    session.advance(tokens, Batch(std::vector<Index>(tokens.size(), 1)));
    Matrix<float> rows(session.rows(), session.vocab());
    session.logits(rows);
    for (std::size_t r = 0; r < sequences.size(); ++r) {
      out.row(batch.begin(sequences[r]) + t) = rows.row(static_cast<Index>(r));
    }
    session.reorder(kept);
    sequences = kept_sequences;
  }
  return out;
}

}  // namespace golden
