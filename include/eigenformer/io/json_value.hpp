// SPDX-License-Identifier: MIT
/// JSON values as the readers of configs and headers see them: immutable, typed on access, and
/// every refusal says which file, which place in it (a JSON pointer, RFC 6901), what was expected
/// and what was there. Parsing is in json.hpp, which is slow to compile; this header is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/json_document.hpp"
#include "eigenformer/io/text.hpp"

namespace eigenformer::inline v0::io {

class JsonChildren;

/// One value of a document: a cursor, cheap to copy, that keeps the whole document alive. Texts
/// that it hands out live as long as any cursor of the document.
class Json {
 public:
  /// The value at an index of a finished document, by default the outermost one.
  explicit Json(std::shared_ptr<const detail::JsonDocument> document, std::uint32_t node = 0)
      : document_(std::move(document)), node_(node) {}

  JsonKind kind() const noexcept { return node().kind; }

  /// The member of an object. Throws Error(format): absent, or this is not an object.
  Json at(std::string_view key) const {
    if (std::optional<Json> member = find_member(key)) return *std::move(member);
    throw Error(ErrorCode::format,
                where() + (node_ == 0 ? ": /" : "/") + detail::pointer_token(key) + ": is missing");
  }

  /// The member of an object, or nothing where it is absent or null: published configs write null
  /// for "not set". Throws Error(format) where this is not an object.
  std::optional<Json> find(std::string_view key) const {
    std::optional<Json> member = find_member(key);
    if (member && member->kind() == JsonKind::null) member.reset();
    return member;
  }

  /// The elements of an array, in order. Throws Error(format) for anything else.
  JsonChildren elements() const;

  /// The members of an object, in the order of the file. Throws Error(format) for anything else.
  JsonChildren members() const;

  /// The name of a member of an object; empty for any other value.
  std::string_view key() const noexcept {
    return is_member() ? document_->text_of(node().place) : std::string_view();
  }

  /// A string's bytes, valid UTF-8; may hold NUL. Throws Error(format).
  std::string_view string() const {
    if (kind() != JsonKind::string) throw expected("a string");
    return document_->text_of(node().range);
  }

  /// Throws Error(format).
  bool boolean() const {
    if (kind() != JsonKind::boolean) throw expected("true or false");
    return node().integer != 0;
  }

  /// A number written without fraction and exponent, within the bounds, both included. Throws
  /// Error(format), also for integers that 64 bits don't hold.
  std::int64_t integer(std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t most = std::numeric_limits<std::int64_t>::max()) const {
    if (kind() != JsonKind::integer || node().integer < least || node().integer > most) {
      throw expected("an integer in [" + std::to_string(least) + ", " + std::to_string(most) + "]");
    }
    return node().integer;
  }

  /// Any number, rounded to double, within the bounds, both included. Never NaN or infinite. Throws
  /// Error(format).
  double number(double least = std::numeric_limits<double>::lowest(),
                double most = std::numeric_limits<double>::max()) const {
    const std::optional<double> value = document_->number_of(node());
    if (!value || *value < least || *value > most) {
      const std::string bounds = detail::number_text(least) + ", " + detail::number_text(most);
      throw expected("a number in [" + bounds + "]");
    }
    return *value;
  }

  /// The file, and this value's place in it: "config.json: /rope_scaling/factor".
  std::string where() const { return document_->where(node_); }

  /// What an error says that this value is: "x", 12, "an array of 3".
  std::string description() const { return document_->description(node()); }

  /// An Error(format) for the caller to throw: where, what was expected, what is here.
  Error expected(const std::string& what) const {
    return error(ErrorCode::format, "expected " + what + ", got " + description());
  }

  /// An error at this value's place, for the caller to throw.
  Error error(ErrorCode code, const std::string& text) const {
    return Error(code, where() + ": " + text);
  }

 private:
  friend class JsonChildren;

  const detail::JsonNode& node() const noexcept { return document_->nodes[node_]; }

  bool is_member() const noexcept {
    return node_ != 0 && document_->nodes[node().parent].kind == JsonKind::object;
  }

  std::optional<Json> find_member(std::string_view key) const {
    if (kind() != JsonKind::object) throw expected("an object");
    const std::uint32_t member = document_->find(node(), key);
    if (member == detail::JsonDocument::none) return std::nullopt;
    return Json(document_, member);
  }

  std::shared_ptr<const detail::JsonDocument> document_;
  std::uint32_t node_;
};

/// The values inside an array or an object, for a range-for.
class JsonChildren {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Json;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Json;

    Iterator(const JsonChildren* children, std::size_t index)
        : children_(children), index_(index) {}

    Json operator*() const { return (*children_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++index_;
      return before;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const JsonChildren* children_;
    std::size_t index_;
  };

  explicit JsonChildren(Json parent) : parent_(std::move(parent)) {}

  std::size_t size() const noexcept { return parent_.node().range.count; }
  bool empty() const noexcept { return size() == 0; }

  /// The value at an index below size().
  Json operator[](std::size_t index) const {
    EIGENFORMER_ASSERT(index < size());
    return Json(parent_.document_, parent_.document_->children[parent_.node().range.first + index]);
  }

  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  Json parent_;
};

inline JsonChildren Json::elements() const {
  if (kind() != JsonKind::array) throw expected("an array");
  return JsonChildren(*this);
}

inline JsonChildren Json::members() const {
  if (kind() != JsonKind::object) throw expected("an object");
  return JsonChildren(*this);
}

}  // namespace eigenformer::inline v0::io
