// SPDX-License-Identifier: MIT
/// A cursor over a text that cuts it into sentences.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/pipelines/text_class.hpp"

namespace eigenformer::inline v0::pipelines {

/// A sentence and the white space that followed it, both parts of the text that was split.
struct Sentence {
  /// No line break in it, and no white space around it. Empty only where white space begins the
  /// text: that is then the separator of a first sentence without text.
  std::string_view text;
  /// White space. Empty at the text's end and where sentences touch, as after 。: whoever joins
  /// translations into a language with spaces puts one there.
  std::string_view separator;
};

namespace detail {

/// Goes over a text once, by characters, and remembers where to cut.
class SentenceCutter {
 public:
  explicit SentenceCutter(std::string_view text) : text_(text) { cut_before_white_space(); }

  bool at_end() const { return position_ == text_.size(); }
  std::string_view text() const { return text_; }
  std::size_t position() const { return position_; }

  /// Whether the sentence has no character yet.
  bool at_beginning() const { return position_ == begin_; }

  /// The character at a position; at the end, a line break of no bytes.
  Character at(std::size_t position) const {
    if (position >= text_.size()) return {U'\n', TextClass::separator, 0};
    return character_at(text_, position);
  }
  Character next() const { return at(position_); }

  /// Make next() part of the sentence.
  void advance(const Character& character) {
    position_ += character.length;
    if (character.kind != TextClass::space) end_ = position_;
  }

  /// The first position from `position` on that is not one of a space.
  std::size_t skip_spaces(std::size_t position) const {
    for (Character c = at(position); c.kind == TextClass::space; c = at(position)) {
      position += c.length;
    }
    return position;
  }

  /// End the sentence at its last character that is not a space; the next one begins after all
  /// white space from next() on.
  void cut_before_white_space() {
    for (Character c = next(); c.length > 0; c = next()) {
      if (c.kind != TextClass::space && c.kind != TextClass::separator) break;
      position_ += c.length;
    }
    if (position_ == begin_) return;
    sentences_.push_back(
        {text_.substr(begin_, end_ - begin_), text_.substr(end_, position_ - end_)});
    begin_ = end_ = position_;
  }

  /// The sentences; what is left is the last one.
  std::vector<Sentence> finish() {
    cut_before_white_space();
    return std::move(sentences_);
  }

 private:
  std::string_view text_;
  std::size_t begin_ = 0;  // of the sentence
  std::size_t end_ = 0;    // of the sentence without the spaces before position_
  std::size_t position_ = 0;
  std::vector<Sentence> sentences_;
};

}  // namespace detail
}  // namespace eigenformer::inline v0::pipelines
