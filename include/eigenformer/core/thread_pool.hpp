// SPDX-License-Identifier: MIT
/// The library's own threads, for whoever asks for them.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/executor.hpp"
#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/core/processors.hpp"

namespace eigenformer::inline v0 {

/// `threads` workers, the calling thread among them. Several threads may share a pool: who finds
/// the others at work for somebody else does all of its tasks itself, and so waits for nobody. More
/// threads than processors are slower than one: each run wakes what cannot run. A child that fork()
/// makes has none of the threads, and must not destroy the pool.
///
/// Each worker has the same share of equally many tasks in every run, so that the weights which
/// they read stay in its core's cache; who is done early takes from the others. The caller does not
/// wait for a worker that comes late: it does that one's tasks. A worker without work spins for a
/// while, as long as there is a processor for each, and then sleeps.
class ThreadPool final : public Executor {
 public:
  /// threads in [1, 1024]; throws Error: invalid_argument, or out_of_memory where the system does
  /// not give so many.
  explicit ThreadPool(Index threads) {
    if (threads < 1 || threads > 1024) {
      throw Error(ErrorCode::invalid_argument,
                  "ThreadPool: expected 1 to 1024 threads, got " + std::to_string(threads));
    }
    try {
      shares_ = std::make_unique<Share[]>(static_cast<std::size_t>(threads));
      if (threads > 1 && threads <= usable_processors()) spinning_ = spinning_time;
      for (Index worker = 1; worker < threads; ++worker) {
        threads_.emplace_back([this, worker] { serve(worker); });
      }
    } catch (const std::system_error& error) {
      stop();
      throw Error(ErrorCode::out_of_memory,
                  "ThreadPool: the system gives " + std::to_string(threads_.size() + 1) + " of " +
                      std::to_string(threads) + " threads: " + error.what());
    } catch (const std::bad_alloc&) {
      stop();
      throw Error(ErrorCode::out_of_memory, "");  // a text takes memory, too
    }
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() override { stop(); }

  Index workers() const override { return static_cast<Index>(threads_.size()) + 1; }

  /// Throws Error(invalid_argument) when a task that it shares out calls it.
  void run(Index tasks, FunctionRef<void(Index, Index)> task) override {
    if (tasks <= 0) return;
    if (runs_on_this_thread()) {
      throw Error(ErrorCode::invalid_argument, "ThreadPool: a task calls run() of its own pool");
    }
    const FloatingPointGuard guard;
    std::unique_lock turn(one_run_at_a_time_, std::defer_lock);
    if (tasks == 1 || !turn.try_lock()) {  // nothing to share, or nobody to share it with
      for (Index number = 0; number < tasks; ++number) task(number, 0);
      return;
    }
    const Running running(caller_);
    task_ = &task;
    for (Index worker = 0; worker < workers(); ++worker) {
      Share& share = shares_[static_cast<std::size_t>(worker)];
      share.next.store(divide_up(worker * tasks, workers()), std::memory_order_relaxed);
      share.end = divide_up((worker + 1) * tasks, workers());
    }
    announce();
    work(0);
    state_.fetch_and(~State::open);
    wait_for_workers();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto spinning_time = std::chrono::microseconds(50);  // about what waking takes

  /// The bits of state_. Who joins an open run is counted as working; nobody joins a closed one.
  /// The number of the run begins again from 0: who slept through so many misses another one.
  struct State {
    static constexpr std::uint32_t working = 0xffff, open = 0x10000, awaited = 0x20000,
                                   stopping = 0x40000,
                                   round = 0x80000;  ///< and the bits above it: which run it is
  };

  /// A worker's tasks of a run: from `next` on.
  struct alignas(64) Share {
    std::atomic<Index> next{0};
    Index end = 0;
  };

  /// Says, as long as it lives, which thread called run().
  class Running {
   public:
    explicit Running(std::atomic<std::thread::id>& caller) : caller_(caller) {
      caller_.store(std::this_thread::get_id());
    }
    ~Running() { caller_.store(std::thread::id()); }

   private:
    std::atomic<std::thread::id>& caller_;
  };

  bool runs_on_this_thread() const {
    const std::thread::id self = std::this_thread::get_id();
    if (caller_.load() == self) return true;
    return std::any_of(threads_.begin(), threads_.end(),
                       [&](const std::thread& thread) { return thread.get_id() == self; });
  }

  void serve(Index worker) {
    const FloatingPointGuard guard;
    for (std::uint32_t seen = 0;;) {
      std::uint32_t state = wait_for_run(seen);
      if (state & State::stopping) return;
      seen = state / State::round;
      if (!join(state)) continue;
      work(worker);
      state = state_.fetch_sub(1) - 1;
      if ((state & State::awaited) && (state & State::working) == 0) state_.notify_all();
    }
  }

  /// Whether the run that `state` is of is still open; then this thread is one that works on it.
  bool join(std::uint32_t state) {
    const std::uint32_t run = state / State::round;
    while ((state & State::open) && state / State::round == run) {
      if (state_.compare_exchange_weak(state, state + 1)) return true;
    }
    return false;
  }

  /// The next run, which nobody works on yet.
  void announce() {
    const std::uint32_t run = state_.load() / State::round;
    state_.store((run + 1) * State::round | State::open);
    state_.notify_all();
  }

  /// The state, as soon as `done` holds for it, or as it is after a while.
  template <class Done>
  std::uint32_t spin_until(Done done) const {
    std::uint32_t state = state_.load();
    if (done(state) || spinning_.count() == 0) return state;
    const auto give_up = Clock::now() + spinning_;
    do {
      for (int i = 0; i < 32; ++i) {
        relax();
        if (done(state = state_.load())) return state;
      }
    } while (Clock::now() < give_up);
    return state;
  }

  /// For another run than the last one that was seen, or the end.
  std::uint32_t wait_for_run(std::uint32_t seen) const {
    const auto is_new = [&](std::uint32_t state) {
      return state / State::round != seen || (state & State::stopping);
    };
    std::uint32_t state = spin_until(is_new);
    for (; !is_new(state); state = state_.load()) state_.wait(state);
    return state;
  }

  /// For the last of those who work on the run, which is closed.
  void wait_for_workers() {
    const auto ended = [](std::uint32_t state) { return (state & State::working) == 0; };
    if (ended(spin_until(ended))) return;
    std::uint32_t state = state_.fetch_or(State::awaited) | State::awaited;
    for (; !ended(state); state = state_.load()) state_.wait(state);
  }

  static void relax() {
#if EIGENFORMER_X86_64
    __builtin_ia32_pause();
#elif EIGENFORMER_AARCH64
    __asm__ volatile("yield");
#endif
  }

  /// A worker's own tasks, then those that others have not begun.
  void work(Index worker) {
    try {
      for (Index i = 0; i < workers(); ++i) {
        Share& share = shares_[static_cast<std::size_t>((worker + i) % workers())];
        while (share.next.load(std::memory_order_relaxed) < share.end) {
          const Index number = share.next.fetch_add(1, std::memory_order_relaxed);
          if (number < share.end) (*task_)(number, worker);
        }
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
      for (Index i = 0; i < workers(); ++i) {
        Share& share = shares_[static_cast<std::size_t>(i)];
        share.next.store(share.end, std::memory_order_relaxed);
      }
    }
  }

  void stop() {
    state_.fetch_or(State::stopping);
    state_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  std::mutex one_run_at_a_time_;
  std::atomic<std::thread::id> caller_{};  ///< the thread inside run()
  std::chrono::nanoseconds spinning_{0};
  const FunctionRef<void(Index, Index)>* task_ = nullptr;  ///< as shares_, for those in the run
  std::unique_ptr<Share[]> shares_;
  alignas(64) std::atomic<std::uint32_t> state_{0};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace eigenformer::inline v0
