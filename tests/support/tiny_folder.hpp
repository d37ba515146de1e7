// SPDX-License-Identifier: MIT
/// A Marian folder of a few kilobytes, with random weights: what it says makes no sense, but every
/// file is there.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "eigenformer/architectures/marian.hpp"
#include "eigenformer/architectures/module_file.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/tokenizers/sentence_piece.hpp"

namespace eigenformer::test {

/// In the directory for temporary files, while it lives.
class TinyFolder {
 public:
  TinyFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("eigenformer_tiny" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
    const Index vocab = write_tokenizer();
    std::ofstream(path_ / "config.json") << config(vocab);
    const TransformerConfig read = read_marian_config(io::read_json(path() + "/config.json"));
    Marian<float> model(read);
    model.initialize(1);
    save(model, path() + "/model.safetensors",
         marian_names(read, {"", {}, std::shared_ptr<const void>()}));
  }
  TinyFolder(const TinyFolder&) = delete;
  TinyFolder& operator=(const TinyFolder&) = delete;
  ~TinyFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path() const { return path_.string(); }

 private:
  /// Returns the size of the vocabulary.
  Index write_tokenizer() const {
    const std::string spm = EIGENFORMER_TEST_DATA "/tokenizers/tiny/unigram.spm";
    for (const char* const name : {"source.spm", "target.spm"}) {
      std::filesystem::copy_file(spm, path_ / name,
                                 std::filesystem::copy_options::overwrite_existing);
    }
    const auto pieces = SentencePiece::load(spm);
    std::ofstream vocabulary(path_ / "vocab.json");
    vocabulary << R"({"</s>": 0, "<unk>": 1, "<pad>": 2)";
    Index next = 3;
    for (TokenId id = 0; id < pieces.size(); ++id) {
      if (pieces.kind(id) != PieceKind::normal) continue;
      vocabulary << ", " << io::json_quoted(pieces.piece(id)) << ": " << next++;
    }
    vocabulary << "}";
    return next;
  }

  static std::string config(Index vocab) {
    return R"({"model_type": "marian", "d_model": 8, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16,
        "decoder_ffn_dim": 16, "activation_function": "swish", "max_position_embeddings": 32,
        "decoder_start_token_id": 2, "eos_token_id": 0, "pad_token_id": 2, "max_length": 12,
        "bad_words_ids": [[2]], "vocab_size": )" +
           std::to_string(vocab) + "}";
  }

  std::filesystem::path path_;
};

}  // namespace eigenformer::test
