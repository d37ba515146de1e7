// SPDX-License-Identifier: MIT
/// The storage behind Json: all values of a text in one flat vector. Nothing here recurses, neither
/// access nor destruction, so nesting costs no stack.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/macros.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

/// What a JSON value is.
enum class JsonKind : std::uint8_t {
  null,
  boolean,
  integer,      ///< written without fraction and exponent, and 64 signed bits hold it
  big_integer,  ///< written so, and they don't
  real,         ///< any other number; finite
  string,
  array,
  object,
};

namespace detail {

/// Bytes of the document's text, or entries of its list of children.
struct JsonRange {
  std::uint32_t first;
  std::uint32_t count;
};

struct JsonNode {
  JsonKind kind = JsonKind::null;
  std::uint32_t parent = 0;
  JsonRange place = {0, 0};  ///< in an object: the key's text; in an array: {index, 0}
  union {
    std::int64_t integer = 0;  ///< of an integer and a boolean
    double real;
    JsonRange range;  ///< text of a string and a big integer; children of an array and an object
  };
};

/// The shortest text that reads back as the same number.
inline std::string number_text(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return std::string(digits.data(), end.ptr);
}

/// The same, and never like an integer: 12.0 is not 12 for a reader that wants an integer.
inline std::string real_text(double value) {
  const std::string text = number_text(value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

/// A key as a JSON pointer writes it (RFC 6901), fit for a message: a long one is cut.
inline std::string pointer_token(std::string_view key) {
  const std::string quoted = excerpt(key);
  const std::size_t end = quoted.rfind('"');
  std::string token;
  for (std::size_t i = 1; i < end; ++i) {
    if (quoted[i] == '~') {
      token += "~0";
    } else if (quoted[i] == '/') {
      token += "~1";
    } else {
      token += quoted[i];
    }
  }
  return token + quoted.substr(end + 1);
}

/// A parsed text. Node 0 is the outermost value; a parent comes before its children.
struct JsonDocument {
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  std::string file;  ///< as messages name it
  std::string text;  ///< keys and strings, back to back
  std::vector<JsonNode> nodes;
  /// Node indices. An array or object has `count` of them in the file's order from `first`; for an
  /// object the same ones follow, sorted by key.
  std::vector<std::uint32_t> children;

  std::string_view text_of(JsonRange range) const {
    return std::string_view(text).substr(range.first, range.count);
  }

  std::string_view key_of(std::uint32_t member) const { return text_of(nodes[member].place); }

  /// The object's member of that name, or none.
  std::uint32_t find(const JsonNode& object, std::string_view key) const {
    const auto begin = children.begin() + object.range.first + object.range.count;
    const auto end = begin + object.range.count;
    const auto found = std::lower_bound(
        begin, end, key,
        [this](std::uint32_t member, std::string_view wanted) { return key_of(member) < wanted; });
    return found != end && key_of(*found) == key ? *found : none;
  }

  std::optional<double> number_of(const JsonNode& node) const {
    if (node.kind == JsonKind::real) return node.real;
    if (node.kind == JsonKind::integer) return static_cast<double>(node.integer);
    if (node.kind != JsonKind::big_integer) return std::nullopt;
    const std::string_view digits = text_of(node.range);
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }

  std::string description(const JsonNode& node) const {
    switch (node.kind) {
      case JsonKind::null: return "null";
      case JsonKind::boolean: return node.integer != 0 ? "true" : "false";
      case JsonKind::integer: return std::to_string(node.integer);
      case JsonKind::big_integer: return std::string(text_of(node.range));
      case JsonKind::real: return real_text(node.real);
      case JsonKind::string: return excerpt(text_of(node.range));
      case JsonKind::array: return "an array of " + std::to_string(node.range.count);
      case JsonKind::object: return "an object of " + std::to_string(node.range.count);
    }
    return "nothing";
  }

  /// "file: /a/3/b", or only the file for the outermost value. Works while the document is built.
  std::string where(std::uint32_t node) const {
    std::vector<std::uint32_t> way;
    for (; node != 0; node = nodes[node].parent) way.push_back(node);
    std::string out = way.empty() ? file : file + ": ";
    for (auto step = way.rbegin(); step != way.rend(); ++step) {
      const JsonNode& child = nodes[*step];
      const bool in_object = nodes[child.parent].kind == JsonKind::object;
      out += '/';
      out += in_object ? pointer_token(text_of(child.place)) : std::to_string(child.place.first);
    }
    return out;
  }
};

}  // namespace detail
}  // namespace eigenformer::inline v0::io
