// SPDX-License-Identifier: MIT
/// One head as a picture.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/io/text.hpp"
#include "eigenformer/pipelines/attention_choice.hpp"
#include "eigenformer/pipelines/markup.hpp"

namespace eigenformer::inline v0 {
namespace detail {

/// About the pixels that a label takes, 14 high: characters of several bytes may be wide ones.
inline int label_width(std::string_view text) {
  int width = 0;
  for (const char byte : text) {
    if (!io::continues_character(byte)) width += static_cast<unsigned char>(byte) < 0xE0 ? 9 : 16;
  }
  return width;
}

inline int widest_label(const std::vector<Word>& words) {
  int widest = 0;
  for (const Word& word : words) widest = std::max(widest, label_width(word.text));
  return widest;
}

/// Draws [queries, keys], a square a weight, queries downwards.
class AttentionDrawing {
 public:
  AttentionDrawing(const std::vector<Word>& queries, const std::vector<Word>& keys)
      : queries_(queries), keys_(keys), left_(widest_label(queries) + 20) {
    top_ = widest_label(keys) + 50;
  }

  std::string draw(const std::string& title, const Matrix<double>& weights) {
    const int width = std::max(left_ + square * size(keys_) + 20, label_width(title) + 40);
    const int height = top_ + square * size(queries_) + 20;
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(width) +
           "\" height=\"" + std::to_string(height) + "\" viewBox=\"0 0 " + std::to_string(width) +
           " " + std::to_string(height) + "\" role=\"img\">\n<title>" +
           pipelines::markup_text(title) + "</title>\n<style>\n";
    out_ += style;
    out_ += "</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n";
    text("title", 20, 26, title);
    for (int k = 0; k < size(keys_); ++k) {
      const int x = left_ + square * k + square / 2 + 5, y = top_ - 8;
      out_ += "<g transform=\"translate(" + std::to_string(x) + " " + std::to_string(y) +
              ") rotate(-90)\">";
      text("key", 0, 0, keys_[static_cast<std::size_t>(k)].text);
      out_ += "</g>\n";
    }
    for (int q = 0; q < size(queries_); ++q) draw_row(q, weights);
    return out_ + "</svg>\n";
  }

 private:
  static constexpr int square = 34;
  static constexpr std::string_view style =
      ".page { fill: #fff } text { font: 14px system-ui, sans-serif; fill: #1b1b1b }\n"
      ".title { font-weight: 600 } .query { text-anchor: end } .share { text-anchor: middle; "
      "font-size: 12px }\n"
      ".ink { fill: #0052a5 } .line { fill: none; stroke: #8a8a8a; stroke-opacity: 0.4 } "
      ".strong { fill: #fff }\n"
      "@media (prefers-color-scheme: dark) { .page { fill: #16181d } text { fill: #ececec }\n"
      ".ink { fill: #ffb428 } .half, .strong { fill: #000 } }\n";

  static int size(const std::vector<Word>& words) { return static_cast<int>(words.size()); }

  void text(const char* kind, int x, int y, std::string_view text) {
    out_ += std::string("<text class=\"") + kind + "\" x=\"" + std::to_string(x) + "\" y=\"" +
            std::to_string(y) + "\">" + pipelines::markup_text(text) + "</text>\n";
  }

  void draw_row(int q, const Matrix<double>& weights) {
    const int y = top_ + square * q;
    text("query", left_ - 8, y + square / 2 + 5, queries_[static_cast<std::size_t>(q)].text);
    for (int k = 0; k < size(keys_); ++k) {
      const int x = left_ + square * k;
      const int share =
          weights(q, k) > 0.0 ? static_cast<int>(std::lround(100 * weights(q, k))) : 0;
      const std::string place = " x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) +
                                "\" width=\"34\" height=\"34\"";
      out_ += "<rect class=\"ink\" fill-opacity=\"" + std::to_string(share) + "%\"" + place +
              "/><rect class=\"line\"" + place + "/>";
      // Black or white, whichever is easier to read, on paper (above 75) and in the dark (above
      // 50).
      text(share > 75   ? "share strong"
           : share > 50 ? "share half"
                        : "share",
           x + square / 2, y + square / 2 + 5, std::to_string(share));
    }
  }

  const std::vector<Word>& queries_;
  const std::vector<Word>& keys_;
  int left_, top_ = 0;
  std::string out_;
};

}  // namespace detail

/// A picture (SVG) of one head, or the mean of a layer's, word by word and in per cent: who looks
/// downwards, who is looked at across. Throws Error(invalid_argument) where it was not kept.
inline std::string attention_svg(const TranslatedSentence& sentence,
                                 const AttentionChoice& choice = {}) {
  const FloatingPointGuard guard;
  const Matrix<double> pieces = chosen_attention(sentence, choice);
  const std::vector<Word> queries = attention_queries(sentence, choice.kind).words;
  const std::vector<Word> keys = attention_keys(sentence, choice.kind).words;
  const Index layer = choice.layer.value_or(last_layer(sentence, choice.kind));
  const std::string head = choice.head ? "head " + std::to_string(*choice.head) : "mean of heads";
  const std::string title = std::string(name(choice.kind)) + " attention, layer " +
                            std::to_string(layer) + ", " + head + ", in per cent";
  return detail::AttentionDrawing(queries, keys)
      .draw(title, weights_of_words(pieces, queries, keys));
}

}  // namespace eigenformer::inline v0
