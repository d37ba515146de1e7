// SPDX-License-Identifier: MIT
#include "eigenformer/io/checkpoint.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/io/safetensors_writer.hpp"
#include "io/support.hpp"
#include "io/tensors.hpp"
#include "support/peak_memory.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using eigenformer::Error;
using eigenformer::test::mebibyte;
using eigenformer::test::peak_memory;
using io_test::bytes_of;
using io_test::ErrorCode;
using io_test::expect_equal;
using io_test::expect_error;

const LoadOptions by_reading = {};
const LoadOptions by_mapping = {{}, FileAccess::map};

std::string fixture(const std::string& folder) {
  return (io_test::data_folder / "checkpoints" / folder).string();
}

TEST(CheckpointFixtureTest, IsOneModelInFourForms) {
  const Tensors expected = read_safetensors(fixture("whole") + "/model.safetensors");
  EXPECT_EQ(expected.size(), 8u);
  EXPECT_EQ(text(expected.at("model.position_ids")), "I64 [1, 12]");
  for (const char* const folder : {"whole", "sharded", "torch", "torch-sharded"}) {
    SCOPED_TRACE(folder);
    expect_equal(open_checkpoint(fixture(folder)), expected);
    expect_equal(open_checkpoint(fixture(folder), by_mapping), expected);
    expect_equal(open_checkpoint(fixture(folder) + "/"), expected);
  }
}

TEST(CheckpointFixtureTest, IsNamedByTheFileThatIsOpened) {
  EXPECT_EQ(open_checkpoint(fixture("whole")).file(), fixture("whole") + "/model.safetensors");
  EXPECT_EQ(open_checkpoint(fixture("sharded")).file(),
            fixture("sharded") + "/model.safetensors.index.json");
  EXPECT_EQ(open_checkpoint(fixture("torch")).file(), fixture("torch") + "/pytorch_model.bin");
  EXPECT_EQ(open_checkpoint(fixture("torch-sharded")).file(),
            fixture("torch-sharded") + "/pytorch_model.bin.index.json");
  EXPECT_EQ(open_checkpoint(fixture("sharded")).metadata(), (Metadata{{"format", "pt"}}));
}

class CheckpointTest : public io_test::FolderTest {
 protected:
  /// A safetensors file with these tensors, each of which holds its own name.
  void shard(const std::string& file, const std::vector<std::string>& names) const {
    std::vector<NamedTensor> tensors;
    for (const std::string& name : names) {
      const auto size = static_cast<std::int64_t>(name.size());
      tensors.push_back({name, {DataType::u8, {size}, bytes_of(name)}});
    }
    write_safetensors(path(file), tensors);
  }

  /// Two shards and their index; returns its text.
  std::string two_shards() const {
    shard("one", {"a", "b"});
    shard("two", {"c"});
    const std::string index = R"({"metadata":{"total_size":3},)"
                              R"("weight_map":{"a":"one","b":"one","c":"two"}})";
    write("model.safetensors.index.json", index);
    return index;
  }

  std::string folder() const { return path("."); }
};

TEST_F(CheckpointTest, TakesTheFirstFormThatIsThere) {
  const auto opened = [&] { return open_checkpoint(folder()).file(); };
  std::filesystem::copy(fixture("torch-sharded"), folder());
  EXPECT_EQ(opened(), path("./pytorch_model.bin.index.json"));
  std::filesystem::copy(fixture("torch"), folder());
  EXPECT_EQ(opened(), path("./pytorch_model.bin"));
  std::filesystem::copy(fixture("sharded"), folder());
  EXPECT_EQ(opened(), path("./model.safetensors.index.json"));
  std::filesystem::copy(fixture("whole"), folder());
  EXPECT_EQ(opened(), path("./model.safetensors"));
}

// A form that is there and bad is an error, and no reason to take the next.
TEST_F(CheckpointTest, DoesNotGoOnFromABadFile) {
  std::filesystem::copy(fixture("torch"), folder());
  for (const auto& [content, part] : {std::pair("", "0 bytes are too few"),
                                      std::pair("version https://git-lfs", "LFS pointer")}) {
    write("model.safetensors", content);
    for (const LoadOptions& options : {by_reading, by_mapping}) {
      expect_error(ErrorCode::format, part, [&] { open_checkpoint(folder(), options); });
    }
  }
  std::filesystem::remove(path("model.safetensors"));
  write("model.safetensors.index.json", "");
  expect_error(ErrorCode::format, "index.json: byte 0", [&] { open_checkpoint(folder()); });
}

TEST_F(CheckpointTest, RefusesWhatOnlyHasTheName) {
  for (const LoadOptions& options : {by_reading, by_mapping}) {
    const auto open = [&] { open_checkpoint(folder(), options); };
    std::filesystem::create_directory(path("model.safetensors"));
    expect_error(ErrorCode::io, path("./model.safetensors") + ": is a directory", open);
    std::filesystem::remove(path("model.safetensors"));
    ASSERT_EQ(::mkfifo(path("model.safetensors").c_str(), 0600), 0);
    expect_error(ErrorCode::io, path("./model.safetensors") + ": is not a regular file", open);
    std::filesystem::remove(path("model.safetensors"));
    // A file of the hub's cache whose content has been deleted.
    std::filesystem::create_symlink("../../blobs/0123", path("model.safetensors"));
    expect_error(ErrorCode::io, path("./model.safetensors") + ": cannot open: No such file", open);
    std::filesystem::remove(path("model.safetensors"));
    std::filesystem::create_directory(path("model.safetensors.index.json"));
    expect_error(ErrorCode::io, "model.safetensors.index.json: is a directory", open);
    std::filesystem::remove(path("model.safetensors.index.json"));
  }
}

TEST_F(CheckpointTest, SaysWhatIsThereInstead) {
  const std::string nothing =
      ": has no weights to open: looked for model.safetensors, model.safetensors.index.json, "
      "pytorch_model.bin and pytorch_model.bin.index.json";
  const auto refusal = [&] {
    try {
      open_checkpoint(folder());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::io);
      return std::string(error.what());
    }
    return "no error"s;
  };
  EXPECT_EQ(refusal(), folder() + nothing);
  write("config.json", "{}");
  write("tokenizer.model", "");
  EXPECT_EQ(refusal(), folder() + nothing);
  for (const char* const name : {"tf_model.h5", "model.npz", "a.gguf", "onnx\n.onnx"})
    write(name, "");
  EXPECT_EQ(refusal(), folder() + nothing +
                           R"(; found "a.gguf" (llama.cpp's), "model.npz" (NumPy's), )"
                           R"("onnx\n.onnx" (ONNX), "tf_model.h5" (TensorFlow's). A model loaded )"
                           "from those in transformers is saved as model.safetensors by "
                           "save_pretrained()");
  for (const char* const name : {"flax_model.msgpack", "rust_model.ot", "consolidated.00.pth",
                                 "model-00001-of-00002.safetensors", "x.pt", "y.bin"}) {
    write(name, "");
  }
  EXPECT_NE(refusal().find(R"("consolidated.00.pth" (torch's), "flax_model.msgpack" (Flax's))"),
            std::string::npos)
      << refusal();
  EXPECT_NE(refusal().find(R"("tf_model.h5" (TensorFlow's) and 2 more. A model)"),
            std::string::npos)
      << refusal();
}

TEST_F(CheckpointTest, RefusesWhatIsNoFolder) {
  expect_error(ErrorCode::io, path("none") + ": cannot open: No such file or directory",
               [&] { open_checkpoint(path("none")); });
  expect_error(ErrorCode::io, ": cannot open: No such file", [&] { open_checkpoint(""); });
  write("file", "");
  expect_error(ErrorCode::io, path("file") + ": is not a folder",
               [&] { open_checkpoint(path("file")); });
  expect_error(ErrorCode::io, "cannot open: Not a directory",
               [&] { open_checkpoint(path("file/x")); });
  expect_error(ErrorCode::io, "the path has a NUL byte",
               [&] { open_checkpoint(folder() + "\0x"s); });
}

TEST_F(CheckpointTest, RefusesWhatItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is forbidden to root";
  std::filesystem::create_directory(path("closed"));
  ASSERT_EQ(::chmod(path("closed").c_str(), 0), 0);
  expect_error(ErrorCode::io, path("closed") + "/model.safetensors: cannot open: Permission denied",
               [&] { open_checkpoint(path("closed")); });
  ASSERT_EQ(::chmod(write("model.safetensors", "").c_str(), 0), 0);
  for (const LoadOptions& options : {by_reading, by_mapping}) {
    expect_error(ErrorCode::io, "model.safetensors: cannot open: Permission denied",
                 [&] { open_checkpoint(folder(), options); });
  }
  // Entered, though not listed.
  std::filesystem::create_directory(path("unlisted"));
  ASSERT_EQ(::chmod(path("unlisted").c_str(), S_IXUSR), 0);
  expect_error(ErrorCode::io, "has no weights to open", [&] { open_checkpoint(path("unlisted")); });
  for (const char* const name : {"closed", "unlisted"}) {
    ASSERT_EQ(::chmod(path(name).c_str(), S_IRWXU), 0);  // for who removes them
  }
}

// The sum of all shards, before the first of them is read: neither is a safetensors file.
TEST_F(CheckpointTest, ChecksTheBudgetOfAllShards) {
  two_shards();
  write("one", std::string(600, 'x'));
  write("two", std::string(400, 'x'));
  LoadOptions options;
  options.limits.memory_bytes = 999;
  expect_error(ErrorCode::out_of_memory,
               path("./model.safetensors.index.json") +
                   ": needs 1000 bytes of memory, the budget is 999 (LoadLimits::memory_bytes)",
               [&] { open_checkpoint(folder(), options); });
  options.limits.memory_bytes = 1000;
  expect_error(ErrorCode::format, path("./one") + ": byte 0",
               [&] { open_checkpoint(folder(), options); });
  for (const char* const name : {"one", "two"}) {
    std::filesystem::resize_file(path(name), std::uintmax_t{1} << 40);
  }
  expect_error(ErrorCode::out_of_memory, "needs 2199023255552 bytes of memory",
               [&] { open_checkpoint(folder(), options); });
}

TEST_F(CheckpointTest, ChecksTheBudgetOfTorchShards) {
  LoadOptions options;
  std::uintmax_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator(fixture("torch-sharded"))) {
    if (entry.path().extension() == ".bin") sum += entry.file_size();
  }
  options.limits.memory_bytes = sum - 1;
  options.access = FileAccess::map;  // makes no difference to these
  expect_error(ErrorCode::out_of_memory, "needs " + std::to_string(sum) + " bytes of memory",
               [&] { open_checkpoint(fixture("torch-sharded"), options); });
}

// Also what tensors that are not in row-major order take beside their files: 12 bytes in the first,
// 16 in the second, and either alone would be within the budget.
TEST_F(CheckpointTest, ChecksTheBudgetOfWhatTorchShardsGather) {
  const auto recorded = io_test::data_folder / "torch_checkpoints";
  std::filesystem::copy(recorded / "tiny_zip.bin", path("one"));
  std::filesystem::copy(recorded / "storage_views.bin", path("two"));
  write("pytorch_model.bin.index.json", R"({"weight_map":{"a":"one","b":"one","c":"one",)"
                                        R"("whole":"two","part":"two","part.across":"two"}})");
  const std::uintmax_t files =
      std::filesystem::file_size(path("one")) + std::filesystem::file_size(path("two"));
  LoadOptions options;
  options.limits.memory_bytes = files + 28;
  EXPECT_EQ(open_checkpoint(folder(), options).size(), 6u);
  for (const std::uintmax_t missing : {1u, 16u, 17u, 28u}) {
    options.limits.memory_bytes = files + 28 - missing;
    const std::uintmax_t needed = files + (missing > 16 ? 12 : 28);
    expect_error(ErrorCode::out_of_memory,
                 path("./pytorch_model.bin.index.json") + ": needs " + std::to_string(needed) +
                     " bytes of memory, the budget is " + std::to_string(files + 28 - missing),
                 [&] { open_checkpoint(folder(), options); });
  }
}

TEST_F(CheckpointTest, NeedsNoBudgetForMappedShards) {
  const std::string index = two_shards();
  LoadOptions options;
  options.access = FileAccess::map;
  options.limits.memory_bytes = 150;  // each of the headers, and the index
  ASSERT_LE(index.size(), 150u);
  EXPECT_EQ(open_checkpoint(folder(), options).size(), 3u);
  options.access = FileAccess::read;
  expect_error(ErrorCode::out_of_memory, "index.json: needs ",
               [&] { open_checkpoint(folder(), options); });
}

// The rules of an index are the same for both kinds of shards; shard_index_test has them all.
TEST_F(CheckpointTest, HoldsTorchShardsToTheIndex) {
  std::filesystem::copy(fixture("torch-sharded"), folder());
  const std::string index = io_test::content_of(path("pytorch_model.bin.index.json"));
  std::string other = index;
  other.replace(other.find("lm_head.weight"), 14, "lm_head.widths");
  write("pytorch_model.bin.index.json", other);
  expect_error(ErrorCode::format,
               "\n  \"pytorch_model-00004-of-00004.bin\" lacks \"lm_head.widths\""
               "\n  \"pytorch_model-00004-of-00004.bin\" has what it does not put there: "
               "\"lm_head.weight\"",
               [&] { open_checkpoint(folder()); });
  write("pytorch_model.bin.index.json", index);
  std::filesystem::remove(path("pytorch_model-00003-of-00004.bin"));
  expect_error(ErrorCode::io,
               path("./pytorch_model-00003-of-00004.bin") + ": cannot open, though " +
                   path("./pytorch_model.bin.index.json") + " names it: No such file",
               [&] { open_checkpoint(folder()); });
}

/// What open_checkpoint says about a folder: an error's code and text, or the names of the tensors,
/// each of which must hold its own name.
std::string outcome(const std::string& folder, const LoadOptions& options) {
  try {
    std::string names = "opened";
    const Tensors tensors = open_checkpoint(folder, options);
    for (const NamedTensor& entry : tensors) {
      EXPECT_EQ(io_test::content_of(entry.tensor), entry.name);
      names += " " + entry.name;
    }
    return names;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::format || error.code() == ErrorCode::io) << error.what();
    return eigenformer::name(error.code()) + (" " + std::string(error.what()));
  }
}

class BadIndexTest : public CheckpointTest {
 protected:
  /// The outcome for that index, the same for read and for mapped shards.
  std::string same_outcome(const std::string& index) const {
    write("model.safetensors.index.json", index);
    std::string out = outcome(folder(), by_reading);
    EXPECT_EQ(outcome(folder(), by_mapping), out);
    return out;
  }
};

TEST_F(BadIndexTest, IsRefusedAtEveryTruncation) {
  const std::string index = two_shards();
  EXPECT_EQ(same_outcome(index), "opened a b c");
  for (std::size_t size = 0; size < index.size(); ++size) {
    EXPECT_EQ(same_outcome(index.substr(0, size))
                  .find("format " + path("./model.safetensors.index.json: byte ")),
              0u)
        << size;
  }
}

TEST_F(BadIndexTest, SurvivesEveryFlippedBit) {
  const std::string index = two_shards();
  std::size_t opened = 0;
  for (std::size_t i = 0; i < index.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = index;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      const std::string said = same_outcome(bad);
      if (said.substr(0, 6) == "opened") {
        EXPECT_EQ(said, "opened a b c") << bad;
        ++opened;
      }
    }
  }
  // Letters of "metadata" and "total_size", digits of the size; not the map.
  EXPECT_GT(opened, 17u * 4);
  EXPECT_LT(opened, index.size() * 8 / 3);
}

// What opening a file may cost, in bytes from operator new.

class MemoryTest : public CheckpointTest {
 protected:
  void SetUp() override {
    CheckpointTest::SetUp();
    if (!eigenformer::test::memory_is_counted()) GTEST_SKIP() << "under this sanitizer";
  }
};

TEST_F(MemoryTest, IsCounted) {
  EXPECT_GE(peak_memory([] { ByteBuffer(3 * mebibyte); }), 3 * mebibyte);
  EXPECT_LT(peak_memory([] { ByteBuffer(3 * mebibyte); }), 4 * mebibyte);
}

TEST_F(MemoryTest, IsSmallForMalformedFiles) {
  for (const io_test::Malformed& malformed : io_test::malformed_files("safetensors")) {
    const auto file = io_test::data_folder / "malformed" / "safetensors" / malformed.file;
    const std::size_t most = 2 * std::filesystem::file_size(file) + mebibyte;
    for (const LoadOptions& options : {by_reading, by_mapping}) {
      EXPECT_LT(peak_memory([&] { open_safetensors(file.string(), options); }), most) << file;
    }
  }
  two_shards();
  for (const io_test::Malformed& malformed : io_test::malformed_files("index")) {
    const std::string text =
        io_test::content_of(io_test::data_folder / "malformed" / "index" / malformed.file);
    write("model.safetensors.index.json", text);
    EXPECT_LT(peak_memory([&] { open_checkpoint(folder()); }), 2 * text.size() + mebibyte)
        << malformed.file;
  }
}

// Sizes that a file claims and doesn't have, or has as a hole.
TEST_F(MemoryTest, IsSmallForLargeClaims) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[68719476736],)"
                             R"("data_offsets":[0,68719476736]}})";
  std::string content(1, static_cast<char>(header.size()));
  content += "\0\0\0\0\0\0\0"s + header;
  write("model.safetensors", content);
  EXPECT_LT(peak_memory([&] { open_checkpoint(folder()); }), mebibyte);
  // The same with all its 64 GiB there, mapped.
  std::filesystem::resize_file(path("model.safetensors"),
                               content.size() + (std::uintmax_t{1} << 36));
  EXPECT_LT(peak_memory([&] { EXPECT_EQ(open_checkpoint(folder(), by_mapping).size(), 1u); }),
            mebibyte);
  // Nothing but a hole.
  write("model.safetensors", "\0\0\0\x04\0\0\0\0"s);
  std::filesystem::resize_file(path("model.safetensors"), std::uintmax_t{1} << 36);
  EXPECT_LT(peak_memory([&] { open_checkpoint(folder(), by_mapping); }), mebibyte);
}

TEST_F(MemoryTest, HasNoneOfTheDataBeforeItIsAskedFor) {
  const std::string data(8 * mebibyte, 'x');
  const auto size = static_cast<std::int64_t>(data.size());
  const NamedTensor tensor = {"t", {DataType::u8, {size}, bytes_of(data)}};
  write_safetensors(path("model.safetensors"), {&tensor, 1});
  const auto open = [&](const LoadOptions& options) {
    return peak_memory([&] { EXPECT_EQ(open_checkpoint(folder(), options).size(), 1u); });
  };
  EXPECT_LT(open(by_reading), mebibyte);
  EXPECT_LT(open(by_mapping), mebibyte);
}

// Numbers of JSON take more memory than text. By how much is bounded, and json_values bounds the
// sum: this many are where a list of values has just grown.
TEST_F(MemoryTest, IsBoundedByTheTextOfJson) {
  std::string zeros = "[0";
  for (int i = 0; i < 1 << 18; ++i) zeros += ",0";
  const std::string index = R"({"weight_map":)" + zeros + "]}";
  write("model.safetensors.index.json", index);
  EXPECT_LT(peak_memory([&] { open_checkpoint(folder()); }), 48 * index.size());

  const std::string header = R"({"a":{"shape":)" + zeros + "]}}";
  std::string content;
  for (std::size_t shift = 0; shift < 64; shift += 8) {
    content += static_cast<char>(header.size() >> shift & 255);
  }
  write("model.safetensors", content + header);
  for (const LoadOptions& options : {by_reading, by_mapping}) {
    EXPECT_LT(peak_memory([&] { open_checkpoint(folder(), options); }), 48 * header.size());
  }
}

}  // namespace
