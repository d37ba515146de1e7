// SPDX-License-Identifier: MIT
/// Who does the work: one interface, so that a host program's own pool can serve.
#pragma once

#include <type_traits>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// A reference to something callable that outlives the call; never stored.
template <class Signature>
class FunctionRef;

template <class Result, class... Arguments>
class FunctionRef<Result(Arguments...)> {
 public:
  template <class Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef> &&
           std::is_invocable_r_v<Result, Callable&, Arguments...>) FunctionRef(Callable&& callable)
      : object_(const_cast<void*>(static_cast<const void*>(&callable))),
        call_([](void* object, Arguments... arguments) -> Result {
          return (*static_cast<std::remove_reference_t<Callable>*>(object))(arguments...);
        }) {}

  Result operator()(Arguments... arguments) const { return call_(object_, arguments...); }

 private:
  void* object_;
  Result (*call_)(void*, Arguments...);
};

/// Runs tasks. Which worker runs a task, and when, changes no bit: tasks write disjoint outputs,
/// but those of a worker share its scratch memory.
class Executor {
 public:
  virtual ~Executor() = default;

  /// How many tasks may run at once, 1 up, always the same; a worker's number is in [0, workers()),
  /// and no two tasks that run at a time, of one run(), have the same.
  virtual Index workers() const = 0;

  /// Calls task(number, worker) for each number in [0, tasks) and returns when all have ended. The
  /// first exception of a task is thrown again here. A task does not call run(); several threads
  /// may at once.
  virtual void run(Index tasks, FunctionRef<void(Index task, Index worker)> task) = 0;
};

/// Runs every task on the calling thread, in order.
class InlineExecutor final : public Executor {
 public:
  Index workers() const override { return 1; }
  void run(Index tasks, FunctionRef<void(Index, Index)> task) override {
    for (Index number = 0; number < tasks; ++number) task(number, 0);
  }
};

}  // namespace eigenformer::inline v0
