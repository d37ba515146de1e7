// SPDX-License-Identifier: MIT
/// Random numbers without a state to share: each is a function of where it is asked for.
#pragma once

#include <array>
#include <cstdint>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {

/// A stream of random numbers named by (seed, stream, step), say (the user's seed, a text's number,
/// the decoding step): the numbers do not depend on what else is drawn, by whom, or
/// when. Philox 4x32 with ten rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy
/// as 1, 2, 3", 2011).
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream, std::uint32_t step)
      : key_{low(seed), high(seed)}, counter_{0, step, low(stream), high(stream)} {}

  /// 32 random bits. A stream has 2^34 of them.
  std::uint32_t bits() {
    if (left_ == 0) {
      block_ = philox(counter_, key_);
      ++counter_[0];
      left_ = 4;
    }
    return block_[4u - left_--];
  }

  /// Uniform in [0, 1), a multiple of 2^-24.
  float uniform() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }

  using Block = std::array<std::uint32_t, 4>;
  using Key = std::array<std::uint32_t, 2>;

  /// The function itself: four words for a counter and a key.
  static constexpr Block philox(Block counter, Key key) {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t first = std::uint64_t{0xD2511F53u} * counter[0];
      const std::uint64_t second = std::uint64_t{0xCD9E8D57u} * counter[2];
      counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1],
                 low(first)};
      key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
    }
    return counter;
  }

 private:
  static constexpr std::uint32_t low(std::uint64_t word) {
    return static_cast<std::uint32_t>(word);
  }
  static constexpr std::uint32_t high(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 32);
  }

  Key key_;
  Block counter_;
  Block block_{};
  unsigned left_ = 0;
};

}  // namespace eigenformer::inline v0
