// SPDX-License-Identifier: MIT
/// Timing in turns. A machine is rarely alone and never constant, so whatever is compared (ours,
/// the peak, a peer) is timed in short slices, one after the other, again and again; figures are
/// medians over these rounds, and a ratio is the median of the rounds' ratios.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "peak.hpp"

namespace eigenformer::bench {

/// How long a contestant runs in all. --benchmark_min_time=SECONDS changes it.
inline double seconds_each = 0.1;

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Who runs against whom; contestant 0 is ours.
class Contest {
 public:
  explicit Contest(std::function<void()> ours, Clock clock = Clock::thread) : clock_(clock) {
    add(std::move(ours));
  }

  /// Another one; returns its number.
  std::size_t add(std::function<void()> run) {
    contestants_.push_back({std::move(run), 1, clock_, {}});
    return contestants_.size() - 1;
  }

  /// At least `rounds` of them; a call that is longer than a slice is a slice.
  void run(int rounds = 1) {
    double round = 0;
    for (Contestant& c : contestants_) {
      double time = c.slice();  // what the first call allocates is not counted
      while (time < shortest_slice) {
        const double calls = 1.2 * shortest_slice / std::max(time, 1e-7);
        c.calls = std::max(c.calls + 1, static_cast<Index>(calls * static_cast<double>(c.calls)));
        time = c.slice();
      }
      round += time;
    }
    const double fair = seconds_each * static_cast<double>(contestants_.size()) / round;
    rounds = std::max(rounds, static_cast<int>(fair));
    for (int i = 0; i < rounds; ++i) {
      for (Contestant& c : contestants_) {
        c.seconds.push_back(c.slice() / static_cast<double>(c.calls));
      }
    }
  }

  /// Of one call.
  double seconds(std::size_t contestant = 0) const {
    return median(contestants_[contestant].seconds);
  }
  /// How many times as long as a call of ours one of this contestant takes.
  double times_ours(std::size_t contestant) const {
    std::vector<double> ratios;
    const auto& ours = contestants_[0].seconds;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      ratios.push_back(contestants_[contestant].seconds[i] / ours[i]);
    }
    return median(ratios);
  }

 private:
  static constexpr double shortest_slice = 5e-4;

  struct Contestant {
    std::function<void()> run;
    Index calls;  ///< in a slice
    Clock clock;
    std::vector<double> seconds;

    double slice() const {
      return seconds_of(
          [&] {
            for (Index i = 0; i < calls; ++i) run();
          },
          clock);
    }
  };

  Clock clock_;
  std::vector<Contestant> contestants_;
};

}  // namespace eigenformer::bench
