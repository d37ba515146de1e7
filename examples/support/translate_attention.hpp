// SPDX-License-Identifier: MIT
/// Attention in the form that BertViz's encoder-decoder views take.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigenformer/pipelines/translation.hpp"
#include "files.hpp"
#include "json_text.hpp"

namespace program {

namespace detail {

using AttentionMaps = std::vector<const eigenformer::AttentionMap*>;

/// [layer][head]
inline std::vector<AttentionMaps> layers_of(const eigenformer::TranslatedSentence& sentence,
                                            eigenformer::AttentionKind kind) {
  std::vector<AttentionMaps> layers;
  for (const eigenformer::AttentionMap& map : sentence.attention) {
    if (map.place.kind != kind) continue;
    const auto layer = static_cast<std::size_t>(map.place.layer);
    layers.resize(std::max(layers.size(), layer + 1));
    layers[layer].push_back(&map);
  }
  return layers;
}

/// [query][key]
inline void write_weights(JsonText& json, const eigenformer::Matrix<double>& weights) {
  std::vector<std::vector<float>> rows;
  for (eigenformer::Index q = 0; q < weights.rows(); ++q) {
    rows.emplace_back();
    for (eigenformer::Index k = 0; k < weights.cols(); ++k) {
      rows.back().push_back(static_cast<float>(weights(q, k)));
    }
  }
  json.list(rows, [&](const auto& row) { json.numbers(std::span(row)); });
}

}  // namespace detail

/// Members of an object: a sentence's tokens, and the weights of all its heads. `start`: the piece
/// that the decoder begins with.
inline void write_attention(JsonText& json, const eigenformer::TranslatedSentence& sentence,
                            const std::string& start) {
  using Kind = eigenformer::AttentionKind;
  const std::vector<std::string>& pieces = sentence.alternatives[0].pieces;
  std::vector<std::string> fed{start};
  fed.insert(fed.end(), pieces.begin(), pieces.end());
  fed.pop_back();  // it is chosen, and not fed
  json.key("encoder_tokens").strings(sentence.source_pieces).key("decoder_tokens").strings(fed);
  for (const Kind kind : {Kind::encoder, Kind::decoder, Kind::cross}) {
    json.key(std::string(eigenformer::name(kind)) + "_attention");
    json.list(detail::layers_of(sentence, kind), [&](const detail::AttentionMaps& heads) {
      json.list(heads, [&](const auto* map) { detail::write_weights(json, map->weights); });
    });
  }
}

/// A file with a JSON array, an object for each sentence, written as they come.
class AttentionFile {
 public:
  /// `start`: the piece that the decoder begins with. Throws Failure; so do the others.
  AttentionFile(const std::string& path, std::string start)
      : writer_(File::output(path)), start_(std::move(start)) {
    writer_.write("[");
  }

  void add(std::uint64_t line, const eigenformer::Translation& translation) {
    for (std::size_t s = 0; s < translation.sentences.size(); ++s) {
      const eigenformer::TranslatedSentence& sentence = translation.sentences[s];
      if (sentence.attention.empty()) continue;
      JsonText json;
      json.raw(std::exchange(any_, true) ? ",\n{" : "\n{");
      json.key("line").number(line).key("sentence").number(s);
      write_attention(json, sentence, start_);
      writer_.write(json.raw("}").text());
    }
    writer_.flush();
  }

  void finish() {
    writer_.write("\n]\n");
    writer_.flush();
  }

 private:
  Writer writer_;
  std::string start_;
  bool any_ = false;
};

}  // namespace program
