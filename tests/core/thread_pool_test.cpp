// SPDX-License-Identifier: MIT
#include "eigenformer/core/thread_pool.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <cfenv>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace eigenformer::test {
namespace {

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (Index threads = 1; threads <= 4; ++threads) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.workers(), threads);
    for (const Index tasks : {0, 1, 2, 3, 5, 100, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      pool.run(tasks, [&](Index task, Index) { ++runs[static_cast<std::size_t>(task)]; });
      for (const auto& count : runs) ASSERT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, NegativeNumbersOfTasksAreNone) {
  ThreadPool pool(2);
  pool.run(-3, [](Index, Index) { FAIL(); });
}

/// Scratch memory by worker's number is nobody else's.
TEST(ThreadPool, TasksOfOneWorkerDoNotOverlap) {
  ThreadPool pool(4);
  std::atomic<bool> busy[4] = {};
  std::atomic<int> overlaps = 0;
  for (int round = 0; round < 50; ++round) {
    pool.run(64, [&](Index, Index worker) {
      if (busy[worker].exchange(true)) ++overlaps;
      std::this_thread::yield();
      busy[worker] = false;
    });
  }
  EXPECT_EQ(overlaps, 0);
}

/// As many tasks as workers, each waiting for all others: they are on as many threads.
TEST(ThreadPool, WorkersAreThreads) {
  ThreadPool pool(3);
  std::latch all_here(3);
  std::thread::id ids[3];
  pool.run(3, [&](Index, Index worker) {
    ids[worker] = std::this_thread::get_id();
    all_here.arrive_and_wait();
  });
  EXPECT_EQ(ids[0], std::this_thread::get_id()) << "the caller works too";
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[0]);
  EXPECT_NE(ids[1], ids[2]);
}

/// The same tasks come to the same workers, run after run, as long as all keep the pace.
TEST(ThreadPool, SharesAreFixed) {
  ThreadPool pool(3);
  for (int round = 0; round < 20; ++round) {
    std::barrier step(3);
    Index workers[9];
    pool.run(9, [&](Index task, Index worker) {
      step.arrive_and_wait();
      workers[task] = worker;
      step.arrive_and_wait();
    });
    for (Index task = 0; task < 9; ++task) EXPECT_EQ(workers[task], task / 3);
  }
}

/// Who is done takes what others have not begun.
TEST(ThreadPool, TasksDoNotWaitForTheirWorker) {
  ThreadPool pool(2);
  std::latch others_done(7);
  pool.run(8,
           [&](Index task, Index) { task == 0 ? others_done.wait() : others_done.count_down(); });
}

/// More threads than processors, and so many runs that workers come late, and sleep, and wake.
TEST(ThreadPool, ManyShortRuns) {
  for (const Index threads : {2, 5}) {
    ThreadPool pool(threads);
    std::atomic<long> ran = 0;
    for (int round = 0; round < 3000; ++round) {
      pool.run(1 + round % 7, [&](Index, Index) { ++ran; });
      if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(ran, 3000 / 7 * 28 + 1 + 2 + 3 + 4);
  }
}

/// What tasks wrote is there for the caller, and for tasks of the next run.
TEST(ThreadPool, RunsFollowEachOther) {
  ThreadPool pool(3);
  std::vector<int> values(200, 0);
  for (int round = 0; round < 200; ++round) {
    pool.run(200, [&](Index task, Index) {
      const auto i = static_cast<std::size_t>(task);
      values[(i + 1) % 200] = round;  // not the element that the last round's task of i wrote
    });
    for (const int value : values) ASSERT_EQ(value, round);
  }
}

TEST(ThreadPool, ThrowsWhatATaskThrows) {
  for (Index threads = 1; threads <= 3; ++threads) {
    ThreadPool pool(threads);
    for (int round = 0; round < 20; ++round) {
      std::atomic<int> running = 0;
      try {
        pool.run(50, [&](Index task, Index) {
          ++running;
          const std::shared_ptr<void> leave(nullptr, [&](void*) { --running; });
          if (task == 7) throw std::runtime_error("task 7");
        });
        FAIL() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "task 7");
        EXPECT_EQ(running, 0) << "run() returns when all tasks have ended";
      }
      std::atomic<int> ran = 0;
      pool.run(10, [&](Index, Index) { ++ran; });
      EXPECT_EQ(ran, 10) << "the pool still serves";
    }
  }
}

TEST(ThreadPool, WhenAllThrowOneArrives) {
  ThreadPool pool(4);
  std::latch all_here(4);
  EXPECT_THROW(pool.run(4,
                        [&](Index, Index) {
                          all_here.arrive_and_wait();
                          throw std::runtime_error("each");
                        }),
               std::runtime_error);
}

TEST(ThreadPool, SeveralThreadsShareOne) {
  ThreadPool pool(2);
  std::atomic<long> sum = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        long mine[10] = {};
        pool.run(10, [&](Index task, Index) { mine[task] = task; });
        for (const long value : mine) sum += value;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sum, 3 * 100 * 45);
}

/// A short run beside a long one of somebody else.
TEST(ThreadPool, NobodyWaitsForTheRunOfAnother) {
  ThreadPool pool(2);
  std::latch begun(2), end(1);
  std::thread other([&] {
    pool.run(2, [&](Index, Index) {
      begun.count_down();
      end.wait();
    });
  });
  begun.wait();
  std::vector<Index> order;
  pool.run(3, [&](Index task, Index worker) {
    EXPECT_EQ(worker, 0);
    order.push_back(task);
  });
  EXPECT_EQ(order, (std::vector<Index>{0, 1, 2}));
  end.count_down();
  other.join();
}

TEST(ThreadPool, ComesAndGoesWithoutWork) {
  for (int i = 0; i < 20; ++i) ThreadPool pool(4);
}

/// Workers that slept through all runs hear of the end, however many these were: their number
/// begins again after some thousands.
TEST(ThreadPool, EndsAfterAnyNumberOfRuns) {
  for (const int around : {1 << 13, 1 << 14}) {
    for (const int runs : {around - 1, around, 2 * around - 1}) {
      for (int pool_number = 0; pool_number < 4; ++pool_number) {
        ThreadPool pool(2);
        for (int i = 0; i < runs; ++i) pool.run(2, [](Index, Index) {});
      }
    }
  }
}

/// Threads inherit their maker's floating-point modes; workers do not keep them.
TEST(ThreadPool, WorkersRoundToNearest) {
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  ThreadPool pool(3);
  ASSERT_EQ(std::fesetround(FE_TONEAREST), 0);
  std::latch all_here(3);
  float sums[3];
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  pool.run(3, [&](Index, Index worker) {
    all_here.arrive_and_wait();
    const volatile float one = 1.0f, little = 0x1p-30f;
    sums[worker] = one + little;
  });
  EXPECT_EQ(std::fegetround(), FE_UPWARD) << "the caller's is as it was";
  ASSERT_EQ(std::fesetround(FE_TONEAREST), 0);
  for (const float sum : sums) EXPECT_EQ(sum, 1.0f);
}

TEST(ThreadPool, RefusesImpossibleSizes) {
  for (const Index threads : {-1, 0, 1025}) {
    try {
      ThreadPool pool(threads);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_EQ(error.what(),
                "ThreadPool: expected 1 to 1024 threads, got " + std::to_string(threads));
    }
  }
}

/// A task that asks its own pool for more would wait for itself.
TEST(ThreadPool, NestedRunsAreRefused) {
  ThreadPool pool(2);
  for (const Index tasks : {2, 8}) {
    try {
      pool.run(tasks, [&](Index, Index) { pool.run(2, [](Index, Index) {}); });
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    }
  }
  ThreadPool other(2);
  EXPECT_NO_THROW(pool.run(2, [&](Index, Index) { other.run(2, [](Index, Index) {}); }));
}

}  // namespace
}  // namespace eigenformer::test
