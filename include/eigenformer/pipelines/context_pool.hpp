// SPDX-License-Identifier: MIT
/// Contexts for calls that come from any number of threads at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "eigenformer/core/executor.hpp"
#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/kernels/dispatch.hpp"

namespace eigenformer::inline v0 {

/// Contexts are made when they are first needed and used again, with the scratch memory that they
/// have. As many exist as calls have run at a time.
class ContextPool {
  /// A context, and the profile of the call that has it.
  struct Place {
    explicit Place(std::unique_ptr<Context> made) : context(std::move(made)) {}

    std::unique_ptr<Context> context;
    Profile profile;
  };
  using Places = std::vector<std::unique_ptr<Place>>;

 public:
  /// Of the executor's threads and kernels none faster than `most`. The executor outlives the pool,
  /// and so does a `profile` that is not nullptr, which gets what each lease's passes were when it
  /// ends.
  ContextPool(Executor& executor, Isa most, Profile* profile = nullptr)
      : executor_(executor), most_(most), profile_(profile) {}

  /// How many threads compute at once.
  Index threads() const { return executor_.workers(); }

  /// A context, until it is given back.
  class Lease {
   public:
    Lease(ContextPool& pool, Places& home, std::unique_ptr<Place> place)
        : pool_(pool), home_(home), place_(std::move(place)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      place_->context->unwatch();
      const std::lock_guard lock(pool_.mutex_);
      if (pool_.profile_) pool_.keep(*place_);
      home_.push_back(std::move(place_));
    }
    Context& operator*() const { return *place_->context; }

   private:
    ContextPool& pool_;
    Places& home_;
    std::unique_ptr<Place> place_;
  };

  /// One that computes on the thread that uses it.
  Lease on_one_thread() {
    return take(on_one_, [this] { return std::make_unique<Context>(kernels::best_table(most_)); });
  }
  /// One that computes on all threads.
  Lease on_all_threads() {
    return take(on_all_, [this] {
      return std::make_unique<Context>(kernels::best_table(most_), executor_);
    });
  }

  /// Calls work(0, context) up to work(count - 1, context), each begun after the one before: one by
  /// itself has all threads, several have one each. Throws what `work` throws.
  template <class Work>
  void for_each(std::size_t count, Work work) {
    if (count == 0) return;
    const FloatingPointGuard guard;
    if (count == 1) return work(std::size_t{0}, *on_all_threads());
    std::atomic<std::size_t> next{0};  // in this order, whatever the executor's is
    executor_.run(static_cast<Index>(count), [&](Index, Index) {
      const FloatingPointGuard of_thread;
      work(next.fetch_add(1), *on_one_thread());
    });
  }

 private:
  template <class Make>
  Lease take(Places& free, Make make) {
    const std::lock_guard lock(mutex_);
    free.reserve(made_ + 1);  // so that giving back never fails
    if (free.empty()) {
      auto made = std::make_unique<Place>(make());
      if (profile_) made->context->profile_into(made->profile);
      ++made_;
      return Lease(*this, free, std::move(made));
    }
    std::unique_ptr<Place> place = std::move(free.back());
    free.pop_back();
    return Lease(*this, free, std::move(place));
  }

  /// Adds a lease's passes to the pool's; without memory for new ones they are lost.
  void keep(Place& place) noexcept {
    try {
      profile_->merge(place.profile, place.context->executor().workers());
    } catch (const std::bad_alloc&) {
    }
    place.profile.clear();
  }

  Executor& executor_;
  Isa most_;
  Profile* profile_;
  std::mutex mutex_;  ///< guards what follows, and *profile_
  std::size_t made_ = 0;
  Places on_one_, on_all_;
};

}  // namespace eigenformer::inline v0
