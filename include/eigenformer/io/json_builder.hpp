// SPDX-License-Identifier: MIT
/// The maker of JSON values. The grammar is nlohmann-json's, through its event interface; this is
/// the only header that includes it, because it takes seconds to compile.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/json_document.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {
namespace detail {

/// Takes the parser's events, whose names and signatures are nlohmann's, and fills a document.
class JsonBuilder {
 public:
  JsonBuilder(JsonDocument& document, const LoadLimits& limits)
      : document_(document), limits_(limits) {}

  bool null() { return add(JsonKind::null), true; }

  bool boolean(bool value) {
    add(JsonKind::boolean).integer = value ? 1 : 0;
    return true;
  }

  bool number_integer(std::int64_t value) {
    add(JsonKind::integer).integer = value;
    return true;
  }

  bool number_unsigned(std::uint64_t value) {
    if (value <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
      return number_integer(static_cast<std::int64_t>(value));
    }
    add(JsonKind::big_integer).range = keep(std::to_string(value));
    return true;
  }

  /// Comes also for integers beyond 64 bits; the literal tells them apart.
  bool number_float(double value, const std::string& literal) {
    if (literal.find_first_not_of("-0123456789") == std::string::npos) {
      add(JsonKind::big_integer).range = keep(literal);
    } else {
      add(JsonKind::real).real = value;
    }
    return true;
  }

  bool string(const std::string& value) {
    JsonNode& node = add(JsonKind::string);
    check_string(value);
    node.range = keep(value);
    return true;
  }

  /// For binary formats only.
  bool binary(const nlohmann::json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(JsonKind::object); }
  bool start_array(std::size_t) { return open(JsonKind::array); }

  bool key(const std::string& value) {
    check_string(value);
    key_ = keep(value);
    return true;
  }

  bool end_array() {
    close();
    return true;
  }

  bool end_object() {
    const JsonRange range = close();
    std::vector<std::uint32_t>& children = document_.children;
    children.resize(children.size() + range.count);
    const auto sorted = children.end() - range.count;
    std::copy(sorted - range.count, sorted, sorted);
    // Sorted, twins are neighbours. A hash table would need a defence against chosen keys.
    const auto key_of = [this](std::uint32_t member) { return document_.key_of(member); };
    std::sort(sorted, children.end(),
              [&](std::uint32_t a, std::uint32_t b) { return key_of(a) < key_of(b); });
    const auto twin = std::adjacent_find(
        sorted, children.end(),
        [&](std::uint32_t a, std::uint32_t b) { return key_of(a) == key_of(b); });
    if (twin != children.end()) fail(*twin, "occurs twice in its object");
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& problem) {
    throw Error(ErrorCode::format, document_.file + ": byte " +
                                       std::to_string(position == 0 ? 0 : position - 1) +
                                       ": not readable as JSON: " + reason(problem.what()));
  }

 private:
  /// An array or object that is still open.
  struct Open {
    std::uint32_t node;
    std::size_t first_pending;
  };

  /// A new value at the place where the text is.
  JsonNode& add(JsonKind kind) {
    const std::size_t index = document_.nodes.size();
    // Indices are 32 bits wide, and an object lists each member twice.
    if (index >= std::min<std::size_t>(limits_.json_values, 0x7FFFFFFF)) {
      throw Error(ErrorCode::format, document_.file + ": more than " +
                                         std::to_string(limits_.json_values) +
                                         " values (LoadLimits::json_values)");
    }
    JsonNode& node = document_.nodes.emplace_back();
    node.kind = kind;
    if (open_.empty()) return node;
    node.parent = open_.back().node;
    const std::size_t siblings = pending_.size() - open_.back().first_pending;
    if (siblings >= limits_.json_members) {
      fail(node.parent, "more than " + std::to_string(limits_.json_members) +
                            " members (LoadLimits::json_members)");
    }
    const bool in_object = document_.nodes[node.parent].kind == JsonKind::object;
    node.place = in_object ? key_ : JsonRange{static_cast<std::uint32_t>(siblings), 0};
    pending_.push_back(static_cast<std::uint32_t>(index));
    return node;
  }

  bool open(JsonKind kind) {
    add(kind).range = {0, 0};
    const auto node = static_cast<std::uint32_t>(document_.nodes.size() - 1);
    if (open_.size() >= limits_.json_depth) {
      fail(node, "nested deeper than " + std::to_string(limits_.json_depth) +
                     " (LoadLimits::json_depth or header_depth)");
    }
    open_.push_back({node, pending_.size()});
    return true;
  }

  /// Moves the children of the innermost open value to their final place.
  JsonRange close() {
    const Open top = open_.back();
    open_.pop_back();
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(top.first_pending);
    const JsonRange range{static_cast<std::uint32_t>(document_.children.size()),
                          static_cast<std::uint32_t>(pending_.end() - first)};
    document_.children.insert(document_.children.end(), first, pending_.end());
    pending_.erase(first, pending_.end());
    document_.nodes[top.node].range = range;
    return range;
  }

  JsonRange keep(std::string_view value) {
    const JsonRange range{static_cast<std::uint32_t>(document_.text.size()),
                          static_cast<std::uint32_t>(value.size())};
    document_.text += value;
    return range;
  }

  void check_string(std::string_view value) const {
    if (value.size() > limits_.json_string_bytes) {
      throw Error(ErrorCode::format, document_.file + ": a string of " +
                                         std::to_string(value.size()) + " bytes, " +
                                         excerpt(value, 32) + ", the limit is " +
                                         std::to_string(limits_.json_string_bytes) +
                                         " (LoadLimits::json_string_bytes)");
    }
  }

  [[noreturn]] void fail(std::uint32_t node, const std::string& text) const {
    throw Error(ErrorCode::format, document_.where(node) + ": " + text);
  }

  /// The library's words without its exception's name, on one line, and not megabytes of them.
  static std::string reason(std::string_view words) {
    words = words.substr(std::min(words.size(), words.find("] ") + 2));
    std::string out(words.substr(0, 240));
    for (char& character : out) {
      if (character < ' ' || character > '~') character = '?';
    }
    return words.size() > out.size() ? out + "..." : out;
  }

  JsonDocument& document_;
  const LoadLimits& limits_;
  std::vector<Open> open_;
  std::vector<std::uint32_t> pending_;  ///< children of the open values, outermost first
  JsonRange key_ = {0, 0};              ///< of the member whose value comes next
};

inline void check_json_size(std::uint64_t bytes, const std::string& file,
                            const LoadLimits& limits) {
  // Offsets into the text are 32 bits wide.
  const std::uint64_t most = std::min<std::uint64_t>(limits.json_bytes, 0xFFFFFFFF);
  if (bytes <= most) return;
  throw Error(ErrorCode::format, file + ": a JSON text of " + std::to_string(bytes) +
                                     " bytes, the limit is " + std::to_string(most) +
                                     " (LoadLimits::json_bytes)");
}

}  // namespace detail

}  // namespace eigenformer::inline v0::io
