// SPDX-License-Identifier: MIT
// Folders whose matrices are integers: convert_model() writes them, open_model() reads them.
#include <cstring>
#include <filesystem>
#include <list>
#include <map>
#include <optional>

#include "eigenformer/architectures/int8_tensor.hpp"
#include "eigenformer/architectures/module_file.hpp"
#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/architectures/storage.hpp"
#include "eigenformer/io/checkpoint.hpp"
#include "eigenformer/io/safetensors_writer.hpp"
#include "eigenformer/io/tensor_values.hpp"
#include "eigenformer/models/transformer_session.hpp"
#include "io/support.hpp"
#include "io/tensors.hpp"
#include "support/matrices.hpp"
#include "support/peak_memory.hpp"

namespace eigenformer::test {
namespace {

using io_test::content_of;
using io_test::expect_error;

const std::filesystem::path goldens = io_test::data_folder / "goldens";
const std::string marian = (goldens / "marian").string();

/// Every folder of goldens, those of torch, and the model that ships.
std::vector<std::string> all_folders() {
  std::vector<std::string> out{(io_test::data_folder / "torch/vaswani").string(),
                               (io_test::data_folder / "torch/vaswani-tied").string(),
                               (io_test::data_folder / "../../models/fr-en-small").string()};
  for (const auto& entry : std::filesystem::directory_iterator(goldens)) {
    out.push_back(entry.path().string());
  }
  return out;
}

ModelOptions in_storage(Storage storage) {
  ModelOptions options;
  options.storage = storage;
  return options;
}

/// Calls the visitor with each parameter of an opened model.
template <class Visitor>
void visit(const OpenedModel& opened, Visitor visitor) {
  const auto* const model = opened.model.get();
  if (const auto* const post = dynamic_cast<const TransformerModel<PostNorm>*>(model)) {
    post->transformer().for_each_parameter(visitor);
  } else {
    dynamic_cast<const TransformerModel<PreNorm>&>(*model).transformer().for_each_parameter(
        visitor);
  }
}

/// Appends the memory of a buffer.
void append(std::string& out, const void* data, std::size_t bytes) {
  if (bytes > 0) out.append(static_cast<const char*>(data), bytes);
}
std::string memory_of(const WeightMatrix<float>& weight) {
  std::string out = name(weight.storage());
  const auto outputs = static_cast<std::size_t>(weight.panels() * 16);
  append(out, weight.panel(0), static_cast<std::size_t>(weight.panels() * weight.panel_bytes()));
  if (weight.scales()) append(out, weight.scales(), outputs * sizeof(float));
  if (weight.offsets()) append(out, weight.offsets(), outputs * sizeof(std::int32_t));
  return out;
}
template <class Parameter>
std::string memory_of(const Parameter& parameter) {
  std::string out;
  append(out, parameter.data(), static_cast<std::size_t>(parameter.size()) * sizeof(float));
  return out;
}

/// All parameters as they are in memory, padding and all.
std::map<std::string, std::string> memory_of(const OpenedModel& opened) {
  std::map<std::string, std::string> out;
  visit(opened, [&](const std::string& parameter, const auto& value) {
    out[parameter] = memory_of(value);
  });
  return out;
}

/// What the model makes of some ids: encoder's states, then logits.
std::vector<float> outputs_of(const OpenedModel& opened) {
  Context context = make_context();
  const std::vector<TokenId> source{3, 7, 1, 12, 0}, target{5, 9, 2};
  Matrix<float> states(5, opened.model->d_model()), logits(1, opened.model->target_vocab());
  opened.model->encode(source, Batch(5), context, states);
  const auto session = opened.model->start(states.view(), Batch(5), context);
  session->advance(target, Batch(3));
  session->logits(logits);
  std::vector<float> out(states.data(), states.data() + states.size());
  out.insert(out.end(), logits.data(), logits.data() + logits.size());
  return out;
}

/// The same parameters and the same outputs, to the last bit.
void expect_same(const OpenedModel& got, const OpenedModel& expected) {
  const auto parameters = memory_of(got);
  for (const auto& [parameter, memory] : memory_of(expected)) {
    ASSERT_TRUE(parameters.count(parameter)) << parameter;
    EXPECT_TRUE(parameters.at(parameter) == memory) << parameter;
  }
  const std::vector<float> a = outputs_of(got), b = outputs_of(expected);
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0);
}

class Int8Folder : public io_test::FolderTest {
 protected:
  /// `folder` again, in int8 unless said otherwise.
  std::string converted(const std::string& folder, Storage storage = Storage::int8) {
    const std::string out = path(name(storage));
    std::filesystem::remove_all(out);
    std::filesystem::create_directory(out);
    for (const char* const file : {"config.json", "generation_config.json"}) {
      if (std::filesystem::exists(folder + "/" + file)) {
        std::filesystem::copy(folder + "/" + file, out);
      }
    }
    convert_model(folder, weights_of(out), in_storage(storage));
    return out;
  }
  static std::string weights_of(const std::string& folder) { return folder + "/model.safetensors"; }
};

TEST_F(Int8Folder, HasTheBitsOfQuantisingWhileOpening) {
  for (const std::string& folder : all_folders()) {
    SCOPED_TRACE(folder);
    expect_same(open_model(converted(folder)), open_model(folder, in_storage(Storage::int8)));
  }
}

TEST_F(Int8Folder, OtherStoragesHaveTheirBitsToo) {
  for (const std::string& folder : all_folders()) {
    for (const Storage storage : {Storage::f32, Storage::f16, Storage::bf16}) {
      SCOPED_TRACE(folder + " " + name(storage));
      expect_same(open_model(converted(folder, storage)), open_model(folder, in_storage(storage)));
    }
  }
}

TEST_F(Int8Folder, IsTheSameMappedReadAndInShards) {
  const std::string folder = converted(marian);
  const OpenedModel read = open_model(folder);
  ModelOptions mapped;
  mapped.load.access = io::FileAccess::map;
  expect_same(open_model(folder, mapped), read);

  // Scales and integers of one matrix in different shards.
  const io::Tensors whole = io::read_safetensors(weights_of(folder));
  std::vector<io::NamedTensor> shards[2];
  std::string map;
  for (const io::NamedTensor& entry : whole) {
    const int shard = entry.tensor.type == io::DataType::i8 ? 0 : 1;
    shards[shard].push_back(entry);
    map += (map.empty() ? "" : ",") + io::json_quoted(entry.name) + ":\"shard" +
           std::to_string(shard) + ".safetensors\"";
  }
  for (const int shard : {0, 1}) {
    io::write_safetensors(folder + "/shard" + std::to_string(shard) + ".safetensors",
                          shards[shard]);
  }
  std::filesystem::remove(weights_of(folder));
  write("int8/model.safetensors.index.json", "{\"weight_map\":{" + map + "}}");
  expect_same(open_model(folder), read);
  expect_same(open_model(folder, mapped), read);
}

TEST_F(Int8Folder, TheFileIsAsItsPageSays) {
  const io::Tensors before = io::read_safetensors(weights_of(marian));
  const io::Tensors after = io::read_safetensors(weights_of(converted(marian)));
  const auto rank_two = [](const io::NamedTensor& entry) {
    return entry.tensor.shape.size() == 2 && entry.name != "final_logits_bias";
  };
  std::size_t matrices = 0;
  for (const io::NamedTensor& entry : before) {
    const io::TensorView& tensor = after.at(entry.name);
    EXPECT_EQ(tensor.shape, entry.tensor.shape) << entry.name;
    if (!rank_two(entry)) {
      EXPECT_TRUE(same_numbers(io::Tensors("both", {{"a", tensor}, {"b", entry.tensor}}, nullptr),
                               "a", "b"));
      continue;
    }
    ++matrices;
    EXPECT_EQ(tensor.type, io::DataType::i8);
    EXPECT_EQ(text(after.at(entry.name + "_scale")),
              "F32 [" + std::to_string(entry.tensor.shape[0]) + "]");
  }
  EXPECT_EQ(after.size(), before.size() + matrices);
  EXPECT_EQ(after.metadata(), before.metadata());
}

TEST_F(Int8Folder, ATiedTableIsStoredOnce) {
  const io::Tensors tensors =
      io::read_safetensors(weights_of(converted((goldens / "marian-duplicates").string())));
  int tables = 0;
  for (const io::NamedTensor& entry : tensors) {
    tables += entry.tensor.shape == io::Shape{128, 32} && entry.tensor.type == io::DataType::i8;
  }
  EXPECT_EQ(tables, 1);
  EXPECT_TRUE(tensors.find("model.shared.weight_scale"));
}

TEST_F(Int8Folder, ConvertedAgainIsTheSameFile) {
  const std::string folder = converted(marian);
  convert_model(folder, path("again"), in_storage(Storage::int8));
  EXPECT_EQ(content_of(path("again")), content_of(weights_of(folder)));
  convert_model(folder, path("unsaid"), {});
  EXPECT_EQ(content_of(path("unsaid")), content_of(weights_of(folder)));
}

TEST_F(Int8Folder, F32IsTheFileThatTheReferenceWrote) {
  const io::Tensors before = io::read_safetensors(weights_of(marian));
  io_test::expect_equal(io::read_safetensors(weights_of(converted(marian, Storage::f32))), before);
}

TEST_F(Int8Folder, OpensInOtherStoragesAsIntegersTimesScales) {
  const std::string folder = converted(marian);
  std::map<std::string, Matrix<float>> numbers;
  visit(open_model(folder), [&](const std::string& parameter, const auto& value) {
    numbers[parameter] = value_of(value);
  });
  const io::Tensors tensors = io::read_safetensors(weights_of(folder));
  const auto integers = io::values<std::int64_t>(tensors, "model.shared.weight");
  const auto scales = io::values<float>(tensors, "model.shared.weight_scale");
  const Matrix<float>& table = numbers.at("source_embedding.weight");
  for (Index row = 0; row < table.rows(); ++row) {
    for (Index col = 0; col < table.cols(); ++col) {
      const auto q = integers[static_cast<std::size_t>(row * table.cols() + col)];
      EXPECT_EQ(table(row, col), static_cast<float>(q) * scales[static_cast<std::size_t>(row)]);
    }
  }
  for (const Storage storage : {Storage::f32, Storage::f16, Storage::bf16}) {
    visit(open_model(folder, in_storage(storage)),
          [&](const std::string& parameter, const auto& value) {
            Matrix<float> expected = numbers.at(parameter);
            if constexpr (std::is_same_v<decltype(value), const WeightMatrix<float>&>) {
              EXPECT_EQ(value.storage(), storage);
              expected = WeightMatrix<float>(expected, storage).unpack();
            }
            EXPECT_TRUE(same_bits(expected, value_of(value))) << parameter;
          });
  }
}

TEST_F(Int8Folder, ReadingMakesNoSecondMatrix) {
  const LinearConfig config{
      .inputs = 2048, .outputs = 1024, .bias = false, .storage = Storage::int8};
  Linear<float> linear(config);
  linear.initialize(1);
  save(linear, path("linear"));
  Linear<float> other(config);
  const std::size_t file = std::filesystem::file_size(path("linear"));
  EXPECT_LE(peak_memory([&] { load(other, path("linear")); }), file + mebibyte / 8);
  EXPECT_EQ(memory_of(other.weight()), memory_of(linear.weight()));
}

TEST_F(Int8Folder, StorageIsThatOfMostNumbers) {
  const io::Tensors tensors = io::read_safetensors(weights_of(converted(marian)));
  EXPECT_EQ(storage_of(tensors), Storage::int8);
  std::vector<io::NamedTensor> biases;
  for (const io::NamedTensor& entry : tensors) {
    if (entry.tensor.type != io::DataType::i8) biases.push_back(entry);
  }
  EXPECT_EQ(storage_of(io::Tensors("biases", biases, nullptr)), Storage::f32);
}

/// A converted folder whose tensors a test changes.
class Int8Weights : public Int8Folder {
 protected:
  void SetUp() override {
    Int8Folder::SetUp();
    folder_ = converted(marian);
    tensors_.emplace(io::read_safetensors(weights_of(folder_)));
    list_.assign(tensors_->begin(), tensors_->end());
  }
  io::TensorView& at(std::string_view name) {
    return std::find_if(list_.begin(), list_.end(),
                        [&](const io::NamedTensor& entry) { return entry.name == name; })
        ->tensor;
  }
  void remove(std::string_view name) {
    std::erase_if(list_, [&](const io::NamedTensor& entry) { return entry.name == name; });
  }
  /// Its bytes, to write to.
  std::span<std::byte> bytes(std::string_view name) {
    io::ByteBuffer buffer;
    const auto read = at(name).bytes.in(buffer);
    kept_.emplace_back(read.begin(), read.end());
    at(name).bytes = std::span<const std::byte>(kept_.back());
    return kept_.back();
  }
  /// Opening it, in its own storage and in another, read and mapped, is refused, and has taken no
  /// more than twice the file and 1 MiB.
  void expect_refusal(ErrorCode code, const std::string& part) {
    io::write_safetensors(weights_of(folder_), list_);
    for (const auto storage : {std::optional<Storage>(), std::optional(Storage::f32)}) {
      for (const io::FileAccess access : {io::FileAccess::read, io::FileAccess::map}) {
        ModelOptions options;
        options.storage = storage;
        options.load.access = access;
        const std::size_t before = live_memory();
        restart_peak_memory();
        expect_error(code, part, [&] { open_model(folder_, options); });
        EXPECT_LE(most_live_memory() - before,
                  2 * std::filesystem::file_size(weights_of(folder_)) + mebibyte);
      }
    }
  }

  const std::string matrix_ = "model.decoder.layers.1.fc2.weight", scale_ = matrix_ + "_scale";
  std::string folder_;
  std::optional<io::Tensors> tensors_;
  std::vector<io::NamedTensor> list_;
  std::list<std::vector<std::byte>> kept_;
};

const std::string down = " for decoder.layers.1.feed_forward.down.weight";

TEST_F(Int8Weights, NeedScales) {
  remove(scale_);
  expect_refusal(ErrorCode::missing_tensor, "missing \"" + scale_ + "\"" + down);
  for (const io::NamedTensor& entry : *tensors_) {
    if (entry.name.ends_with("_scale")) remove(entry.name);
  }
  expect_refusal(ErrorCode::missing_tensor, "33 things don't fit the model:");
}

TEST_F(Int8Weights, NeedScalesOfTheRightForm) {
  const io::TensorView right = at(scale_);
  at(scale_).shape = {1, 32};
  expect_refusal(ErrorCode::shape_mismatch, "\"" + scale_ + "\"" + down + ": expected [32]");
  at(scale_).shape = {16};
  at(scale_).bytes = right.bytes.first(64);
  expect_refusal(ErrorCode::shape_mismatch, ": expected [32], got [16]");
  at(scale_).shape = {32};
  at(scale_).type = io::DataType::bf16;
  expect_refusal(ErrorCode::unsupported, ": expected F32, got BF16");
}

TEST_F(Int8Weights, NeedScalesThatAreNumbers) {
  const auto own = bytes(scale_);
  for (const auto& [value, text] : {std::pair<float, std::string>{std::nanf(""), "nan"},
                                    {HUGE_VALF, "inf"},
                                    {-1.0f, "-1"},
                                    {0x1p121f, "2.65845599"}}) {
    std::memcpy(own.data() + 31 * sizeof value, &value, sizeof value);
    expect_refusal(
        ErrorCode::format,
        "\"" + scale_ + "\"" + down + ": row 31: expected a number from 0 to 2.6e36, got " + text);
  }
}

TEST_F(Int8Weights, HaveNoIntegerWithoutAnOpposite) {
  bytes(matrix_)[80 * 17 + 5] = std::byte{0x80};
  expect_refusal(ErrorCode::format, "\"" + matrix_ + "\"" + down +
                                        ": row 17, column 5: expected -127 to 127, got -128");
}

TEST_F(Int8Weights, ScalesMustClaimAWeight) {
  list_.push_back({"model.decoder.layers.1.fc2.bias_scale", at(scale_)});
  expect_refusal(ErrorCode::missing_tensor,
                 "nothing asks for \"model.decoder.layers.1.fc2.bias_scale\"");
}

TEST_F(Int8Weights, BiasesAndNormsAreNoIntegers) {
  io::TensorView& bias = at("model.decoder.layers.1.fc2.bias");
  bias.type = io::DataType::i8;
  bias.bytes = bias.bytes.first(32);
  expect_refusal(ErrorCode::unsupported,
                 "\"model.decoder.layers.1.fc2.bias\" for decoder.layers.1.feed_forward.down.bias: "
                 "expected F32, F16, BF16 or F64, got I8");
}

TEST_F(Int8Weights, TiedTablesHaveTheSameScales) {
  list_.push_back({"lm_head.weight", at("model.shared.weight")});
  list_.push_back({"lm_head.weight_scale", at("model.shared.weight_scale")});
  io::write_safetensors(weights_of(folder_), list_);
  EXPECT_NO_THROW(open_model(folder_));
  bytes("lm_head.weight_scale")[0] ^= std::byte{1};
  expect_refusal(ErrorCode::unsupported, "lm_head.weight");
  remove("lm_head.weight_scale");
  expect_refusal(ErrorCode::unsupported, "lm_head.weight");
}

TEST_F(Int8Weights, HaveNoScaleTooLargeForHalves) {
  const auto own = bytes(scale_);
  for (const float scale : {515.0f, 516.0f}) {  // 127 times as much: 65,405 and 65,532
    std::memcpy(own.data(), &scale, sizeof scale);
    io::write_safetensors(weights_of(folder_), list_);
    const auto convert = [&] { convert_model(folder_, path("out"), in_storage(Storage::f16)); };
    if (scale < 516) {
      EXPECT_NO_THROW(convert());
    } else {
      expect_error(ErrorCode::unsupported, "too large for f16", convert);
    }
  }
}

TEST_F(Int8Weights, WhatCannotBeConvertedLeavesNoFile) {
  std::vector<float> numbers(80 * 32, 1.0f);
  at(matrix_).type = io::DataType::f32;
  at(matrix_).bytes = std::as_bytes(std::span(numbers));
  remove(scale_);
  const auto refused = [&](ErrorCode code, const std::string& part, Storage storage) {
    io::write_safetensors(weights_of(folder_), list_);
    expect_error(code, part, [&] { convert_model(folder_, path("out"), in_storage(storage)); });
    EXPECT_EQ(files(), std::vector<std::string>{"int8"});
  };
  numbers[90] = 65520.0f;
  refused(ErrorCode::unsupported, "some numbers are too large for f16", Storage::f16);
  numbers[90] = HUGE_VALF;
  refused(ErrorCode::not_a_number, "\"" + matrix_ + "\": row 1 had an infinity or a NaN",
          Storage::int8);
  expect_error(ErrorCode::io, "absent", [&] { convert_model(path("absent"), path("out"), {}); });
  expect_error(ErrorCode::io, "absent", [&] { convert_model(marian, path("absent/out"), {}); });
}

}  // namespace
}  // namespace eigenformer::test
