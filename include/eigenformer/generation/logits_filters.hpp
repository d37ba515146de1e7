// SPDX-License-Identifier: MIT
/// Which tokens sampling may draw: filters over one row of logits, with transformers' meaning and
/// in its order. Each takes the probabilities of what the one before it left.
///
/// What an option is compared with is rounded to float first, because the option is one: of ten
/// equal tokens each then has the probability 0.1f, not a little less or more.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "eigenformer/core/types.hpp"
#include "eigenformer/generation/candidates.hpp"
#include "eigenformer/kernels/kernel_table.hpp"
#include "eigenformer/kernels/reference/math64.hpp"

namespace eigenformer::inline v0 {
namespace sampling {

/// A part of the whole mass, as a filter by mass asks for it.
struct Share {
  double mass;  ///< of all
  float part;   ///< 0 to 1
  bool reached(double sum) const { return static_cast<float>(sum / mass) >= part; }
};

/// The token at which the mass of the tokens, taken by ascending keys, reaches a share.
struct Crossing {
  std::uint32_t key;
  double before;  ///< the mass of smaller keys
};

/// Finds it without sorting: the sums of the keys' upper 11 bits tell which of these it has, then
/// those of the next 11 among them, then of the last 10. Tokens without weight are never it.
inline Crossing crossing(const Candidates& tokens, const std::vector<std::uint32_t>& keys,
                         Share share) {
  Crossing found{0, 0.0};
  unsigned known = 0;  // upper bits of the key that are found
  for (const unsigned width : {11u, 11u, 10u}) {
    const unsigned shift = 32 - known - width;
    double sums[1u << 11] = {};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const std::uint64_t upper = std::uint64_t{keys[i]} >> shift;
      if (upper >> width == found.key) {
        sums[upper & ((1u << width) - 1)] += double{tokens.weight(i)};
      }
    }
    // Where the share is never reached, by rounding, the last one with any weight.
    std::uint32_t last = 0;
    double before = found.before;
    double reached = found.before;
    for (std::uint32_t digit = 0; digit < 1u << width; ++digit) {
      if (!(sums[digit] > 0)) continue;
      last = digit;
      before = reached;
      reached += sums[digit];
      if (share.reached(reached)) break;
    }
    found = {found.key << width | last, before};
    known += width;
  }
  return found;
}

/// Keys of larger floats are smaller; 0 and -0 are equal, NaN has no place.
inline std::uint32_t descending(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x + 0.0f);
  return bits >> 31 ? bits : ~bits & 0x7fffffffu;
}

/// What the filters compare with. These values filter nothing.
struct FilterSettings {
  float temperature = 1;
  Index top_k = 0;
  float top_p = 1;
  float min_p = 0;
  float typical_p = 1;
  float epsilon_cutoff = 0;
  float eta_cutoff = 0;
};

/// The filters in transformers' order. Holds scratch: one row at a time.
class LogitsFilters {
 public:
  /// `kernels` outlives the object.
  LogitsFilters(const FilterSettings& settings, const kernels::KernelTable& kernels)
      : settings_(settings), tokens_(kernels) {}

  /// The tokens of logits [vocab] that all filters keep, valid until the next call.
  const Candidates& operator()(std::span<const float> logits) {
    tokens_.assign(logits, settings_.temperature, settings_.top_k);
    if (settings_.top_p < 1 || settings_.typical_p < 1) keys_.resize(logits.size());
    if (settings_.top_p < 1) keep_top_p();
    if (settings_.min_p > 0) keep_min_p();
    if (settings_.typical_p < 1) keep_typical();
    // As in transformers, 1 is "off" here too.
    if (settings_.epsilon_cutoff > 0 && settings_.epsilon_cutoff < 1) {
      keep_probable(settings_.epsilon_cutoff);
    }
    if (settings_.eta_cutoff > 0 && settings_.eta_cutoff < 1) keep_probable(eta());
    return tokens_;
  }

 private:
  /// The likeliest tokens until their mass reaches top_p, at least one; of equal ones the first.
  void keep_top_p() {
    fill_keys([&](std::size_t i) { return descending(tokens_.logit(i)); });
    const Share share{tokens_.mass(), settings_.top_p};
    const Crossing cut = crossing(tokens_, keys_, share);
    double reached = cut.before;
    bool any = false;
    tokens_.keep_if([&](std::size_t i) {
      if (keys_[i] != cut.key) return keys_[i] < cut.key;
      if (any && share.reached(reached)) return false;
      any = true;
      reached += double{tokens_.weight(i)};
      return true;
    });
  }

  /// Weights are shares of the likeliest token's probability.
  void keep_min_p() {
    tokens_.keep_if([&](std::size_t i) { return tokens_.weight(i) >= settings_.min_p; });
  }

  /// Those whose surprise -log p is nearest to its mean, the entropy, until their mass reaches
  /// typical_p, and all as near as the last of these. (Meister, Pimentel, Wiher, Cotterell:
  /// "Locally typical sampling", 2023.)
  void keep_typical() {
    const double mass = tokens_.mass();
    const double mean = mean_distance(mass);
    // -log p - entropy = mean distance - distance: the logarithm of the mass cancels.
    fill_keys([&](std::size_t i) {
      return std::bit_cast<std::uint32_t>(
          static_cast<float>(std::fabs(mean - double{distance(i)})));
    });
    const Crossing cut = crossing(tokens_, keys_, {mass, settings_.typical_p});
    tokens_.keep_if([&](std::size_t i) { return keys_[i] <= cut.key; });
    tokens_.weigh();
  }

  /// Probabilities from `least` up, and the likeliest whatever it has.
  void keep_probable(float least) {
    const double mass = tokens_.mass();
    const float largest = tokens_.largest();
    tokens_.keep_if([&](std::size_t i) {
      return static_cast<float>(double{tokens_.weight(i)} / mass) >= least ||
             tokens_.logit(i) >= largest;
    });
  }

  /// min(cutoff, sqrt(cutoff) e^-entropy). (Hewitt, Manning, Liang: "Truncation sampling as
  /// language model desmoothing", 2022.)
  float eta() const {
    const double cutoff = double{settings_.eta_cutoff};
    const double mass = tokens_.mass();
    const double entropy = kernels::reference::log(mass) - mean_distance(mass);
    return static_cast<float>(
        std::min(cutoff, std::sqrt(cutoff) * kernels::reference::exp(-entropy)));
  }

  /// Of a logit from the largest one: 0 or less, and finite.
  float distance(std::size_t i) const {
    return std::max(tokens_.logit(i) - tokens_.largest(), std::numeric_limits<float>::lowest());
  }

  /// The expected distance.
  double mean_distance(double mass) const {
    // The product of two floats is exact in double, so there is nothing to fuse.
    return tokens_.sum([&](std::size_t i) {
      return double{tokens_.weight(i)} * double{distance(i)};
    }) / mass;
  }

  template <class Key>
  void fill_keys(Key key) {
    for (std::size_t i = 0; i < tokens_.size(); ++i) keys_[i] = key(i);
  }

  FilterSettings settings_;
  Candidates tokens_;
  std::vector<std::uint32_t> keys_;
};

}  // namespace sampling
}  // namespace eigenformer::inline v0
