// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/context_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>

#include "eigenformer/core/thread_pool.hpp"

namespace eigenformer::test {
namespace {

TEST(ContextPool, UsesContextsAgain) {
  ThreadPool threads(2);
  ContextPool pool(threads, Isa::portable);
  const Context* first = nullptr;
  {
    const auto one = pool.on_one_thread();
    const auto other = pool.on_one_thread();
    first = &*one;
    EXPECT_NE(first, &*other);
    EXPECT_EQ((*one).executor().workers(), 1);
    EXPECT_EQ((*pool.on_all_threads()).executor().workers(), 2);
  }
  const auto one = pool.on_one_thread();
  const auto other = pool.on_one_thread();
  EXPECT_TRUE(&*one == first || &*other == first);
}

TEST(ContextPool, KeepsNoWatcher) {
  class Watcher final : public AttentionObserver {
    bool wants(AttentionPlace, Index) const override { return false; }
    void observe(const AttentionRecord&) override {}
  } watcher;
  ThreadPool threads(1);
  ContextPool pool(threads, Isa::portable);
  (*pool.on_one_thread()).watch(watcher);
  EXPECT_EQ((*pool.on_one_thread()).observer(), nullptr);
}

/// Leases add to it when they end, all threads' time; the next one begins with nothing.
TEST(ContextPoolThreads, FillTheProfile) {
  Profile profile;
  ThreadPool threads(2);
  ContextPool pool(threads, Isa::portable, &profile);
  const auto pass = [](Context& context) {
    const Profile::Scope scope(context.profile(), {"pass"});
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    while (std::chrono::steady_clock::now() < end) {
    }
  };
  {
    const auto one = pool.on_one_thread();
    pass(*one);
    EXPECT_TRUE(profile.passes().empty());
  }
  ASSERT_EQ(profile.passes().size(), 1u);
  EXPECT_EQ(profile.passes()[0].calls, 1);
  pass(*pool.on_all_threads());
  EXPECT_EQ(profile.passes()[0].calls, 2);
  EXPECT_GE(profile.passes()[0].nanoseconds, (1 + 2) * 2'000'000);
  pool.for_each(20, [&](std::size_t, Context& context) { pass(context); });
  EXPECT_EQ(profile.passes()[0].calls, 22);
  EXPECT_EQ((*ContextPool(threads, Isa::portable).on_one_thread()).profile(), nullptr);
}

TEST(ContextPoolThreads, ShareNoContext) {
  ThreadPool threads(1);
  ContextPool pool(threads, Isa::portable);
  ThreadPool callers(4);
  std::mutex mutex;
  std::set<const Context*> taken;
  std::atomic<int> shared = 0;
  callers.run(2000, [&](Index, Index) {
    const auto context = pool.on_one_thread();
    {
      const std::lock_guard lock(mutex);
      if (!taken.insert(&*context).second) ++shared;
    }
    const std::lock_guard lock(mutex);
    taken.erase(&*context);
  });
  EXPECT_EQ(shared, 0);
}

}  // namespace
}  // namespace eigenformer::test
