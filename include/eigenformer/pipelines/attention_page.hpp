// SPDX-License-Identifier: MIT
/// A translation's attention as a page for a browser.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/floating_point.hpp"
#include "eigenformer/pipelines/attention_choice.hpp"
#include "eigenformer/pipelines/attention_page_parts.hpp"
#include "eigenformer/pipelines/markup.hpp"

namespace eigenformer::inline v0 {
namespace detail {

/// RFC 4648.
inline void append_base64(std::string& out, std::span<const unsigned char> bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    unsigned group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < count ? bytes[at + i] : 0u);
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= count ? digits[group >> (18 - 6 * i) & 63] : '=';
    }
  }
}

template <class Items, class Write>
void append_list(std::string& out, const Items& items, Write write) {
  out += '[';
  for (const auto& item : items) {
    if (out.back() != '[') out += ',';
    write(item);
  }
  out += ']';
}

/// {"pieces": [text], "words": [[text, first piece, pieces, 1 if special]]}
inline void append_tokens(std::string& out, const AttentionTokens& tokens) {
  out += "{\"pieces\":";
  append_list(out, tokens.pieces,
              [&](const std::string& piece) { out += pipelines::script_text(piece); });
  out += ",\"words\":";
  append_list(out, tokens.words, [&](const Word& word) {
    out += "[" + pipelines::script_text(word.text) + "," + std::to_string(word.first) + "," +
           std::to_string(word.count) + "," + (word.special ? "1]" : "0]");
  });
  out += '}';
}

/// A byte a weight, 255 for 1, in base64.
inline void append_weights(std::string& out, const Matrix<double>& weights) {
  std::vector<unsigned char> bytes;
  for (Index q = 0; q < weights.rows(); ++q) {
    for (Index k = 0; k < weights.cols(); ++k) {
      const double weight = weights(q, k) > 0.0 ? std::min(weights(q, k), 1.0) : 0.0;  // NaN: 0
      bytes.push_back(static_cast<unsigned char>(std::lround(255.0 * weight)));
    }
  }
  out += '"';
  append_base64(out, bytes);
  out += '"';
}

/// [layer][head], null where a head was not kept.
inline void append_layers(std::string& out, const TranslatedSentence& sentence,
                          AttentionKind kind) {
  std::vector<std::vector<const AttentionMap*>> layers;
  for (const AttentionMap& map : sentence.attention) {
    if (map.place.kind != kind) continue;
    const auto layer = static_cast<std::size_t>(map.place.layer);
    const auto head = static_cast<std::size_t>(map.head);
    layers.resize(std::max(layers.size(), layer + 1));
    layers[layer].resize(std::max(layers[layer].size(), head + 1), nullptr);
    layers[layer][head] = &map;
  }
  append_list(out, layers, [&](const auto& heads) {
    append_list(out, heads, [&](const AttentionMap* map) {
      if (map == nullptr) {
        out += "null";
      } else {
        append_weights(out, map->weights);
      }
    });
  });
}

inline void append_sentence(std::string& out, const TranslatedSentence& sentence) {
  out += "{\"source\":" + pipelines::script_text(sentence.source);
  out += ",\"target\":" + pipelines::script_text(sentence.alternatives[0].text);
  for (const AttentionKind kind :
       {AttentionKind::encoder, AttentionKind::decoder, AttentionKind::cross}) {
    out += ",\n\"" + std::string(name(kind)) + "\":{\"queries\":";
    append_tokens(out, attention_queries(sentence, kind));
    out += ",\"keys\":";
    append_tokens(out, attention_keys(sentence, kind));
    out += ",\"layers\":";
    append_layers(out, sentence, kind);
    out += '}';
  }
  out += '}';
}

}  // namespace detail

/// One HTML file that needs nothing else, no network: for each sentence that was translated, what
/// of its attention TranslationOptions::attention kept; `first` is shown first. About 1.4 bytes a
/// weight. Throws Error(invalid_argument) where nothing, or not `first`, was kept.
inline std::string attention_page(std::span<const TranslatedSentence> sentences,
                                  const AttentionChoice& first = {}) {
  const FloatingPointGuard guard;
  std::vector<const TranslatedSentence*> shown;
  for (const TranslatedSentence& sentence : sentences) {
    const auto& alternatives = sentence.alternatives;
    if (!alternatives.empty() && !alternatives[0].pieces.empty()) shown.push_back(&sentence);
  }
  if (shown.empty()) {
    throw Error(ErrorCode::invalid_argument, "attention_page: nothing was translated");
  }
  for (const TranslatedSentence* sentence : shown) chosen_attention(*sentence, first);

  std::string out(pages::head);
  out += "<title>Attention: " + pipelines::markup_text(shown[0]->source) + "</title>\n<style>\n";
  out += pages::style;
  out += "</style>\n</head>\n";
  out += pages::body;
  out += "<script type=\"application/json\" id=\"data\">\n{\"first\":{\"kind\":\"";
  out += name(first.kind);
  out += "\",\"layer\":" + std::to_string(first.layer.value_or(last_layer(*shown[0], first.kind))) +
         ",\"head\":" + std::to_string(first.head.value_or(-1)) + "},\n\"sentences\":";
  detail::append_list(out, shown, [&](const TranslatedSentence* sentence) {
    detail::append_sentence(out, *sentence);
  });
  out += "}\n</script>\n<script>\n";
  out += pages::script;
  return out += "</script>\n</body>\n</html>\n";
}

}  // namespace eigenformer::inline v0
