// SPDX-License-Identifier: MIT
/// The tokens of one row of logits that sampling may still draw, and the draw.
///
/// Weights are exp(logit - largest) in float, by the kernels given; what is summed of them is
/// double, in a fixed order. So the bits are those of every exact set of kernels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "eigenformer/core/types.hpp"
#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/reference/reduction.hpp"

namespace eigenformer::inline v0 {
namespace sampling {

/// The largest of x[0..16). With the compilers' own vectors, because at -O2 not all make any.
inline float largest_of_block(const float* x) {
  using F32x4 = float __attribute__((vector_size(16)));
  F32x4 part[4];
  std::memcpy(part, x, sizeof part);
  const F32x4 first = part[0] > part[1] ? part[0] : part[1];
  const F32x4 second = part[2] > part[3] ? part[2] : part[3];
  const F32x4 largest = first > second ? first : second;
  return std::max(std::max(largest[0], largest[1]), std::max(largest[2], largest[3]));
}

/// Calls visit(i) for the elements of every block of 16 for which wanted(largest of it).
template <class Wanted, class Visit>
void visit_blocks(std::span<const float> x, Wanted wanted, Visit visit) {
  const std::size_t whole = x.size() / 16 * 16;
  for (std::size_t begin = 0; begin < whole; begin += 16) {
    if (!wanted(largest_of_block(x.data() + begin))) continue;
    for (std::size_t i = begin; i < begin + 16; ++i) visit(i);
  }
  for (std::size_t i = whole; i < x.size(); ++i) visit(i);
}

/// The largest of all of x, -infinity for none.
inline float largest_of(std::span<const float> x) {
  float largest = -std::numeric_limits<float>::infinity();
  const std::size_t whole = x.size() / 16 * 16;
  for (std::size_t i = 0; i < whole; i += 16) {
    largest = std::max(largest, largest_of_block(x.data() + i));
  }
  for (std::size_t i = whole; i < x.size(); ++i) largest = std::max(largest, x[i]);
  return largest;
}

/// The k-th largest of x, counting equal ones, k at least 1; -infinity where there are fewer above
/// it. `best` is scratch.
inline float kth_largest(std::span<const float> x, std::size_t k, std::vector<float>& best) {
  float least = -std::numeric_limits<float>::infinity();
  const std::size_t full = std::max<std::size_t>(4 * k, 64);
  best.clear();
  // The k largest so far, and whoever is above the least of those; now and then cut back to k.
  const auto cut = [&] {
    const auto kth = best.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(best.begin(), kth, best.end(), std::greater<>());
    best.resize(k);
    least = best.back();
  };
  visit_blocks(
      x, [&](float largest) { return largest > least; },
      [&](std::size_t i) {
        if (!(x[i] > least)) return;
        best.push_back(x[i]);
        if (best.size() == full) cut();
      });
  if (best.size() >= k) cut();
  return least;
}

/// The tokens that may still be drawn, ids ascending.
class Candidates {
 public:
  /// `kernels` outlives the object.
  explicit Candidates(const kernels::KernelTable& kernels) : kernels_(&kernels) {}

  std::size_t size() const { return size_; }
  TokenId id(std::size_t i) const { return ids_[i]; }
  float logit(std::size_t i) const { return logits_[i]; }
  float largest() const { return largest_; }
  /// exp(logit - largest).
  float weight(std::size_t i) const { return weights_[i]; }

  /// The sum of the weights.
  double mass() const {
    return sum([&](std::size_t i) { return double{weights_[i]}; });
  }

  /// The sum of value(i) over all i: 16 partial sums, then a tree.
  template <class Value>
  double sum(Value value) const {
    double lane[lanes] = {};
    const std::size_t width = lanes, whole = size_ / width * width;
    for (std::size_t begin = 0; begin < whole; begin += width) {
      for (std::size_t j = 0; j < width; ++j) lane[j] += value(begin + j);
    }
    for (std::size_t i = whole; i < size_; ++i) lane[i - whole] += value(i);
    return kernels::reference::tree_sum(lane);
  }

  /// The tokens of logits [vocab] whose logit / temperature is above -infinity, of these the k
  /// largest and all that equal the last of them; top_k 0: all.
  void assign(std::span<const float> logits, float temperature, Index top_k) {
    ids_.resize(logits.size());
    logits_.resize(logits.size());
    weights_.reserve(logits.size());
    const auto k = static_cast<std::size_t>(top_k);
    float least = -std::numeric_limits<float>::infinity();
    if (k > 0 && k < logits.size()) least = kth_largest(logits, k, weights_);
    gather(logits, {0.0f, temperature}, least);
    // A temperature near 0 may take all logits out of float's range; their differences stay in it,
    // or are so large that the smaller one has no probability.
    if (!(std::fabs(largest_) <= std::numeric_limits<float>::max())) {
      gather(logits, {largest_of(logits), temperature}, least);
    }
    fill_weights();
  }

  /// Keeps the tokens for which keep(i), called with i ascending. Weights stay as they were.
  template <class Keep>
  void keep_if(Keep keep) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      const bool keeps = keep(i);
      ids_[kept] = ids_[i];
      logits_[kept] = logits_[i];
      weights_[kept] = weights_[i];
      kept += keeps ? 1 : 0;
    }
    size_ = kept;
  }

  /// Makes largest() and the weights anew, for a filter that may have removed the likeliest token.
  void weigh() {
    largest_ = largest_of({logits_.data(), size_});
    fill_weights();
  }

  /// The token in whose part of the cumulative distribution `fraction`, in [0, 1), lies.
  TokenId at(double fraction) const {
    double mass = 0;
    for (std::size_t i = 0; i < size_; ++i) mass += double{weights_[i]};
    // Less than `mass`, rounding included, for any fraction up to 1 - 2^-53: so the same sum, made
    // again, passes it, and does so at a token that adds to it.
    const double target = fraction * mass;
    std::size_t i = 0;
    double reached = double{weights_[0]};
    while (reached <= target) reached += double{weights_[++i]};
    return ids_[i];
  }

 private:
  struct Scale {
    float origin, temperature;
    float of(float logit) const { return (logit - origin) / temperature; }
  };

  /// Division may make equal what was not, so tokens are compared with the least one after it.
  void gather(std::span<const float> logits, Scale scale, float least_logit) {
    const float least = std::max(scale.of(least_logit), std::numeric_limits<float>::lowest());
    size_ = 0;
    visit_blocks(
        logits, [&](float largest) { return scale.of(largest) >= least; },
        [&](std::size_t i) {
          const float scaled = scale.of(logits[i]);
          ids_[size_] = static_cast<TokenId>(i);
          logits_[size_] = scaled;
          size_ += scaled >= least ? 1 : 0;
        });
    largest_ = largest_of({logits_.data(), size_});
  }

  void fill_weights() {
    weights_.resize(size_);
    for (std::size_t i = 0; i < size_; ++i) weights_[i] = logits_[i] - largest_;
    kernels_->exp(weights_.data(), weights_.data(), static_cast<Index>(size_));
  }

  const kernels::KernelTable* kernels_;
  std::size_t size_ = 0;
  float largest_ = 0;
  std::vector<TokenId> ids_;
  std::vector<float> logits_, weights_;
};

}  // namespace sampling
}  // namespace eigenformer::inline v0
