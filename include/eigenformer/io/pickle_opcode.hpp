// SPDX-License-Identifier: MIT
/// The opcodes of Python's pickle that torch.save writes for a state dict, protocols 2 to 5, and
/// how long their arguments are (Lib/pickletools.py of CPython describes all).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "eigenformer/core/macros.hpp"
#include "eigenformer/io/little_endian.hpp"

namespace eigenformer::inline v0::io::detail {

enum class PickleCode : std::uint8_t {
  mark = '(',
  empty_tuple = ')',
  stop = '.',
  binary_bytes = 'B',
  short_binary_bytes = 'C',
  real = 'G',
  integer4 = 'J',
  integer1 = 'K',
  integer2 = 'M',
  none = 'N',
  persistent_id = 'Q',
  reduce = 'R',
  binary_string = 'T',
  short_binary_string = 'U',
  unicode4 = 'X',
  empty_list = ']',
  append = 'a',
  build = 'b',
  global = 'c',
  appends = 'e',
  get1 = 'h',
  get4 = 'j',
  put1 = 'q',
  put4 = 'r',
  set_item = 's',
  tuple = 't',
  set_items = 'u',
  empty_dict = '}',
  protocol = 0x80,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  boolean_true = 0x88,
  boolean_false = 0x89,
  long1 = 0x8A,
  long4 = 0x8B,
  unicode1 = 0x8C,
  unicode8 = 0x8D,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
};

/// The codes of pickle that are not above. Some of them call what the file names.
inline constexpr std::string_view other_pickle_codes =
    "\x81\x82\x83\x84\x8E\x8F\x90\x91\x92\x96\x97\x98"
    "012FILPSVdgilop";

/// What follows a code.
struct PickleArgument {
  enum Kind : std::uint8_t { unknown, fixed, counted, lines } kind = unknown;
  std::uint8_t bytes = 0;  ///< of the argument itself, or of the count in front of it
};

constexpr PickleArgument pickle_argument(PickleCode code) {
  switch (code) {
    case PickleCode::mark:
    case PickleCode::empty_tuple:
    case PickleCode::stop:
    case PickleCode::none:
    case PickleCode::persistent_id:
    case PickleCode::reduce:
    case PickleCode::empty_list:
    case PickleCode::append:
    case PickleCode::build:
    case PickleCode::appends:
    case PickleCode::set_item:
    case PickleCode::tuple:
    case PickleCode::set_items:
    case PickleCode::empty_dict:
    case PickleCode::tuple1:
    case PickleCode::tuple2:
    case PickleCode::tuple3:
    case PickleCode::boolean_true:
    case PickleCode::boolean_false:
    case PickleCode::stack_global:
    case PickleCode::memoize: return {PickleArgument::fixed, 0};
    case PickleCode::protocol:
    case PickleCode::integer1:
    case PickleCode::get1:
    case PickleCode::put1: return {PickleArgument::fixed, 1};
    case PickleCode::integer2: return {PickleArgument::fixed, 2};
    case PickleCode::integer4:
    case PickleCode::get4:
    case PickleCode::put4: return {PickleArgument::fixed, 4};
    case PickleCode::real:
    case PickleCode::frame: return {PickleArgument::fixed, 8};
    case PickleCode::short_binary_bytes:
    case PickleCode::short_binary_string:
    case PickleCode::long1:
    case PickleCode::unicode1: return {PickleArgument::counted, 1};
    case PickleCode::binary_bytes:
    case PickleCode::binary_string:
    case PickleCode::unicode4:
    case PickleCode::long4: return {PickleArgument::counted, 4};
    case PickleCode::unicode8: return {PickleArgument::counted, 8};
    case PickleCode::global: return {PickleArgument::lines, 2};
  }
  return {};
}

/// A code with its argument, without the count in front of that.
struct PickleOpcode {
  PickleCode code = PickleCode::stop;
  std::span<const std::byte> argument;
  std::size_t end = 0;  ///< where the next code is
};

/// An unsigned number of up to 8 bytes.
inline std::uint64_t pickle_count(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

/// The size of the argument's first `lines` lines, ends included, or nothing.
inline std::optional<std::size_t> pickle_lines(std::span<const std::byte> bytes, int lines) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == std::byte{'\n'} && --lines == 0) return i + 1;
  }
  return std::nullopt;
}

/// The opcode at index `at`, whose code is a known one; nothing where the bytes end before it does.
inline std::optional<PickleOpcode> pickle_opcode_at(std::span<const std::byte> bytes,
                                                    std::size_t at) {
  const auto code = static_cast<PickleCode>(bytes[at]);
  const PickleArgument shape = pickle_argument(code);
  std::span<const std::byte> rest = bytes.subspan(at + 1);
  std::uint64_t size = shape.bytes;
  if (shape.kind == PickleArgument::lines) {
    const std::optional<std::size_t> found = pickle_lines(rest, shape.bytes);
    if (!found) return std::nullopt;
    size = *found;
  } else if (shape.kind == PickleArgument::counted) {
    if (rest.size() < shape.bytes) return std::nullopt;
    size = pickle_count(rest.first(shape.bytes));
    rest = rest.subspan(shape.bytes);
  }
  if (size > rest.size()) return std::nullopt;
  const auto argument = rest.first(static_cast<std::size_t>(size));
  return PickleOpcode{code, argument, bytes.size() - rest.size() + argument.size()};
}

/// The number that an integer's opcode has, or nothing where 64 bits don't hold it.
inline std::optional<std::int64_t> pickle_integer(const PickleOpcode& opcode) {
  const std::span<const std::byte> bytes = opcode.argument;
  if (bytes.size() > 8) return std::nullopt;
  std::uint64_t value = pickle_count(bytes);
  const bool is_signed = opcode.code != PickleCode::integer1 && opcode.code != PickleCode::integer2;
  if (is_signed && !bytes.empty() && bytes.size() < 8 && (bytes.back() >> 7) != std::byte{0}) {
    value |= ~std::uint64_t{0} << 8 * bytes.size();
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace eigenformer::inline v0::io::detail
