// SPDX-License-Identifier: MIT
#include "eigenformer/core/executor.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace eigenformer::test {
namespace {

int apply(FunctionRef<int(int)> function, int argument) { return function(argument); }

TEST(FunctionRef, CallsWhatItRefersTo) {
  int calls = 0;
  const auto add_one = [&calls](int x) {
    ++calls;
    return x + 1;
  };
  EXPECT_EQ(apply(add_one, 1), 2);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(apply([](int x) { return 2 * x; }, 21), 42);
  EXPECT_EQ(apply([sum = 0](int x) mutable { return sum += x; }, 5), 5);
  int (*const pointer)(int) = [](int x) { return -x; };
  EXPECT_EQ(apply(pointer, 3), -3);
}

/// It refers, so what the callable gathers stays with the callable.
TEST(FunctionRef, CopiesReferToTheSame) {
  auto counter = [count = 0](int) mutable { return ++count; };
  const FunctionRef<int(int)> one = counter, other = one;
  one(0);
  EXPECT_EQ(other(0), 2);
  EXPECT_EQ(counter(0), 3);
}

TEST(FunctionRef, PassesReferences) {
  std::string text = "a";
  const auto append = [](std::string& s) { s += 'b'; };
  const FunctionRef<void(std::string&)> ref = append;
  ref(text);
  EXPECT_EQ(text, "ab");
}

TEST(InlineExecutor, RunsInOrderOnOneWorker) {
  InlineExecutor executor;
  EXPECT_EQ(executor.workers(), 1);
  std::vector<std::pair<Index, Index>> calls;
  executor.run(3, [&](Index task, Index worker) { calls.emplace_back(task, worker); });
  EXPECT_EQ(calls, (std::vector<std::pair<Index, Index>>{{0, 0}, {1, 0}, {2, 0}}));
  executor.run(0, [](Index, Index) { FAIL(); });
}

TEST(InlineExecutor, ThrowsWhatATaskThrows) {
  InlineExecutor executor;
  EXPECT_THROW(executor.run(2, [](Index, Index) { throw std::runtime_error("task"); }),
               std::runtime_error);
}

}  // namespace
}  // namespace eigenformer::test
