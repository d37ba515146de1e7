// SPDX-License-Identifier: MIT
/// Sampling: the next token is drawn, from those that the options leave.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/random.hpp"
#include "eigenformer/core/shape.hpp"
#include "eigenformer/core/types.hpp"
#include "eigenformer/generation/candidates.hpp"
#include "eigenformer/generation/logits_filters.hpp"
#include "eigenformer/generation/option_error.hpp"
#include "eigenformer/generation/options.hpp"
#include "eigenformer/kernels/kernel_table.hpp"

namespace eigenformer::inline v0 {
namespace sampling {

/// NaN is in no range.
inline float share_from_0(const char* option, float value) {
  if (!(value >= 0 && value <= 1)) throw option_error(option, "0 to 1", value);
  return value;
}

/// The options of sampling, with what they leave unset. Throws Error(invalid_argument).
inline FilterSettings settings_of(const GenerationOptions& options) {
  const FloatingPointGuard guard;  // else some processors take a denormal number for 0
  FilterSettings settings{
      .temperature = options.temperature.value_or(1),
      .top_k = options.top_k.value_or(50),
      .top_p = share_from_0("top_p", options.top_p.value_or(1)),
      .min_p = share_from_0("min_p", options.min_p.value_or(0)),
      .typical_p = options.typical_p.value_or(1),
      .epsilon_cutoff = share_from_0("epsilon_cutoff", options.epsilon_cutoff.value_or(0)),
      .eta_cutoff = share_from_0("eta_cutoff", options.eta_cutoff.value_or(0))};
  if (!(settings.temperature > 0 && settings.temperature <= std::numeric_limits<float>::max())) {
    throw option_error("temperature", "a finite number above 0", settings.temperature);
  }
  expect_range(settings.top_k, 0, std::numeric_limits<TokenId>::max(), "top_k");
  if (!(settings.typical_p > 0 && settings.typical_p <= 1)) {
    throw option_error("typical_p", "above 0, to 1", settings.typical_p);
  }
  return settings;
}

/// Whether a token can be drawn: one logit is above -infinity, none is NaN or +infinity.
inline bool is_drawable(std::span<const float> logits) {
  const float most = std::numeric_limits<float>::max();
  return std::all_of(logits.begin(), logits.end(), [=](float x) { return x <= most; }) &&
         std::any_of(logits.begin(), logits.end(), [=](float x) { return x >= -most; });
}

}  // namespace sampling

/// Filters rows of logits and draws from them: one object for each decoding run and thread. After
/// the first row it allocates nothing.
///
/// Rows are [vocab], as the token rules left them: some logit is finite, the others are finite or
/// -infinity (removed). Whoever reads logits from a model checks that first.
class Sampler {
 public:
  /// `kernels` outlives the object. Throws Error(invalid_argument) for options outside their
  /// ranges.
  Sampler(const GenerationOptions& options, const kernels::KernelTable& kernels)
      : filters_(sampling::settings_of(options), kernels) {}

  /// Replaces logits by what the filters make of them: divided by the temperature, and -infinity
  /// where they remove a token.
  void filter(std::span<float> logits) {
    const FloatingPointGuard guard;
    const sampling::Candidates& kept = keep(logits);
    std::fill(logits.begin(), logits.end(), -std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      logits[static_cast<std::size_t>(kept.id(i))] = kept.logit(i);
    }
  }

  /// A token drawn from softmax(logits after the filters): the one in whose part of the cumulative
  /// distribution, ids ascending, 53 random bits fall. Never one that is removed.
  TokenId sample(std::span<const float> logits, RandomStream& stream) {
    const FloatingPointGuard guard;
    const std::uint64_t first = stream.bits(), second = stream.bits();
    return keep(logits).at(static_cast<double>((first << 32 | second) >> 11) * 0x1p-53);
  }

 private:
  const sampling::Candidates& keep(std::span<const float> logits) {
    EIGENFORMER_ASSERT(sampling::is_drawable(logits));
    return filters_(logits);
  }

  sampling::LogitsFilters filters_;
};

}  // namespace eigenformer::inline v0
