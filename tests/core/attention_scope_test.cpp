// SPDX-License-Identifier: MIT
#include "eigenformer/core/attention_scope.hpp"

#include <gtest/gtest.h>

namespace eigenformer::test {
namespace {

/// What a query sees of 10 keys, as [begin, end).
struct Seen {
  Index begin, end;
  friend bool operator==(Seen, Seen) = default;
};
constexpr Seen seen(AttentionScope scope, Index position) {
  return {scope.begin(position), scope.end(position, 10)};
}

TEST(AttentionScope, All) {
  static_assert(seen(AttentionScope::all(), 0) == Seen{0, 10});
  static_assert(seen(AttentionScope::all(), 9) == Seen{0, 10});
  static_assert(seen(AttentionScope::all(), 1000) == Seen{0, 10});
  static_assert(seen(AttentionScope::all(), -1000) == Seen{0, 10});
}

TEST(AttentionScope, Causal) {
  static_assert(seen(AttentionScope::causal(), 0) == Seen{0, 1});
  static_assert(seen(AttentionScope::causal(), 4) == Seen{0, 5});
  static_assert(seen(AttentionScope::causal(), 9) == Seen{0, 10});
}

TEST(AttentionScope, Window) {
  static_assert(seen(AttentionScope::window(3), 0) == Seen{0, 1});
  static_assert(seen(AttentionScope::window(3), 2) == Seen{0, 3});
  static_assert(seen(AttentionScope::window(3), 7) == Seen{5, 8});
  static_assert(seen(AttentionScope::window(1), 7) == Seen{7, 8});
}

TEST(AttentionScope, Band) {
  static_assert(seen({.back = 1, .ahead = 2}, 0) == Seen{0, 3});
  static_assert(seen({.back = 1, .ahead = 2}, 5) == Seen{4, 8});
  static_assert(seen({.back = 1, .ahead = 2}, 9) == Seen{8, 10});
}

/// Before the first key or after the last one there is nothing to see: begin >= end.
TEST(AttentionScope, Nothing) {
  static_assert(AttentionScope::causal().end(-1, 10) == 0);
  static_assert(AttentionScope::window(2).begin(20) >= AttentionScope::window(2).end(20, 10));
}

TEST(AttentionScope, Equality) {
  static_assert(AttentionScope::causal() == AttentionScope{.ahead = 0});
  static_assert(AttentionScope::all() != AttentionScope::causal());
}

}  // namespace
}  // namespace eigenformer::test
