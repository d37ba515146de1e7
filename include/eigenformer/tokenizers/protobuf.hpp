// SPDX-License-Identifier: MIT
/// Reading protocol buffers' wire format (protobuf.dev/programming-guides/encoding) field by field,
/// without recursion: a nested message is the bytes of a field, for another reader.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "eigenformer/core/error.hpp"

namespace eigenformer::inline v0 {

/// How a field's value is written.
enum class WireType : std::uint8_t {
  varint = 0,
  fixed64 = 1,
  bytes = 2,  ///< a length, then that many bytes: text, bytes, or a message
  fixed32 = 5,
};

constexpr const char* name(WireType type) {
  switch (type) {
    case WireType::varint: return "a varint";
    case WireType::fixed64: return "64 bits";
    case WireType::bytes: return "bytes";
    case WireType::fixed32: return "32 bits";
  }
  return "nothing";
}

/// One field of a message.
struct ProtobufField {
  std::uint32_t number = 0;  ///< 1 to 2^29 - 1
  WireType type = WireType::varint;
  std::size_t place = 0;    ///< the byte of the file that its tag begins at
  std::uint64_t value = 0;  ///< of a number; of bytes, the file's byte that they begin at
  std::string_view bytes;   ///< of bytes
};

/// A message's fields, in the file's order. The bytes and the file's name must outlive the reader.
class ProtobufReader {
 public:
  /// `place`: the byte of the file that the message begins at.
  ProtobufReader(std::string_view message, const std::string& file, std::size_t place = 0)
      : message_(message), file_(&file), place_(place) {}

  /// A message inside a message.
  ProtobufReader(const ProtobufReader& outer, const ProtobufField& field)
      : ProtobufReader(outer.bytes(field), *outer.file_, static_cast<std::size_t>(field.value)) {}

  /// Reads the next field; false at the message's end. Throws Error(format): cut short, a group, an
  /// unknown way of writing, field 0.
  bool next(ProtobufField& field) {
    if (at_ == message_.size()) return false;
    field.place = place_ + at_;
    const std::uint64_t tag = read_varint();
    if (tag > 0xFFFFFFFF || tag >> 3 == 0) {
      throw error(field.place, "expected a field's tag, got " + std::to_string(tag));
    }
    field.number = static_cast<std::uint32_t>(tag >> 3);
    read_value(field, static_cast<unsigned>(tag & 7));
    return true;
  }

  /// The bytes of a field. Throws Error(format) where it is written otherwise; so do the next ones.
  std::string_view bytes(const ProtobufField& field) const {
    return expect(field, WireType::bytes).bytes;
  }

  /// A bool, as protocol buffers read it: anything but 0 is true.
  bool boolean(const ProtobufField& field) const {
    return expect(field, WireType::varint).value != 0;
  }

  /// An int32 or an enumeration, as protocol buffers read it: the low 32 bits.
  std::int32_t integer(const ProtobufField& field) const {
    return static_cast<std::int32_t>(
        static_cast<std::uint32_t>(expect(field, WireType::varint).value));
  }

  float real(const ProtobufField& field) const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(expect(field, WireType::fixed32).value));
  }

  /// An Error(format) for the caller to throw.
  Error error(std::size_t place, const std::string& text) const {
    return Error(ErrorCode::format, *file_ + ": byte " + std::to_string(place) + ": " + text);
  }

 private:
  const ProtobufField& expect(const ProtobufField& field, WireType type) const {
    if (field.type == type) return field;
    throw error(field.place, "field " + std::to_string(field.number) + ": expected " + name(type) +
                                 ", got " + name(field.type));
  }

  void read_value(ProtobufField& field, unsigned type) {
    switch (type) {
      case 0:
        field.type = WireType::varint;
        field.value = read_varint();
        return;
      case 1:
        field.type = WireType::fixed64;
        field.value = read_fixed(8);
        return;
      case 2:
        field.type = WireType::bytes;
        read_bytes(field);
        return;
      case 5:
        field.type = WireType::fixed32;
        field.value = read_fixed(4);
        return;
      default:
        throw error(field.place,
                    "field " + std::to_string(field.number) +
                        (type == 3 || type == 4
                             ? ": a group, which is not supported"
                             : ": wire type " + std::to_string(type) + " does not exist"));
    }
  }

  void read_bytes(ProtobufField& field) {
    const std::uint64_t size = read_varint();
    if (size > message_.size() - at_) {
      throw error(field.place, "field " + std::to_string(field.number) + ": has " +
                                   std::to_string(size) + " bytes, and only " +
                                   std::to_string(message_.size() - at_) +
                                   " are left: is the file cut short?");
    }
    field.value = place_ + at_;
    field.bytes = message_.substr(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
  }

  std::uint64_t read_fixed(std::size_t size) {
    if (size > message_.size() - at_) throw cut_short();
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(message_[at_ + i]);
    }
    at_ += size;
    return value;
  }

  std::uint64_t read_varint() {
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at_ == message_.size()) throw cut_short();
      const auto byte = static_cast<unsigned char>(message_[at_++]);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    throw error(place_ + begin, "a varint of more than 64 bits");
  }

  Error cut_short() const {
    return error(place_ + message_.size(),
                 "the message ends inside a field: is the file cut "
                 "short?");
  }

  std::string_view message_;
  const std::string* file_;
  std::size_t place_;
  std::size_t at_ = 0;
};

}  // namespace eigenformer::inline v0
