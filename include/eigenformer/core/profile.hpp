// SPDX-License-Identifier: MIT
/// Where time goes: passes within passes, each with its calls, its time, and the work that it had
/// to do. Nobody who does not ask for it pays more than a test of a pointer.
#pragma once

#include <time.h>

#include <cstring>
#include <vector>

#include "eigenformer/core/storage.hpp"
#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// A tree of passes, filled by the scopes that a Context's owner lets write into it. It grows when
/// a pass is met for the first time; a computation like the last one allocates nothing. One thread
/// at a time.
class Profile {
 public:
  /// The number and the parent of a pass that has none.
  static constexpr Index none = -1;

  /// What an algorithm has to move and to compute, however well it is done: each weight once a
  /// call, each pair of query and key that attention sees.
  struct Work {
    Index memory = 0;       ///< bytes of weights, tables, and cached keys and values
    Index activations = 0;  ///< bytes of what has just been computed, read and written
    Index operations = 0;   ///< multiplications and additions; exp, max and the like are free
  };

  /// What tells a pass from others with the same parent.
  struct Name {
    const char* name;                ///< a string literal
    Index number = none;             ///< of a layer
    Storage storage = Storage::f32;  ///< of the weights, or what else its operations work on
  };

  struct Pass : Name {
    Index parent = none;       ///< its place in passes()
    Index calls = 0;           ///< that have ended
    Index nanoseconds = 0;     ///< of all calls, the passes within it included
    Work work = {};            ///< of all calls, without the passes within it
    Index first_child = none;  ///< the place of the first pass within it
    Index next = none;         ///< and of the next one with the same parent
  };

  /// A call of a pass, from here to the end of the scope; with nullptr: nothing. Scopes nest.
  /// Throws std::bad_alloc.
  class Scope {
   public:
    Scope(Profile* profile, const Name& name) : profile_(profile) {
      if (profile_) begin(name);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      if (profile_) end();
    }

    /// Whether anybody asks what work() would say.
    explicit operator bool() const { return profile_ != nullptr; }
    /// Adds to what this call had to do.
    void work(const Work& work) const {
      if (profile_) add(profile_->at(pass_).work, work);
    }

   private:
    [[gnu::noinline]] void begin(const Name& name) {
      pass_ = profile_->child(profile_->current_, name);
      profile_->current_ = pass_;
      begin_ = now();
    }
    [[gnu::noinline]] void end() {
      Pass& pass = profile_->at(pass_);
      pass.nanoseconds += now() - begin_;
      ++pass.calls;
      profile_->current_ = pass.parent;
    }

    Profile* profile_;
    Index pass_ = none;
    Index begin_ = 0;  // in nanoseconds
  };

  /// In the order in which they were met, parents before what is within them.
  const std::vector<Pass>& passes() const { return passes_; }

  /// What a pass did itself, in nanoseconds: its time without that of the passes within it.
  Index self_nanoseconds(Index pass) const {
    Index left = passes_[static_cast<std::size_t>(pass)].nanoseconds;
    for (Index child = passes_[static_cast<std::size_t>(pass)].first_child; child != none;
         child = passes_[static_cast<std::size_t>(child)].next) {
      left -= passes_[static_cast<std::size_t>(child)].nanoseconds;
    }
    return left;
  }

  /// Adds the passes of another, as many times their time as `threads` were busy with them: time
  /// of several contexts adds up where each of their threads counts. Throws std::bad_alloc.
  void merge(const Profile& other, Index threads = 1) {
    EIGENFORMER_ASSERT(&other != this && other.current_ == none && threads >= 1);
    places_.clear();
    for (const Pass& pass : other.passes_) {
      const Index parent =
          pass.parent == none ? none : places_[static_cast<std::size_t>(pass.parent)];
      places_.push_back(child(parent, pass));
      Pass& mine = at(places_.back());
      mine.calls += pass.calls;
      mine.nanoseconds += pass.nanoseconds * threads;
      add(mine.work, pass.work);
    }
  }

  /// Forgets all passes, and keeps their memory. No scope is open.
  void clear() {
    EIGENFORMER_ASSERT(current_ == none);
    passes_.clear();
    first_root_ = none;
  }

 private:
  Pass& at(Index pass) { return passes_[static_cast<std::size_t>(pass)]; }

  /// What std::chrono::steady_clock says, without the compile time of its header.
  static Index now() {
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return Index{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }
  static void add(Work& sum, const Work& work) {
    sum.memory += work.memory;
    sum.activations += work.activations;
    sum.operations += work.operations;
  }
  /// One literal may have several addresses.
  static bool same(const Name& a, const Name& b) {
    return a.number == b.number && a.storage == b.storage &&
           (a.name == b.name || std::strcmp(a.name, b.name) == 0);
  }

  /// The pass of that name within `parent`; a new one, if there is none.
  Index child(Index parent, const Name& name) {
    Index last = none;
    for (Index c = first_child(parent); c != none; c = at(c).next) {
      if (same(at(c), name)) return c;
      last = c;
    }
    passes_.push_back({name, parent});
    const auto made = static_cast<Index>(passes_.size()) - 1;
    (last == none ? first_child(parent) : at(last).next) = made;
    return made;
  }
  Index& first_child(Index parent) { return parent == none ? first_root_ : at(parent).first_child; }

  std::vector<Pass> passes_;
  Index first_root_ = none;
  Index current_ = none;       // the innermost open scope's
  std::vector<Index> places_;  // of merge(): where the other's passes are here
};

}  // namespace eigenformer::inline v0
