// SPDX-License-Identifier: MIT
#include "eigenformer/architectures/open_model.hpp"

#include <list>

#include "eigenformer/architectures/bind.hpp"
#include "eigenformer/architectures/storage.hpp"
#include "eigenformer/architectures/vaswani.hpp"
#include "eigenformer/io/checkpoint.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/io/safetensors_writer.hpp"
#include "eigenformer/io/tensor_values.hpp"
#include "io/support.hpp"
#include "support/peak_memory.hpp"

namespace eigenformer::test {
namespace {

using io_test::content_of;
using io_test::expect_error;

const std::filesystem::path marian = io_test::data_folder / "goldens/marian";

/// A copy of the marian folder whose configs a test changes.
class OpenModel : public io_test::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    for (const char* const name : {"config.json", "generation_config.json", "model.safetensors"}) {
      write(name, content_of(marian / name));
    }
  }
  /// The value of a key that has a line of its own, or a new line.
  void set(const std::string& file, const std::string& key, const std::string& value) {
    std::string text = content_of(marian / file);
    const std::string quoted = "\"" + key + "\":";
    const std::size_t at = text.find(quoted);
    if (at == std::string::npos) {
      text.insert(text.find('{') + 1, quoted + value + ",");
    } else {
      const std::size_t begin = at + quoted.size();
      std::size_t end = text.find('\n', begin);
      if (text[begin + 1] == '[') end = text.find('\n', text.rfind(']'));
      const bool comma = text[end - 1] == ',';
      text.replace(begin, end - begin, " " + value + (comma ? "," : ""));
    }
    write(file, text);
  }
  /// Opens it; what is refused has taken no more than twice its size and 1 MiB.
  OpenedModel open(const io::LoadLimits& limits = {}) {
    ModelOptions options;
    options.load.limits = limits;
    const std::size_t before = live_memory();
    restart_peak_memory();
    try {
      return open_model(path(""), options);
    } catch (const Error& error) {
      std::size_t size = 0;
      for (const auto& file : std::filesystem::directory_iterator(path(""))) {
        if (file.is_regular_file()) size += file.file_size();
      }
      EXPECT_LE(most_live_memory() - before, 2 * size + mebibyte) << error.what();
      throw;
    }
  }
};

TEST_F(OpenModel, OpensWhatTheHubHas) {
  const OpenedModel opened = open();
  EXPECT_EQ(opened.model_type, "marian");
  EXPECT_EQ(opened.model->target_vocab(), 128);
  EXPECT_EQ(opened.model->longest(), 64);
  EXPECT_EQ(opened.defaults.start_token, 127);
  EXPECT_EQ(opened.defaults.stop_tokens, std::vector<TokenId>{0});
  EXPECT_EQ(opened.defaults.bad_words, std::vector<std::vector<TokenId>>{{127}});
}

TEST_F(OpenModel, EveryIntegerOfTheConfigRefusesWhatIsNoneOrOutOfRange) {
  for (const std::string key :
       {"d_model", "encoder_attention_heads", "decoder_attention_heads", "encoder_ffn_dim",
        "decoder_ffn_dim", "encoder_layers", "decoder_layers", "vocab_size", "decoder_vocab_size",
        "max_position_embeddings"}) {
    for (const char* const value :
         {"0", "-1", "1.5", "32.0", "1e308", "9223372036854775807", "9223372036854775808",
          "-9223372036854775809", "\"32\"", "\"\"", "true", "[]", "[32]", "{}"}) {
      set("config.json", key, value);
      expect_error(ErrorCode::format, "config.json: /" + key + ": expected", [&] { open(); });
    }
  }
}

TEST_F(OpenModel, EveryIdOfTheConfigsIsBelowTheVocabulary) {
  for (const std::string file : {"config.json", "generation_config.json"}) {
    for (const std::string key : {"decoder_start_token_id", "eos_token_id", "pad_token_id",
                                  "forced_eos_token_id", "forced_bos_token_id"}) {
      for (const char* const value :
           {"-1", "128", "1.5", "1e308", "9223372036854775808", "\"0\"", "true", "{}"}) {
        set(file, key, value);
        expect_error(ErrorCode::format, file + ": /" + key + ": expected", [&] { open(); });
      }
    }
    write(file, content_of(marian / file));
  }
}

TEST_F(OpenModel, LargeSizesCostAnErrorAndNoMemory) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"d_model", "131072"},
                                                        {"encoder_ffn_dim", "1048576"},
                                                        {"decoder_layers", "1024"},
                                                        {"encoder_layers", "1024"}}) {
    set("config.json", key, value);
    expect_error(ErrorCode::missing_tensor, "the config asks for at least", [&] { open(); });
  }
  set("config.json", "max_position_embeddings", "16777216");
  expect_error(ErrorCode::format, "the config asks for 16777216 positions", [&] { open(); });
}

TEST_F(OpenModel, HeadsDivideAndSharedVocabulariesAreOne) {
  set("config.json", "encoder_attention_heads", "5");
  expect_error(ErrorCode::format,
               "config.json: /encoder_attention_heads: expected a divisor of d_model, 32, got 5",
               [&] { open(); });
  set("config.json", "decoder_vocab_size", "96");
  expect_error(ErrorCode::format, "config.json: /decoder_vocab_size: expected vocab_size",
               [&] { open(); });
}

TEST_F(OpenModel, OtherWiringsAreNotSupported) {
  for (const std::string key :
       {"normalize_before", "normalize_embedding", "add_final_layer_norm", "add_bias_logits"}) {
    set("config.json", key, "true");
    expect_error(ErrorCode::unsupported, "config.json: /" + key + ": expected false",
                 [&] { open(); });
    set("config.json", key, "false");
    EXPECT_NO_THROW(open());
    set("config.json", key, "\"no\"");
    expect_error(ErrorCode::format, "config.json: /" + key, [&] { open(); });
  }
  set("config.json", "static_position_embeddings", "false");
  expect_error(ErrorCode::unsupported, "/static_position_embeddings: expected true",
               [&] { open(); });
  set("config.json", "activation_function", "\"mish\"");
  expect_error(ErrorCode::unsupported,
               R"(config.json: /activation_function: expected "swish", "silu", "relu" or "gelu")",
               [&] { open(); });
  set("config.json", "model_type", "\"bert\"");
  expect_error(ErrorCode::unsupported,
               R"(/model_type: expected one of "marian", "vaswani", got "bert")", [&] { open(); });
}

TEST_F(OpenModel, GenerationSettingsAreChecked) {
  const std::string file = "generation_config.json";
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"num_beams", "0"},
                                                        {"num_beams", "\"4\""},
                                                        {"max_length", "-3"},
                                                        {"length_penalty", "\"1\""},
                                                        {"length_penalty", "1e39"},
                                                        {"early_stopping", "\"often\""},
                                                        {"early_stopping", "1"},
                                                        {"repetition_penalty", "0"},
                                                        {"repetition_penalty", "-1.5"},
                                                        {"no_repeat_ngram_size", "-1"},
                                                        {"bad_words_ids", "[[]]"},
                                                        {"bad_words_ids", "[3]"},
                                                        {"bad_words_ids", "[[128]]"},
                                                        {"suppress_tokens", "[\"a\"]"},
                                                        {"do_sample", "\"yes\""},
                                                        {"top_k", "-1"},
                                                        {"top_p", "1.5"},
                                                        {"min_p", "-0.1"},
                                                        {"typical_p", "0"},
                                                        {"epsilon_cutoff", "2"},
                                                        {"eta_cutoff", "-1"},
                                                        {"temperature", "-1"}}) {
    set(file, key, value);
    expect_error(ErrorCode::format, file + ": /" + key, [&] { open(); });
  }
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"num_beam_groups", "2"},
                                                        {"penalty_alpha", "0.6"},
                                                        {"guidance_scale", "1.5"},
                                                        {"renormalize_logits", "true"},
                                                        {"sequence_bias", "[[[3], 1.0]]"}}) {
    set(file, key, value);
    expect_error(ErrorCode::unsupported, file + ": /" + key + ": decoding has no " + key,
                 [&] { open(); });
  }
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"num_beam_groups", "1"},
                                                        {"penalty_alpha", "null"},
                                                        {"renormalize_logits", "false"},
                                                        {"an_unknown_key", "[1, {}]"},
                                                        {"temperature", "0"}}) {
    set(file, key, value);
    EXPECT_NO_THROW(open()) << key;
  }
}

TEST_F(OpenModel, TheFoldersFilesAreUsedAsTheReferenceUsesThem) {
  set("config.json", "num_beams", "4");
  EXPECT_FALSE(open().defaults.beam_size);  // generation_config.json alone counts
  std::filesystem::remove(path("generation_config.json"));
  EXPECT_EQ(open().defaults.beam_size, 4);
  EXPECT_EQ(open().defaults.start_token, 127);
}

TEST_F(OpenModel, WhatIsMissingIsNamed) {
  std::filesystem::remove(path("model.safetensors"));
  expect_error(ErrorCode::io, "looked for model.safetensors", [&] { open(); });
  std::filesystem::remove(path("config.json"));
  expect_error(ErrorCode::io, "config.json: cannot open", [&] { open(); });
  expect_error(ErrorCode::io, "absent", [&] { open_model(path("absent")); });
}

TEST_F(OpenModel, ALinkToNothingIsNotAnAbsentFile) {
  std::filesystem::remove(path("generation_config.json"));
  std::filesystem::create_symlink(path("nowhere"), path("generation_config.json"));
  expect_error(ErrorCode::io, "generation_config.json: cannot open", [&] { open(); });
}

TEST_F(OpenModel, OneErrorListsAllTensorsThatDoNotFit) {
  set("config.json", "encoder_ffn_dim", "60");
  expect_error(
      ErrorCode::shape_mismatch,
      R"("model.encoder.layers.1.fc2.weight" for encoder.layers.1.feed_forward.down.weight: )"
      "expected [32, 60], got [32, 64]",
      [&] { open(); });
  set("config.json", "encoder_layers", "1");
  expect_error(ErrorCode::missing_tensor, R"(nothing asks for "model.encoder.layers.1.fc1.bias")",
               [&] { open(); });
}

TEST_F(OpenModel, TheMemoryBudgetHolds) {
  io::LoadLimits limits;
  limits.memory_bytes = 1000;
  expect_error(ErrorCode::out_of_memory, "LoadLimits::memory_bytes", [&] { open(limits); });
}

TEST_F(OpenModel, EveryTruncationOfTheConfigIsAnError) {
  const std::string whole = content_of(marian / "config.json");
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    write("config.json", whole.substr(0, size));
    expect_error(ErrorCode::format, "config.json", [&] { open(); });
  }
}

/// The tensors of a golden folder, with bytes to change.
struct Weights {
  explicit Weights(const std::string& folder)
      : tensors(io::open_checkpoint((io_test::data_folder / "goldens" / folder).string())),
        list(tensors.begin(), tensors.end()) {}

  io::NamedTensor& at(std::string_view name) {
    return *std::find_if(list.begin(), list.end(),
                         [&](const io::NamedTensor& entry) { return entry.name == name; });
  }
  /// Gives the tensor these numbers, as F32.
  void set(std::string_view name, std::vector<float> values) {
    kept.push_back(std::move(values));
    at(name).tensor.type = io::DataType::f32;
    at(name).tensor.bytes = std::as_bytes(std::span(kept.back()));
  }

  io::Tensors tensors;
  std::vector<io::NamedTensor> list;
  std::list<std::vector<float>> kept;
};

TEST_F(OpenModel, TiedTensorsThatDifferAreRefused) {
  Weights weights("marian-duplicates");
  for (const char* const name : {"config.json", "generation_config.json"}) {
    write(name, content_of(io_test::data_folder / "goldens/marian-duplicates" / name));
  }
  for (const char* const name : {"lm_head.weight", "model.decoder.embed_tokens.weight"}) {
    Weights changed("marian-duplicates");
    std::vector<float> values = io::values<float>(weights.tensors, name);
    values.back() += 1.0f;
    changed.set(name, std::move(values));
    io::write_safetensors(path("model.safetensors"), changed.list);
    expect_error(ErrorCode::unsupported, name, [&] { open(); });
  }
}

TEST_F(OpenModel, NoNumberBecomesInfiniteByStorage) {
  Weights weights("marian-float16");
  EXPECT_EQ(storage_of(weights.tensors), Storage::f16);
  const char* const name = "model.encoder.layers.0.fc1.weight";
  std::vector<float> values = io::values<float>(weights.tensors, name);
  weights.set(name, values);
  EXPECT_EQ(storage_of(io::Tensors("file", weights.list, nullptr)), Storage::f16);
  values[3] = 65521.0f;
  weights.set(name, values);
  EXPECT_EQ(storage_of(io::Tensors("file", weights.list, nullptr)), Storage::f32);
}

TEST(DistinctNumbers, CountWhatTensorsShareOnce) {
  const std::vector<float> memory(100);
  const auto bytes = std::as_bytes(std::span(memory));
  const auto tensor = [&](const char* name, io::DataType type, std::size_t begin, std::size_t end) {
    return io::NamedTensor{name,
                           {type,
                            {std::int64_t(end - begin) * 4 / std::int64_t(io::size_of(type))},
                            bytes.subspan(begin * 4, (end - begin) * 4)}};
  };
  using io::DataType;
  EXPECT_EQ(detail::distinct_numbers(io::Tensors(
                "file",
                {tensor("a", DataType::f32, 0, 50), tensor("b", DataType::f32, 0, 50),
                 tensor("c", DataType::f32, 40, 60), tensor("d", DataType::boolean, 60, 100),
                 tensor("e", DataType::f16, 90, 100)},
                nullptr)),
            60 + 20);
}

TEST(OpenModelVaswani, ANameIsAsLongAsATensorsName) {
  const std::string folder = (io_test::data_folder / "torch/vaswani").string();
  std::string text = content_of(folder + "/config.json");
  const std::string key = "\"transformer\": \"";
  text.insert(text.find(key) + key.size(), std::string(600, 'x'));
  expect_error(ErrorCode::format, "at most 512 bytes",
               [&] { read_vaswani_config(io::parse_json(text, "config.json")); });
}

TEST(OpenModelVaswani, OpensTheSameWay) {
  for (const char* const name : {"torch/vaswani", "torch/vaswani-tied"}) {
    const OpenedModel opened = open_model((io_test::data_folder / name).string());
    EXPECT_EQ(opened.model_type, "vaswani");
    EXPECT_TRUE(opened.defaults.start_token);
    EXPECT_EQ(opened.defaults.stop_tokens.value().size(), 1u);
  }
}

}  // namespace
}  // namespace eigenformer::test
