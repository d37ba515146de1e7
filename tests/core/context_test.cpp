// SPDX-License-Identifier: MIT
#include "eigenformer/core/context.hpp"

#include <gtest/gtest.h>

#include "eigenformer/kernels/dispatch.hpp"

namespace eigenformer::test {
namespace {

struct Watcher final : AttentionObserver {
  bool wants(AttentionPlace, Index) const override { return false; }
  void observe(const AttentionRecord&) override {}
};

struct CountingExecutor final : Executor {
  Index workers() const override { return 3; }
  void run(Index tasks, FunctionRef<void(Index, Index)> task) override {
    ++runs;
    for (Index number = 0; number < tasks; ++number) task(number, number % 3);
  }
  int runs = 0;
};

TEST(Context, RunsOnTheCallingThreadUnlessTold) {
  Context context(kernels::best_table());
  EXPECT_EQ(context.executor().workers(), 1);
  EXPECT_EQ(&context.kernels(), &kernels::best_table());
}

TEST(Context, RunsOnTheCallersExecutor) {
  CountingExecutor executor;
  Context context(kernels::best_table(), executor);
  EXPECT_EQ(&context.executor(), &executor);
  context.executor().run(1, [](Index, Index) {});
  EXPECT_EQ(executor.runs, 1);
}

TEST(Context, HasAnArenaOfItsOwn) {
  Context one = make_context(), other = make_context();
  one.arena().take<float>(10);
  EXPECT_GT(one.arena().capacity(), 0);
  EXPECT_EQ(other.arena().capacity(), 0);
}

TEST(Context, NobodyWatchesUntilSomebodyDoes) {
  Context context = make_context();
  EXPECT_EQ(context.observer(), nullptr);
  Watcher watcher;
  context.watch(watcher);
  EXPECT_EQ(context.observer(), &watcher);
  context.unwatch();
  EXPECT_EQ(context.observer(), nullptr);
}

TEST(Context, NobodyAsksWhereTimeGoesUntilSomebodyDoes) {
  Context context = make_context();
  EXPECT_EQ(context.profile(), nullptr);
  Profile profile;
  context.profile_into(profile);
  EXPECT_EQ(context.profile(), &profile);
  context.stop_profile();
  EXPECT_EQ(context.profile(), nullptr);
}

}  // namespace
}  // namespace eigenformer::test
