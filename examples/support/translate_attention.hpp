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
#include "translate_files.hpp"
#include "translate_json.hpp"

namespace program {

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
      write(json, sentence);
      writer_.write(json.raw("}").text());
    }
    writer_.flush();
  }

  void finish() {
    writer_.write("\n]\n");
    writer_.flush();
  }

 private:
  using Maps = std::vector<const eigenformer::AttentionMap*>;

  void write(JsonText& json, const eigenformer::TranslatedSentence& sentence) const {
    using Kind = eigenformer::AttentionKind;
    const std::vector<std::string>& pieces = sentence.alternatives[0].pieces;
    std::vector<std::string> fed{start_};
    fed.insert(fed.end(), pieces.begin(), pieces.end() - 1);
    json.key("encoder_tokens").strings(sentence.source_pieces).key("decoder_tokens").strings(fed);
    for (const Kind kind : {Kind::encoder, Kind::decoder, Kind::cross}) {
      json.key(std::string(eigenformer::name(kind)) + "_attention");
      json.list(layers_of(sentence, kind), [&](const Maps& heads) {
        json.list(heads, [&](const auto* map) { write_weights(json, map->weights); });
      });
    }
  }

  /// [layer][head]
  static std::vector<Maps> layers_of(const eigenformer::TranslatedSentence& sentence,
                                     eigenformer::AttentionKind kind) {
    std::vector<Maps> layers;
    for (const eigenformer::AttentionMap& map : sentence.attention) {
      if (map.place.kind != kind) continue;
      const auto layer = static_cast<std::size_t>(map.place.layer);
      layers.resize(std::max(layers.size(), layer + 1));
      layers[layer].push_back(&map);
    }
    return layers;
  }

  /// [query][key]
  static void write_weights(JsonText& json, const eigenformer::Matrix<double>& weights) {
    std::vector<std::vector<float>> rows;
    for (eigenformer::Index q = 0; q < weights.rows(); ++q) {
      rows.emplace_back();
      for (eigenformer::Index k = 0; k < weights.cols(); ++k) {
        rows.back().push_back(static_cast<float>(weights(q, k)));
      }
    }
    json.list(rows, [&](const auto& row) { json.numbers(std::span(row)); });
  }

  Writer writer_;
  std::string start_;
  bool any_ = false;
};

}  // namespace program
