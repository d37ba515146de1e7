// SPDX-License-Identifier: MIT
/// Contexts for calls that come from any number of threads at once.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/kernels/dispatch.hpp"

namespace eigenformer::inline v0 {

/// Contexts are made when they are first needed and used again, with the scratch memory that they
/// have. As many exist as calls have run at a time.
class ContextPool {
 public:
  /// Of `threads` threads, 1 to 1,024, and kernels none faster than `most`. Throws
  /// Error(invalid_argument).
  ContextPool(Index threads, Isa most) : most_(most), threads_(threads) {}

  /// A context, until it is given back.
  class Lease {
   public:
    Lease(ContextPool& pool, std::vector<std::unique_ptr<Context>>& home,
          std::unique_ptr<Context> context)
        : pool_(pool), home_(home), context_(std::move(context)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      context_->unwatch();
      const std::lock_guard lock(pool_.mutex_);
      home_.push_back(std::move(context_));
    }
    Context& operator*() const { return *context_; }

   private:
    ContextPool& pool_;
    std::vector<std::unique_ptr<Context>>& home_;
    std::unique_ptr<Context> context_;
  };

  /// One that computes on the thread that uses it.
  Lease on_one_thread() {
    return take(on_one_, [this] { return new Context(kernels::best_table(most_)); });
  }
  /// One that computes on all threads.
  Lease on_all_threads() {
    return take(on_all_, [this] { return new Context(kernels::best_table(most_), threads_); });
  }

  /// Calls work(0, context) up to work(count - 1, context), in any order: one by itself has all
  /// threads, several have one each. Throws what `work` throws.
  template <class Work>
  void for_each(std::size_t count, Work work) {
    if (count == 1) return work(std::size_t{0}, *on_all_threads());
    // Calls from several threads take turns only where they share a pool's threads.
    InlineExecutor alone;
    Executor& executor = threads_.workers() == 1 ? static_cast<Executor&>(alone) : threads_;
    executor.run(static_cast<Index>(count), [&](Index number, Index) {
      work(static_cast<std::size_t>(number), *on_one_thread());
    });
  }

 private:
  template <class Make>
  Lease take(std::vector<std::unique_ptr<Context>>& free, Make make) {
    const std::lock_guard lock(mutex_);
    free.reserve(made_ + 1);  // so that giving back never fails
    if (free.empty()) {
      std::unique_ptr<Context> made(make());
      ++made_;
      return Lease(*this, free, std::move(made));
    }
    std::unique_ptr<Context> context = std::move(free.back());
    free.pop_back();
    return Lease(*this, free, std::move(context));
  }

  Isa most_;
  ThreadPool threads_;
  std::mutex mutex_;  ///< guards what follows
  std::size_t made_ = 0;
  std::vector<std::unique_ptr<Context>> on_one_, on_all_;
};

}  // namespace eigenformer::inline v0
