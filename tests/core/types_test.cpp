// SPDX-License-Identifier: MIT
#include "eigenformer/core/types.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace eigenformer::test {
namespace {

TEST(Types, DivideUp) {
  static_assert(divide_up(0, 16) == 0);
  static_assert(divide_up(1, 16) == 1);
  static_assert(divide_up(16, 16) == 1);
  static_assert(divide_up(17, 16) == 2);
  static_assert(divide_up(7, 1) == 7);
}

TEST(Types, RoundUp) {
  static_assert(round_up(0, 64) == 0);
  static_assert(round_up(1, 64) == 64);
  static_assert(round_up(64, 64) == 64);
  static_assert(round_up(65, 64) == 128);
  static_assert(round_up(5, 2) == 6);
}

/// What the packed layouts and Eigen's interfaces rely on.
TEST(Types, SizesAndSigns) {
  static_assert(sizeof(Index) == 8 && std::is_signed_v<Index>);
  static_assert(sizeof(TokenId) == 4 && std::is_signed_v<TokenId>);
  static_assert(alignment == 64 && lanes == 16);
}

}  // namespace
}  // namespace eigenformer::test
