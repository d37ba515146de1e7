// SPDX-License-Identifier: MIT
/// The library's own threads, for whoever asks for them.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/core/executor.hpp"
#include "eigenformer/core/floating_point.hpp"

namespace eigenformer::inline v0 {

/// `threads` workers, the calling thread among them. Several threads may share a pool: their runs
/// take turns.
class ThreadPool final : public Executor {
 public:
  /// threads in [1, 1024]; throws Error(invalid_argument), or std::system_error from the system.
  explicit ThreadPool(Index threads) {
    if (threads < 1 || threads > 1024) {
      throw Error(ErrorCode::invalid_argument,
                  "ThreadPool: expected 1 to 1024 threads, got " + std::to_string(threads));
    }
    try {
      for (Index worker = 1; worker < threads; ++worker) {
        threads_.emplace_back([this, worker] { serve(worker); });
      }
    } catch (...) {
      stop();
      throw;
    }
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() override { stop(); }

  Index workers() const override { return static_cast<Index>(threads_.size()) + 1; }

  /// Throws Error(invalid_argument) when one of its own tasks calls it.
  void run(Index tasks, FunctionRef<void(Index, Index)> task) override {
    if (tasks <= 0) return;
    if (runs_on_this_thread()) {
      throw Error(ErrorCode::invalid_argument, "ThreadPool: a task calls run() of its own pool");
    }
    if (tasks == 1) return task(0, 0);  // nothing to share
    std::lock_guard turn(one_run_at_a_time_);
    const Running running(caller_);
    {
      std::lock_guard lock(mutex_);
      task_ = &task;
      tasks_ = tasks;
      next_.store(0);
      failure_ = nullptr;
      working_ = static_cast<Index>(threads_.size());
      ++round_;
    }
    start_.notify_all();
    work(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return working_ == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
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
    for (long seen = 0;;) {
      {
        std::unique_lock lock(mutex_);
        start_.wait(lock, [&] { return stopping_ || round_ != seen; });
        if (stopping_) return;
        seen = round_;
      }
      work(worker);
      std::lock_guard lock(mutex_);
      if (--working_ == 0) done_.notify_one();
    }
  }

  void work(Index worker) {
    try {
      for (Index number; (number = next_.fetch_add(1)) < tasks_;) (*task_)(number, worker);
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_.store(tasks_);
    }
  }

  void stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    start_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  std::mutex one_run_at_a_time_;
  std::atomic<std::thread::id> caller_{};  ///< the thread inside run()
  std::mutex mutex_;                       ///< guards what follows, except next_
  std::condition_variable start_, done_;
  const FunctionRef<void(Index, Index)>* task_ = nullptr;
  Index tasks_ = 0;
  std::atomic<Index> next_{0};
  Index working_ = 0;  ///< threads that have not yet finished this round
  long round_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace eigenformer::inline v0
