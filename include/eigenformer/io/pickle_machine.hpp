// SPDX-License-Identifier: MIT
/// The stack machine that a pickle is a program for, without the part that calls functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/memory_allowance.hpp"
#include "eigenformer/io/pickle_value.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

/// A pickle inside bytes: fewer than 4 GiB, with other content behind it perhaps.
struct PickleSource {
  std::span<const std::byte> bytes;
  std::string file;                       ///< for messages; may name a part of a file
  std::span<const PickleGlobal> globals;  ///< the names that may occur
  std::size_t begin = 0;                  ///< where the pickle begins
  /// Why the bytes end where they do, should the pickle not.
  std::string_view end = "its bytes end: is it cut short?";
};

namespace detail {

/// The machine's stack, marks and memo, and the document it builds. The functions are what opcodes
/// do; they throw Error at the current opcode's byte.
class PickleMachine {
 public:
  PickleMachine(const PickleSource& source, MemoryAllowance& allowance)
      : allowance_(allowance),
        globals_(source.globals),
        document_(source.bytes, source.file, source.globals),
        at_(source.begin) {}

  /// Where the current opcode is.
  std::size_t at() const noexcept { return at_; }

  /// Goes to the next opcode. Throws where the values so far take too much memory.
  void move_to(std::size_t at) {
    check_memory(0);
    at_ = at;
  }

  Error error(const std::string& what, ErrorCode code = ErrorCode::format) const {
    return Error(code, document_.file_ + ": byte " + std::to_string(at_) + ": " + what);
  }

  void mark() { marks_.push_back(static_cast<std::uint32_t>(stack_.size())); }

  /// Removes the last mark and returns how many values were above it.
  std::size_t take_mark() {
    if (marks_.empty()) throw error("the opcode here needs a mark, and there is none");
    const std::size_t count = reach();
    marks_.pop_back();
    return count;
  }

  void push(PickleKind kind, std::uint32_t place) { stack_.push_back({kind, place}); }

  /// A literal: its place is its opcode.
  void push_literal(PickleKind kind) { push(kind, static_cast<std::uint32_t>(at_)); }

  /// A new value with the last `count` as children, instead of these.
  void push_parent(PickleKind kind, std::size_t count) {
    expect_values(count);
    document_.nodes_.push_back({});
    const auto index = static_cast<std::uint32_t>(document_.nodes_.size() - 1);
    adopt(index, count);
    push(kind, index);
  }

  void append(std::size_t count) {
    const PickleValue list = below(count);
    if (list.kind != PickleKind::list) throw error("expected a list, got " + describe(list));
    adopt(list.place, count);
  }

  void set_items(std::size_t count) {
    const PickleValue mapping = below(count);
    expect_mapping(mapping);
    if (count % 2 != 0) throw error("a key without a value");
    adopt(mapping.place, count);
  }

  /// Drops attributes: what a state dict has, _metadata, says nothing about tensors.
  void set_attributes() {
    expect_mapping(below(1));
    pop();
  }

  /// Picklers number the memo's values one by one, Python 2's from 1.
  void put(std::uint64_t index) {
    const PickleValue value = below(0);
    if (index > memo_.size() + 1) {
      throw error("puts a value at " + std::to_string(index) + " of a memo of " +
                  std::to_string(memo_.size()));
    }
    if (index >= memo_.size()) memo_.resize(static_cast<std::size_t>(index) + 1);
    memo_[static_cast<std::size_t>(index)] = value;
  }

  void put_next() { put(memo_.size()); }

  void get(std::uint64_t index) {
    if (index >= memo_.size() ||
        memo_[static_cast<std::size_t>(index)].kind == PickleKind::absent) {
      throw error("gets value " + std::to_string(index) + " of a memo that lacks it");
    }
    stack_.push_back(memo_[static_cast<std::size_t>(index)]);
  }

  void push_global(std::string_view module, std::string_view name) {
    const auto found = std::find_if(globals_.begin(), globals_.end(), [&](const PickleGlobal& one) {
      return one.module == module && one.name == name;
    });
    if (found == globals_.end()) {
      const std::string start =
          std::string(module.substr(0, 96)) + "." + std::string(name.substr(0, 96));
      throw error("the name " + excerpt(start, 193) +
                      ", which plain tensors don't need; nothing was executed",
                  ErrorCode::unsupported);
    }
    push(PickleKind::global, static_cast<std::uint32_t>(found - globals_.begin()));
  }

  /// The same, with module and name from the stack.
  void push_global_of_stack() {
    const std::optional<std::string_view> name = document_.text(pop());
    const std::optional<std::string_view> module = document_.text(pop());
    if (!name || !module) throw error("expected a module and a name as text");
    push_global(*module, *name);
  }

  /// Notes a call. A mapping made of nothing is a dict.
  void call() {
    const PickleValue arguments = below(0);
    const PickleValue callee = below(1);
    if (arguments.kind != PickleKind::tuple) {
      throw error("expected a tuple of arguments, got " + describe(arguments));
    }
    if (callee.kind != PickleKind::global || globals_[callee.place].role == PickleRole::type) {
      throw error("expected a function to call, got " + describe(callee));
    }
    if (globals_[callee.place].role == PickleRole::mapping && document_.children(arguments) == 0) {
      stack_.resize(stack_.size() - 2);
      return push_parent(PickleKind::dict, 0);
    }
    push_parent(PickleKind::call, 2);
  }

  /// What lies outside the pickle, where the tuple on the stack says.
  void push_persistent() {
    const PickleValue where = pop();
    if (where.kind != PickleKind::tuple) {
      throw error("expected a tuple as persistent id, got " + describe(where));
    }
    push(PickleKind::persistent, where.place);
    document_.persistent_.push_back(stack_.back());
  }

  /// The document with the stack's one value; its pickle ends at `end`.
  PickleDocument finish(std::size_t end) {
    document_.root_ = pop();
    if (!stack_.empty() || !marks_.empty()) {
      throw error("the pickle stops with values left on its stack");
    }
    document_.end_ = end;
    allowance_.take(with_overhead(document_.memory()));
    return std::move(document_);
  }

 private:
  /// How many values are above the last mark: the others are out of reach.
  std::size_t reach() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  void expect_values(std::size_t count) const {
    if (reach() < count) throw error("the stack has too few values for the opcode here");
  }

  PickleValue pop() {
    expect_values(1);
    const PickleValue value = stack_.back();
    stack_.pop_back();
    return value;
  }

  /// The value under the last `count`.
  PickleValue below(std::size_t count) const {
    expect_values(count + 1);
    return stack_[stack_.size() - 1 - count];
  }

  /// Moves the last values from the stack to the end of a node's children.
  void adopt(std::uint32_t node, std::size_t count) {
    if (count == 0) return;
    check_memory(count * sizeof(PickleValue));
    const auto from = stack_.end() - static_cast<std::ptrdiff_t>(count);
    const auto run = static_cast<std::uint32_t>(document_.runs_.size());
    document_.runs_.push_back({static_cast<std::uint32_t>(document_.cells_.size()),
                               static_cast<std::uint32_t>(count), PickleDocument::no_run});
    document_.cells_.insert(document_.cells_.end(), from, stack_.end());
    stack_.erase(from, stack_.end());
    PickleDocument::Node& parent = document_.nodes_[node];
    const bool first = parent.last == PickleDocument::no_run;
    (first ? parent.first : document_.runs_[parent.last].next) = run;
    parent.last = run;
    parent.count += static_cast<std::uint32_t>(count);
  }

  void expect_mapping(PickleValue value) const {
    if (value.kind == PickleKind::dict) return;
    const std::optional<std::size_t> callee = document_.callee(value);
    if (!callee || globals_[*callee].role != PickleRole::mapping) {
      throw error("expected a dict, got " + describe(value));
    }
  }

  std::string describe(PickleValue value) const { return document_.description(value); }

  /// A deque's blocks cost a little more than their content, and so does the list of them, which
  /// for a while is there twice and never gets shorter again.
  static std::uint64_t with_overhead(std::uint64_t bytes) { return bytes + bytes / 8; }

  void check_memory(std::size_t more) const {
    const std::size_t values = stack_.size() + memo_.size();
    allowance_.check(with_overhead(document_.memory() + more + values * sizeof(PickleValue) +
                                   marks_.size() * sizeof(std::uint32_t)));
  }

  MemoryAllowance& allowance_;
  std::span<const PickleGlobal> globals_;
  PickleDocument document_;
  std::size_t at_ = 0;
  std::deque<PickleValue> stack_;
  std::deque<std::uint32_t> marks_;  ///< sizes of the stack
  std::deque<PickleValue> memo_;
};

}  // namespace detail
}  // namespace eigenformer::inline v0::io
