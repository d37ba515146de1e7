// SPDX-License-Identifier: MIT
/// What a pickle holds, as data: calls are values that name a function and its arguments, and stay
/// uncalled. All values lie in a few flat lists and refer to each other by index. So nothing here
/// recurses, and lists that contain themselves or each other a thousandfold cost what their opcodes
/// cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "eigenformer/core/macros.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/pickle_opcode.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

namespace detail {
class PickleMachine;
}

/// What a name in a pickle may be used for.
enum class PickleRole : std::uint8_t {
  type,      ///< an argument of calls
  function,  ///< called
  mapping,   ///< called, and then given items and attributes
};

/// A name that a pickle may mention.
struct PickleGlobal {
  std::string_view module;
  std::string_view name;
  PickleRole role;
};

enum class PickleKind : std::uint8_t {
  absent,  ///< a hole in the memo
  none,
  boolean,
  integer,
  real,
  text,
  bytes,
  tuple,
  list,
  dict,        ///< children: key, value, key, value
  global,      ///< a name from the reader's table
  call,        ///< children: the name, the tuple of arguments; for a mapping, then keys and values
  persistent,  ///< what lies outside the pickle; children: those of the tuple that says where
};

struct PickleValue {
  PickleKind kind = PickleKind::absent;
  /// Where the value is: the byte of its opcode for an integer, a real, text and bytes, an index
  /// for what has children and for a global, and the boolean itself.
  std::uint32_t place = 0;
};

/// A pickle that has been read, and the bytes that hold its texts and numbers, which somebody else
/// owns.
class PickleDocument {
 public:
  PickleDocument(std::span<const std::byte> bytes, std::string file,
                 std::span<const PickleGlobal> globals)
      : bytes_(bytes), file_(std::move(file)), globals_(globals) {}

  /// As messages name it.
  const std::string& file() const noexcept { return file_; }

  PickleValue root() const noexcept { return root_; }

  /// Where the bytes after the pickle begin.
  std::size_t end() const noexcept { return end_; }

  /// All tuples that were given for values outside the pickle, in the file's order.
  const std::deque<PickleValue>& persistent_values() const noexcept { return persistent_; }

  /// The number, unless the value is another one, or more than 64 bits.
  std::optional<std::int64_t> integer(PickleValue value) const {
    if (value.kind != PickleKind::integer) return std::nullopt;
    return detail::pickle_integer(opcode(value));
  }

  /// The bytes of an integer of any size, low byte first; empty for other values.
  std::span<const std::byte> integer_bytes(PickleValue value) const {
    if (value.kind != PickleKind::integer) return {};
    return opcode(value).argument;
  }

  /// The text, unless the value is no text.
  std::optional<std::string_view> text(PickleValue value) const {
    if (value.kind != PickleKind::text) return std::nullopt;
    return as_text(opcode(value).argument);
  }

  /// The index in the reader's table, unless the value is no global.
  std::optional<std::size_t> global(PickleValue value) const {
    if (value.kind != PickleKind::global) return std::nullopt;
    return value.place;
  }

  /// The index of the name that is called, unless the value is no call.
  std::optional<std::size_t> callee(PickleValue value) const {
    if (value.kind != PickleKind::call) return std::nullopt;
    return global(child(value, 0));
  }

  bool has_children(PickleValue value) const noexcept {
    return value.kind == PickleKind::tuple || value.kind == PickleKind::list ||
           value.kind == PickleKind::dict || value.kind == PickleKind::call ||
           value.kind == PickleKind::persistent;
  }

  /// How many children the value has, items of a mapping's call included.
  std::size_t children(PickleValue value) const {
    return has_children(value) ? nodes_[value.place].count : 0;
  }

  /// One of them; of a list or a dict, the first few only cost little.
  PickleValue child(PickleValue value, std::size_t index) const {
    std::uint32_t run = nodes_[value.place].first;
    for (; index >= runs_[run].count; run = runs_[run].next) index -= runs_[run].count;
    return cells_[runs_[run].begin + index];
  }

  /// How many places values with children have: more than the greatest.
  std::size_t places() const noexcept { return nodes_.size(); }

  /// Calls visit with every child, in order.
  template <class Visit>
  void for_each_child(PickleValue value, const Visit& visit) const {
    if (!has_children(value)) return;
    for (std::uint32_t run = nodes_[value.place].first; run != no_run; run = runs_[run].next) {
      for (std::uint32_t i = 0; i < runs_[run].count; ++i) visit(cells_[runs_[run].begin + i]);
    }
  }

  /// For a message.
  std::string description(PickleValue value) const {
    switch (value.kind) {
      case PickleKind::absent: return "nothing";
      case PickleKind::none: return "None";
      case PickleKind::boolean: return value.place != 0 ? "True" : "False";
      case PickleKind::integer: {
        const std::optional<std::int64_t> number = integer(value);
        return number ? std::to_string(*number) : "an integer of more than 64 bits";
      }
      case PickleKind::real: return "a float";
      case PickleKind::text: return excerpt(*text(value));
      case PickleKind::bytes: return "bytes";
      case PickleKind::tuple: return "a tuple of " + std::to_string(children(value));
      case PickleKind::list: return "a list";
      case PickleKind::dict: return "a dict";
      case PickleKind::global: return full_name(value.place);
      case PickleKind::call: return "what " + full_name(*callee(value)) + " returns";
      case PickleKind::persistent: return "a storage";
    }
    return "nothing";
  }

 private:
  friend class detail::PickleMachine;

  static constexpr std::uint32_t no_run = 0xFFFFFFFF;

  /// Values that became children at once.
  struct Run {
    std::uint32_t begin = 0;
    std::uint32_t count = 0;
    std::uint32_t next = no_run;
  };

  struct Node {
    std::uint32_t first = no_run;
    std::uint32_t last = no_run;
    std::uint32_t count = 0;  ///< of children
  };

  detail::PickleOpcode opcode(PickleValue value) const {
    return *detail::pickle_opcode_at(bytes_, value.place);
  }

  std::string full_name(std::size_t global) const {
    return std::string(globals_[global].module) + "." + std::string(globals_[global].name);
  }

  /// Bytes that the values take.
  std::size_t memory() const noexcept {
    return (cells_.size() + persistent_.size()) * sizeof(PickleValue) + runs_.size() * sizeof(Run) +
           nodes_.size() * sizeof(Node);
  }

  std::span<const std::byte> bytes_;
  std::string file_;
  std::span<const PickleGlobal> globals_;
  PickleValue root_;
  std::size_t end_ = 0;
  // Deques: a vector that grows needs up to three times what it holds.
  std::deque<PickleValue> cells_;  ///< children
  std::deque<PickleValue> persistent_;
  std::deque<Run> runs_;
  std::deque<Node> nodes_;
};

}  // namespace eigenformer::inline v0::io
