// SPDX-License-Identifier: MIT
/// What a computation needs besides its inputs: kernels, threads, scratch memory, a watcher, a
/// profile.
#pragma once

#include "eigenformer/core/arena.hpp"
#include "eigenformer/core/attention_observer.hpp"
#include "eigenformer/core/executor.hpp"
#include "eigenformer/core/profile.hpp"
#include "eigenformer/core/slab_pool.hpp"

namespace eigenformer::inline v0 {

namespace kernels {
struct KernelTable;
}

/// One computation at a time; models are const and shared, contexts are not. make_context() in
/// kernels/dispatch.hpp makes one with the machine's fastest kernels.
class Context {
 public:
  /// On the calling thread. `kernels` outlives the context.
  explicit Context(const kernels::KernelTable& kernels) : kernels_(&kernels) {}
  /// On `executor`, which outlives the context.
  Context(const kernels::KernelTable& kernels, Executor& executor)
      : kernels_(&kernels), executor_(&executor) {}

  const kernels::KernelTable& kernels() const { return *kernels_; }
  Executor& executor() { return executor_ ? *executor_ : inline_executor_; }
  Arena& arena() { return arena_; }
  /// Of key/value caches.
  SlabPool& slabs() { return slabs_; }

  /// Nobody watches: nullptr.
  AttentionObserver* observer() const { return observer_; }
  /// `observer` lives until unwatch(), the next watch(), or the context's end.
  void watch(AttentionObserver& observer) { observer_ = &observer; }
  void unwatch() { observer_ = nullptr; }

  /// Nobody asks where time goes: nullptr.
  Profile* profile() const { return profile_; }
  /// `profile` lives until stop_profile(), the next call of this, or the context's end.
  void profile_into(Profile& profile) { profile_ = &profile; }
  void stop_profile() { profile_ = nullptr; }

 private:
  const kernels::KernelTable* kernels_;
  Executor* executor_ = nullptr;
  InlineExecutor inline_executor_;
  Arena arena_;
  SlabPool slabs_;
  AttentionObserver* observer_ = nullptr;
  Profile* profile_ = nullptr;
};

}  // namespace eigenformer::inline v0
