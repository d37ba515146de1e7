// SPDX-License-Identifier: MIT
#include "eigenformer/core/random.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

namespace eigenformer::test {
namespace {

using Block = RandomStream::Block;

/// The known answers that Random123, the paper's own library, comes with (kat_vectors).
TEST(Random, PhiloxKnownAnswers) {
  static_assert(RandomStream::philox({0, 0, 0, 0}, {0, 0}) ==
                Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  static_assert(RandomStream::philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                                     {0xffffffff, 0xffffffff}) ==
                Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  // The digits of pi.
  static_assert(RandomStream::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                                     {0xa4093822, 0x299f31d0}) ==
                Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

/// A change here changes what every user's seed gives.
TEST(Random, AStreamIsItsBlocksInOrder) {
  RandomStream zero(0, 0, 0);
  for (const std::uint32_t word : {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}) {
    EXPECT_EQ(zero.bits(), word);
  }
  RandomStream stream(0x299f31d0'a4093822, 0x03707344'13198a2e, 0x85a308d3);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const Block words =
        RandomStream::philox({block, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0});
    for (const std::uint32_t word : words) EXPECT_EQ(stream.bits(), word);
  }
}

TEST(Random, UniformIsTheUpper24Bits) {
  RandomStream stream(0, 0, 0);
  EXPECT_EQ(stream.uniform(), 0x6627e8p-24f);
  EXPECT_EQ(stream.uniform(), 0xe169c5p-24f);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const float x = stream.uniform();
    ASSERT_GE(x, 0.0f);
    ASSERT_LT(x, 1.0f);
    sum += double{x};
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);  // five standard deviations
}

/// Streams that differ in one number, by one bit, have nothing in common.
TEST(Random, StreamsAreIndependent) {
  const auto words = [](std::uint64_t seed, std::uint64_t stream, std::uint32_t step) {
    RandomStream random(seed, stream, step);
    std::vector<std::uint32_t> all(4096);
    for (auto& word : all) word = random.bits();
    return all;
  };
  const std::vector<std::vector<std::uint32_t>> streams = {words(0, 0, 0),
                                                           words(1, 0, 0),
                                                           words(0, 1, 0),
                                                           words(0, 0, 1),
                                                           words(std::uint64_t{1} << 32, 0, 0),
                                                           words(0, std::uint64_t{1} << 32, 0)};
  for (std::size_t a = 0; a < streams.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      int equal_bits = 0;
      for (std::size_t i = 0; i < 4096; ++i) {
        equal_bits += 32 - std::popcount(streams[a][i] ^ streams[b][i]);
      }
      // Half of 131,072 bits, the standard deviation is 181.
      EXPECT_NEAR(equal_bits, 65536, 5 * 181) << a << " and " << b;
    }
  }
}

/// Chi-square over 256 classes, for each of a word's bytes: 255 expected, standard deviation 23.
TEST(Random, BytesAreUniform) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    RandomStream stream(2026, 3, 14);
    int counts[256] = {};
    for (int i = 0; i < 256 * 400; ++i) ++counts[(stream.bits() >> shift) & 255];
    double chi_square = 0;
    for (const int count : counts) chi_square += (count - 400.0) * (count - 400.0) / 400.0;
    EXPECT_GT(chi_square, 255 - 5 * 23);
    EXPECT_LT(chi_square, 255 + 5 * 23);
  }
}

/// Neighbouring numbers of a stream, as pairs on a 16 x 16 grid.
TEST(Random, NeighboursAreIndependent) {
  RandomStream stream(7, 0, 0);
  int counts[256] = {};
  for (int i = 0; i < 256 * 400; ++i) {
    const std::uint32_t first = stream.bits() >> 28, second = stream.bits() >> 28;
    ++counts[first * 16 + second];
  }
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 400.0) * (count - 400.0) / 400.0;
  EXPECT_LT(chi_square, 255 + 5 * 23);
}

}  // namespace
}  // namespace eigenformer::test
