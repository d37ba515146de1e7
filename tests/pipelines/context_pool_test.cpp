// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/context_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

namespace eigenformer::test {
namespace {

TEST(ContextPool, UsesContextsAgain) {
  ContextPool pool(2, Isa::portable);
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
  ContextPool pool(1, Isa::portable);
  (*pool.on_one_thread()).watch(watcher);
  EXPECT_EQ((*pool.on_one_thread()).observer(), nullptr);
}

TEST(ContextPoolThreads, ShareNoContext) {
  ContextPool pool(1, Isa::portable);
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
