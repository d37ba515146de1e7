// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "eigenformer/core/attention_observer.hpp"
#include "eigenformer/core/matrix.hpp"

namespace eigenformer::inline v0 {

/// Keeps the attention weights of every layer and head, in the order in which they are computed.
class AttentionRecorder final : public AttentionObserver {
 public:
  struct Entry {
    AttentionPlace place;
    Index head;
    Index sequence;
    Matrix<double> weights;  ///< [queries, keys]
  };

  bool wants(AttentionPlace, Index) const override { return true; }
  void observe(const AttentionRecord& record) override {
    entries_.push_back(
        {record.place, record.head, record.sequence, Matrix<double>(record.weights)});
  }

  const std::vector<Entry>& entries() const { return entries_; }
  /// Forgets them: otherwise they grow with every call of a layer.
  void clear() { entries_.clear(); }

 private:
  std::vector<Entry> entries_;
};

}  // namespace eigenformer::inline v0
