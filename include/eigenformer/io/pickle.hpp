// SPDX-License-Identifier: MIT
/// Reading Python's pickles as data. A pickle is a program for a small stack machine, and Python's
/// own reader lets it call any function it names. This one runs the part that builds values, knows
/// the few names that its caller lists, calls nothing, and refuses the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/byte_buffer.hpp"
#include "eigenformer/io/memory_allowance.hpp"
#include "eigenformer/io/pickle_machine.hpp"
#include "eigenformer/io/pickle_opcode.hpp"
#include "eigenformer/io/pickle_value.hpp"

namespace eigenformer::inline v0::io {

namespace detail {

/// Runs a pickle's opcodes on the machine.
class PickleReader {
 public:
  PickleReader(const PickleSource& source, MemoryAllowance& allowance)
      : source_(source), machine_(source, allowance) {}

  PickleDocument read() {
    opcode_ = next();
    while (opcode_.code != PickleCode::stop) {
      step();
      machine_.move_to(opcode_.end);
      opcode_ = next();
    }
    return machine_.finish(opcode_.end);
  }

 private:
  Error cut() const {
    return machine_.error("the pickle goes on after byte " + std::to_string(source_.bytes.size()) +
                          ", where " + std::string(source_.end));
  }

  PickleOpcode next() const {
    if (machine_.at() >= source_.bytes.size()) throw cut();
    const auto byte = std::to_integer<unsigned char>(source_.bytes[machine_.at()]);
    if (pickle_argument(static_cast<PickleCode>(byte)).kind == PickleArgument::unknown) {
      refuse(byte);
    }
    const auto opcode = pickle_opcode_at(source_.bytes, machine_.at());
    if (!opcode) throw cut();
    return *opcode;
  }

  [[noreturn]] void refuse(unsigned char byte) const {
    constexpr std::string_view hex = "0123456789ABCDEF";
    const std::string text = std::string("0x") + hex[byte >> 4] + hex[byte & 15];
    if (other_pickle_codes.find(static_cast<char>(byte)) == std::string_view::npos) {
      throw machine_.error(text + " is no opcode of pickle");
    }
    throw machine_.error(
        "the opcode " + text + ", which plain tensors don't need; nothing was executed",
        ErrorCode::unsupported);
  }

  void step() {
    switch (opcode_.code) {
      case PickleCode::none: return machine_.push(PickleKind::none, 0);
      case PickleCode::boolean_true: return machine_.push(PickleKind::boolean, 1);
      case PickleCode::boolean_false: return machine_.push(PickleKind::boolean, 0);
      case PickleCode::integer1:
      case PickleCode::integer2:
      case PickleCode::integer4:
      case PickleCode::long1:
      case PickleCode::long4: return machine_.push_literal(PickleKind::integer);
      case PickleCode::real: return machine_.push_literal(PickleKind::real);
      case PickleCode::unicode1:
      case PickleCode::unicode4:
      case PickleCode::unicode8:
      // Python 2's str, which its torch wrote for names.
      case PickleCode::binary_string:
      case PickleCode::short_binary_string: return machine_.push_literal(PickleKind::text);
      case PickleCode::binary_bytes:
      case PickleCode::short_binary_bytes: return machine_.push_literal(PickleKind::bytes);
      default: return build();
    }
  }

  /// The opcodes that are no literals.
  void build() {
    switch (opcode_.code) {
      case PickleCode::protocol: return expect_protocol();
      case PickleCode::frame: return expect_frame();
      case PickleCode::mark: return machine_.mark();
      case PickleCode::empty_tuple: return machine_.push_parent(PickleKind::tuple, 0);
      case PickleCode::tuple1: return machine_.push_parent(PickleKind::tuple, 1);
      case PickleCode::tuple2: return machine_.push_parent(PickleKind::tuple, 2);
      case PickleCode::tuple3: return machine_.push_parent(PickleKind::tuple, 3);
      case PickleCode::tuple: return machine_.push_parent(PickleKind::tuple, machine_.take_mark());
      case PickleCode::empty_list: return machine_.push_parent(PickleKind::list, 0);
      case PickleCode::empty_dict: return machine_.push_parent(PickleKind::dict, 0);
      case PickleCode::append: return machine_.append(1);
      case PickleCode::appends: return machine_.append(machine_.take_mark());
      case PickleCode::set_item: return machine_.set_items(2);
      case PickleCode::set_items: return machine_.set_items(machine_.take_mark());
      case PickleCode::put1:
      case PickleCode::put4: return machine_.put(pickle_count(opcode_.argument));
      case PickleCode::memoize: return machine_.put_next();
      case PickleCode::get1:
      case PickleCode::get4: return machine_.get(pickle_count(opcode_.argument));
      case PickleCode::global: return push_global();
      case PickleCode::stack_global: return machine_.push_global_of_stack();
      case PickleCode::reduce: return machine_.call();
      case PickleCode::build: return machine_.set_attributes();
      case PickleCode::persistent_id: return machine_.push_persistent();
      default: return;
    }
  }

  void expect_protocol() const {
    const std::uint64_t protocol = pickle_count(opcode_.argument);
    if (protocol < 2 || protocol > 5) {
      throw machine_.error("pickle protocol " + std::to_string(protocol) + ", expected 2 to 5",
                           ErrorCode::unsupported);
    }
  }

  /// A frame is a hint for readers of streams; its content follows as if it weren't there.
  void expect_frame() const {
    if (pickle_count(opcode_.argument) > source_.bytes.size() - opcode_.end) throw cut();
  }

  /// Module and name, a line each.
  void push_global() {
    const std::string_view lines = as_text(opcode_.argument);
    const std::size_t first = lines.find('\n');
    machine_.push_global(lines.substr(0, first), lines.substr(first + 1, lines.size() - first - 2));
  }

  const PickleSource& source_;
  PickleMachine machine_;
  PickleOpcode opcode_;
};

}  // namespace detail

/// Reads one pickle. Throws Error: format, or unsupported (an opcode, or a name that source.globals
/// lacks). What it builds is taken from the allowance.
inline PickleDocument read_pickle(const PickleSource& source, MemoryAllowance& allowance) {
  return detail::PickleReader(source, allowance).read();
}

}  // namespace eigenformer::inline v0::io
