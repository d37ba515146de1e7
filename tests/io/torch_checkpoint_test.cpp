// SPDX-License-Identifier: MIT
#include "eigenformer/io/torch_checkpoint.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/io/checkpoint.hpp"
#include "eigenformer/io/safetensors.hpp"
#include "io/support.hpp"
#include "io/tensors.hpp"
#include "support/peak_memory.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using eigenformer::Error;
using eigenformer::test::live_memory;
using eigenformer::test::mebibyte;
using eigenformer::test::peak_memory;
using io_test::bytes_of;
using io_test::content_of;
using io_test::ErrorCode;
using io_test::expect_equal;
using io_test::expect_error;

const std::filesystem::path fixtures = io_test::data_folder / "torch_checkpoints";
const std::filesystem::path hostile_files = io_test::data_folder / "malformed" / "torch";

/// From a copy that ends where the content does, so that a sanitizer sees each byte too many.
Tensors parse(std::string_view content, const LoadLimits& limits = {}) {
  const auto bytes = bytes_of(content);
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  return parse_torch_checkpoint(exact, "tiny", limits);
}

/// All bytes of all tensors, one after the other: reads each, and expects as many as shapes take.
std::string content_of(const Tensors& tensors) {
  std::string out;
  for (const NamedTensor& entry : tensors) {
    EXPECT_EQ(static_cast<std::int64_t>(entry.tensor.bytes.size()),
              byte_size(entry.tensor.type, entry.tensor.shape))
        << entry.name;
    out += io_test::content_of(entry.tensor);
  }
  return out;
}

// ------------------------------------------------------------------ what torch writes

/// The recorded files of torch.save, by their names.
std::vector<std::string> recorded_files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(fixtures)) {
    if (entry.path().extension() == ".bin") out.push_back(entry.path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The tensors that a recorded file has, out of the file of safetensors that its name begins with.
Tensors values_of(const std::string& file) {
  for (std::size_t end = file.rfind('.'); end != std::string::npos;
       end = file.rfind('_', end - 1)) {
    const auto values = fixtures / (file.substr(0, end) + ".safetensors");
    if (std::filesystem::exists(values)) return read_safetensors(values.string());
    if (end == 0) break;
  }
  throw Error(ErrorCode::io, file + ": no values beside it");
}

/// A test's name out of a file's.
std::string stem(const testing::TestParamInfo<std::string>& file) {
  return file.param.substr(0, file.param.find('.'));
}

class RecordedTorchCheckpointTest : public testing::TestWithParam<std::string> {};

TEST_P(RecordedTorchCheckpointTest, HasTheValuesBesideIt) {
  const Tensors expected = values_of(GetParam());
  const std::string path = (fixtures / GetParam()).string();
  const Tensors read = read_torch_checkpoint(path);
  expect_equal(read, expected);
  EXPECT_EQ(read.file(), path);
  const Tensors parsed = parse(content_of(fixtures / GetParam()));
  expect_equal(parsed, expected);
  EXPECT_EQ(parsed.file(), "tiny");
}

INSTANTIATE_TEST_SUITE_P(Files, RecordedTorchCheckpointTest, testing::ValuesIn(recorded_files()),
                         stem);

TEST(TorchCheckpointFixtureTest, HasEveryTypeAndLayout) {
  EXPECT_GE(recorded_files().size(), 25u);
  const Tensors everything = values_of("everything_zip.bin");
  EXPECT_EQ(everything.size(), 34u);
  std::vector<bool> seen(data_types);
  for (const NamedTensor& entry : everything) {
    seen[static_cast<std::size_t>(entry.tensor.type)] = true;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 10);
  EXPECT_EQ(values_of("nothing_zip.bin").size(), 0u);
  EXPECT_EQ(values_of("python2.bin").size(), 2u);
  EXPECT_EQ(values_of("storage_views.bin").size(), 3u);
}

using TorchCheckpointFileTest = io_test::FolderTest;

TEST_F(TorchCheckpointFileTest, RefusesWhatIsNoFile) {
  std::filesystem::create_directory(path("folder.bin"));
  ASSERT_EQ(::mkfifo(path("pipe.bin").c_str(), 0600), 0);
  const auto refused = [&](const std::string& name, const std::string& part) {
    expect_error(ErrorCode::io, path(name) + part, [&] { read_torch_checkpoint(path(name)); });
  };
  refused("none.bin", ": cannot open: No such file");
  refused("folder.bin", ": is a directory");
  refused("pipe.bin", ": is not a regular file");
}

// The tensors of a copy outlive what they were parsed from, and the first to have them.
TEST(TorchCheckpointTest, OwnsItsBytes) {
  for (const char* const file : {"tiny_zip.bin", "tiny_legacy.bin"}) {
    std::string content = content_of(fixtures / file);
    std::optional<Tensors> first(parse_torch_checkpoint(bytes_of(content), file));
    content.assign(content.size(), '\xFF');
    const Tensors copy = *first;
    const Tensors moved = *std::exchange(first, std::nullopt);
    expect_equal(copy, values_of(file));
    expect_equal(moved, values_of(file));
  }
}

// ------------------------------------------------------------------ hostile files

class MalformedTorchCheckpointTest : public testing::TestWithParam<io_test::Malformed> {};

TEST_P(MalformedTorchCheckpointTest, IsRefused) {
  const std::string path = (hostile_files / GetParam().file).string();
  expect_error(GetParam().code, GetParam().part, [&] { read_torch_checkpoint(path); });
  expect_error(GetParam().code, path + ": ", [&] { read_torch_checkpoint(path); });
  const std::string content = content_of(hostile_files / GetParam().file);
  expect_error(GetParam().code, GetParam().part, [&] { parse(content); });
}

// A name in a file may have anything; what is said about it must be fit for a terminal.
TEST_P(MalformedTorchCheckpointTest, IsRefusedInPlainText) {
  const std::string content = content_of(hostile_files / GetParam().file);
  try {
    parse(content);
  } catch (const Error& error) {
    const std::string_view said = error.what();
    EXPECT_TRUE(is_utf8(said)) << GetParam().file;
    EXPECT_TRUE(std::none_of(said.begin(), said.end(), [](char character) {
      return static_cast<unsigned char>(character) < 0x20 || character == 0x7F;
    })) << said;
    EXPECT_LT(said.size(), 600u) << said;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, MalformedTorchCheckpointTest,
                         testing::ValuesIn(io_test::malformed_files("torch")), io_test::test_name);

TEST(MalformedTorchCheckpointTable, IsComplete) { io_test::expect_complete_table("torch"); }

/// One of the two small files, in which the weights are told apart from all else.
class TinyTorchCheckpointTest : public testing::TestWithParam<std::string> {
 protected:
  std::string content_ = content_of(fixtures / GetParam());

  /// Whether that byte of the file is one of its weights': 0 to 5 as i16, or 1.5 as f32.
  bool is_weight(std::size_t at) const {
    return (at >= whole_ && at < whole_ + 12) || (at >= real_ && at < real_ + 4);
  }

  /// Whether that byte is one of those that say how much of a local header is in front of the
  /// content. Nothing else says it, so that content can be made to begin a little elsewhere, in
  /// front of the next header still.
  bool is_place_of_content(std::size_t at) const {
    const std::size_t header = content_.rfind("PK\3\4", at);
    return header != std::string::npos && (at - header == 28 || at - header == 29);
  }

  void SetUp() override {
    for (const std::size_t at : {whole_, real_}) ASSERT_NE(at, std::string::npos);
    ASSERT_EQ(content_.rfind("\0\0\1\0\2\0\3\0\4\0\5\0"s), whole_);
    ASSERT_EQ(content_.rfind("\0\0\xC0\x3F"s), real_);
  }

 private:
  std::size_t whole_ = content_.find("\0\0\1\0\2\0\3\0\4\0\5\0"s);
  std::size_t real_ = content_.find("\0\0\xC0\x3F"s);
};

TEST_P(TinyTorchCheckpointTest, IsRefusedAtEveryTruncation) {
  const bool zip = GetParam() == "tiny_zip.bin";
  for (std::size_t size = 0; size < content_.size(); ++size) {
    SCOPED_TRACE(size);
    const std::string part = size == 0         ? "tiny: is empty"
                             : zip && size < 4 ? "neither as a ZIP archive"
                                               : "is it cut short?";
    expect_error(ErrorCode::format, part, [&] { parse(content_.substr(0, size)); });
  }
}

/// The tensors of a damaged file, or nothing where it is refused as it should be.
std::optional<Tensors> survived(const std::string& content) {
  try {
    return parse(content);
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::format || error.code() == ErrorCode::unsupported)
        << error.what();
    EXPECT_EQ(std::string_view(error.what()).substr(0, 6), "tiny: ");
    return std::nullopt;
  }
}

// What is not a weight can make other tensors of the weights, and nothing of anything else.
TEST_P(TinyTorchCheckpointTest, SurvivesEveryFlippedBitBesideItsWeights) {
  const std::string weights = content_of(values_of(GetParam()));
  std::size_t opened = 0;
  std::size_t flips = 0;
  for (std::size_t i = 0; i < content_.size(); ++i) {
    for (int bit = 0; bit < 8 && !is_weight(i); ++bit, ++flips) {
      SCOPED_TRACE("byte " + std::to_string(i) + ", bit " + std::to_string(bit));
      std::string bad = content_;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      const std::optional<Tensors> tensors = survived(bad);
      if (!tensors) continue;
      ++opened;
      const std::string got = content_of(*tensors);
      EXPECT_LE(got.size(), 2 * content_.size());
      if (is_place_of_content(i)) continue;
      EXPECT_EQ(got.find_first_not_of(weights), std::string::npos);
    }
  }
  // Padding and dates of an archive; names, locations, requires_grad, and what hooks could be.
  EXPECT_GT(opened, flips / 50);
  EXPECT_LT(opened, flips * 3 / 4);
}

// As in torch itself, nothing watches over the weights: what is flipped there is flipped here.
TEST_P(TinyTorchCheckpointTest, HasEveryFlippedBitOfItsWeights) {
  const Tensors expected = values_of(GetParam());
  const std::string before = content_of(expected);
  for (std::size_t i = 0; i < content_.size(); ++i) {
    for (int bit = 0; bit < 8 && is_weight(i); ++bit) {
      std::string bad = content_;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      const Tensors tensors = parse(bad);
      ASSERT_EQ(tensors.names(), expected.names());
      const std::string got = content_of(tensors);
      ASSERT_EQ(got.size(), before.size());
      std::size_t changed = 0;
      for (std::size_t k = 0; k < got.size(); ++k) {
        if (got[k] == before[k]) continue;
        EXPECT_EQ(got[k] ^ before[k], static_cast<char>(1 << bit));
        ++changed;
      }
      // The f32 is in one tensor, each i16 in two.
      EXPECT_TRUE(changed == 1 || changed == 2) << changed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, TinyTorchCheckpointTest,
                         testing::Values("tiny_zip.bin", "tiny_legacy.bin"), stem);

// ------------------------------------------------------------------ files made here

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8) out += static_cast<char>(value & 255);
  return out;
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string out;
  out.reserve(part.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

// Programs of pickle.

std::string pickled(std::string_view value) {
  return "X" + number(value.size(), 4) + std::string(value);
}

std::string pickled(std::int64_t value) {
  return "\x8A\x08" + number(static_cast<std::uint64_t>(value), 8);
}

std::string pickled(const Shape& values) {
  std::string out = "(";
  for (const std::int64_t value : values) out += pickled(value);
  return out + "t";
}

std::string storage(std::string_view key, std::string_view type, std::int64_t elements) {
  return "(" + pickled("storage") + "ctorch\n" + std::string(type) + "\n" + pickled(key) +
         pickled("cpu") + pickled(elements) + "tQ";
}

std::string tensor(const std::string& place, std::int64_t offset, const Shape& shape,
                   const Shape& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + place + pickled(offset) + pickled(shape) +
         pickled(strides) + "\x89}tR";
}

/// A file of the layout before torch 1.6.
std::string legacy(const std::string& state, const std::string& keys = "]",
                   const std::string& storages = "") {
  return "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19." +
         ("\x80\x02" + pickled(1001)) + ".\x80\x02}" + pickled("little_endian") + "\x88s.\x80\x02" +
         state + ".\x80\x02" + keys + "." + storages;
}

/// The same with one storage of u8, called "0", whose bytes are 0.
std::string legacy_of_bytes(const std::string& state, std::size_t bytes) {
  return legacy(state, "]" + pickled("0") + "a", number(bytes, 8) + std::string(bytes, '\0'));
}

using Entries = std::vector<std::pair<std::string, std::string>>;

/// A ZIP archive of these names and contents.
std::string zip(const Entries& entries) {
  std::string out, directory;
  for (const auto& [name, content] : entries) {
    const std::string fields = number(0, 8) +
                               number(eigenformer::io::detail::crc32(bytes_of(content)), 4) +
                               number(content.size(), 4) + number(content.size(), 4) +
                               number(name.size(), 2) + number(0, 2);
    directory += "PK\1\2\x14\0\x14\0"s + fields + number(0, 10) + number(out.size(), 4) + name;
    out += "PK\3\4\x14\0"s + fields + name + content;
  }
  return out + directory + "PK\5\6\0\0\0\0"s + number(entries.size(), 2) +
         number(entries.size(), 2) + number(directory.size(), 4) + number(out.size(), 4) +
         number(0, 2);
}

std::string zip(const std::string& state, Entries storages) {
  for (auto& [name, content] : storages) name = "a/data/" + name;
  storages.emplace_back("a/data.pkl", "\x80\x02" + state + ".");
  return zip(storages);
}

// The makers make what the reader reads: else the tests below would show little.
TEST(TorchCheckpointTest, ReadsWhatIsMadeHere) {
  const std::string state =
      "}" + pickled("a") + tensor(storage("0", "ByteStorage", 4), 1, {3}, {1}) + "s";
  for (const std::string& file :
       {legacy(state, "]" + pickled("0") + "a", number(4, 8) + "\1\2\3\4"),
        zip(state, {{"0", "\1\2\3\4"}})}) {
    const Tensors tensors = parse(file);
    EXPECT_EQ(tensors.size(), 1u);
    EXPECT_EQ(text(tensors.at("a")), "U8 [3]");
    EXPECT_EQ(io_test::content_of(tensors.at("a")), "\2\3\4");
  }
}

// Torch itself writes an empty storage as several types, and any other as one.
TEST(TorchCheckpointTest, ReadsAnEmptyStorageAsSeveralTypes) {
  const auto pair_of = [](std::int64_t elements) {
    return "}(" + pickled("a") +
           tensor(storage("0", "FloatStorage", elements), 0, {elements}, {1}) + pickled("b") +
           tensor(storage("0", "IntStorage", elements), 0, {elements}, {1}) + "u";
  };
  const std::string key = "]" + pickled("0") + "a";
  for (const std::string& file :
       {legacy(pair_of(0), key, number(0, 8)), zip(pair_of(0), {{"0", ""}})}) {
    const Tensors tensors = parse(file);
    EXPECT_EQ(text(tensors.at("a")), "F32 [0]");
    EXPECT_EQ(text(tensors.at("b")), "I32 [0]");
  }
  expect_error(ErrorCode::format, "storage \"0\" has two types or sizes",
               [&] { parse(legacy(pair_of(1), key, number(1, 8) + "\1\2\3\4")); });
  expect_error(ErrorCode::format, "its storage \"0\" is of I32 here and of F32", [&] {
    parse(zip(pair_of(1), {{"0", "\1\2\3\4"}}));
  });
}

// ------------------------------------------------------------------ limits

TEST(TorchCheckpointLimitTest, HoldsEachOne) {
  const Tensors values = values_of("tiny_zip.bin");
  for (const char* const file : {"tiny_zip.bin", "tiny_legacy.bin"}) {
    SCOPED_TRACE(file);
    const std::string content = content_of(fixtures / file);
    const auto refused = [&](ErrorCode code, const std::string& part, const LoadLimits& limits) {
      expect_error(code, part, [&] { parse(content, limits); });
    };
    LoadLimits limits;
    limits.tensors = 3;
    limits.tensor_name_bytes = 1;
    limits.dimensions = 2;
    limits.memory_bytes = content.size() + 12;  // b, transposed
    expect_equal(parse(content, limits), values);
    LoadLimits one = limits;
    one.tensors = 2;
    refused(ErrorCode::format, "3 tensors, the limit is 2 (LoadLimits::tensors)", one);
    one = limits;
    one.tensor_name_bytes = 0;
    refused(ErrorCode::format, "the limit is 0 (LoadLimits::tensor_name_bytes)", one);
    one = limits;
    one.dimensions = 1;
    refused(ErrorCode::format, "2 dimensions, the limit is 1 (LoadLimits::dimensions)", one);
    for (const std::size_t bytes : {content.size() + 11, content.size(), content.size() - 1}) {
      one.memory_bytes = bytes;
      const std::size_t needed = bytes < content.size() ? content.size() : content.size() + 12;
      one.dimensions = 2;
      refused(ErrorCode::out_of_memory,
              "tiny: needs " + std::to_string(needed) + " bytes of memory, the budget is " +
                  std::to_string(bytes) + " (LoadLimits::memory_bytes)",
              one);
    }
  }
}

TEST(TorchCheckpointLimitTest, HoldsThatOfAPickle) {
  const auto least = [](const std::string& content) {
    LoadLimits limits;
    for (limits.header_bytes = 0;; ++limits.header_bytes) {
      try {
        parse(content, limits);
        return limits.header_bytes;
      } catch (const Error& error) {
        EXPECT_NE(std::string_view(error.what()).find("(LoadLimits::header_bytes)"),
                  std::string_view::npos)
            << error.what();
      }
    }
  };
  // All its pickles, up to the storages; and the one of an archive.
  EXPECT_EQ(least(legacy("}")), legacy("}").size());
  EXPECT_EQ(least(zip("}", {})), 4u);
}

TEST_F(TorchCheckpointFileTest, ChecksTheBudgetBeforeItReads) {
  write("a", "PK\3\4");
  std::filesystem::resize_file(path("a"), std::uintmax_t{1} << 40);
  LoadLimits limits;
  limits.memory_bytes = std::uint64_t{1} << 30;
  expect_error(ErrorCode::out_of_memory, path("a") + ": needs 1099511627776 bytes of memory",
               [&] { read_torch_checkpoint(path("a"), limits); });
}

// ------------------------------------------------------------------ what it costs

/// A file whose content is made to cost more than itself.
struct Costly {
  std::string name;
  std::string content;
  std::string part;  ///< of the error's text; empty where the file is a good one
};

const std::string twice = "takes more memory than the";

/// A megabyte of values, in all ways to make them.
std::vector<Costly> costly_pickles() {
  std::vector<Costly> out;
  for (const auto& [name, part] : {std::pair("nones", "N"s),
                                   {"dicts", "}"},
                                   {"lists", "]"},
                                   {"marks", "("},
                                   {"tuples", ")"},
                                   {"chain_of_tuples", ")\x85"},
                                   {"lists_in_lists", "]a"},
                                   {"memoized", "N\x94"},
                                   {"persistent_ids", ")Q"},
                                   {"gets", "h\0"s},
                                   {"pairs", "NN\x86"},
                                   {"texts", "U\0"s},
                                   {"marked_tuples", "(Nt"}}) {
    out.push_back({name, legacy("]q\0]"s + repeated(part, mebibyte / part.size())), twice});
  }
  // In the keys of the storages, and in what stands before the state dict.
  out.push_back({"keys", legacy("}", "](" + repeated("N", mebibyte) + "e"), twice});
  out.push_back({"preamble", "\x80\x02(" + repeated("N", mebibyte) + "t.", twice});
  out.push_back({"zip_nones", zip("]" + repeated("N", mebibyte), {}), twice});
  return out;
}

/// What stands for more than it is.
std::vector<Costly> costly_references() {
  constexpr std::size_t many = 16'000;
  std::vector<Costly> out;
  // Each list has the one before fifty times: 50^1000 numbers for who counts them one by one.
  std::string lists = "]q\0"s;
  for (std::size_t i = 0; i < 1000; ++i) {
    lists += "](" + repeated("j" + number(i, 4), 50) + "er" + number(i + 1, 4);
  }
  out.push_back({"lists_in_lists", legacy("}" + pickled("a") + "(" + lists + "ts"),
                 "expected a tensor, got a tuple of 1001"});
  // One dict of many under each of many keys, by turns as it is and made from pairs.
  const std::string entries = "}q\0("s + repeated("U\1aK\1", many) + "u";
  out.push_back({"dicts_in_dicts", legacy("}(U\1b" + entries + repeated("U\1ch\0"s, many) + "u"),
                 "expected a tensor, got a dict"});
  out.push_back({"models",
                 legacy("}(" + pickled("model") + entries + repeated("U\5modelh\0"s, many) + "u"),
                 "has tensors in dicts inside a dict"});
  const std::string pairs =
      "ccollections\nOrderedDict\nq\0]("s + repeated("U\1aN\x86", many / 4) + "e\x85q\1R"s;
  out.push_back({"dicts_of_pairs",
                 legacy("}(U\1b" + pairs + repeated("U\1ch\0h\1R"s, many / 4) + "u"),
                 "what collections.OrderedDict returns"});
  // One tensor under one long name, and under many short ones.
  const std::string shared = tensor(storage("0", "ByteStorage", 1), 0, {1}, {1}) + "q\0"s;
  out.push_back({"one_name",
                 legacy_of_bytes("}(" + pickled(std::string(512, 'n')) + "q\1"s + shared +
                                     repeated("h\1h\0"s, 500) + "u",
                                 1),
                 "occurs twice"});
  std::string names;
  for (std::size_t i = 0; i < many; ++i) names += pickled(number(i % 60 + 32, 1)) + "h\0"s;
  out.push_back({"many_names", legacy_of_bytes("}(U\1a" + shared + names + "u", 1), twice});
  // One storage's id again and again.
  const std::string id = "(" + pickled("storage") + "ctorch\nByteStorage\n" + pickled("0") + "N" +
                         pickled(1) + "tq\0Q"s;
  out.push_back(
      {"one_storage",
       legacy_of_bytes(
           "}(U\1a" + tensor(id, 0, {1}, {1}) + "U\1b](" + repeated("h\0Q"s, many / 2) + "eu", 1),
       "entry \"b\": expected a tensor, got a list"});
  return out;
}

/// Arguments and names as large as the file.
std::vector<Costly> costly_arguments() {
  const std::string large(mebibyte, 'x');
  const std::string huge = "\x8B" + number(mebibyte, 4) + large;
  const std::string place = storage("0", "ByteStorage", 1);
  const auto one = [](const std::string& value) { return "}" + pickled("a") + value + "s"; };
  const Shape dimensions(mebibyte / 16, 1);
  return {
      {"text", legacy(pickled(large)), "expected a dict of tensors, got \"xxx"},
      {"name", legacy_of_bytes("}" + pickled(large) + tensor(place, 0, {1}, {1}) + "s", 1),
       "a name of 1048576 bytes, the limit is 512"},
      {"key", legacy(one(tensor(storage(large, "ByteStorage", 1), 0, {1}, {1}))),
       "expected a storage's key, got \"xxx"},
      {"integer", legacy(huge), "expected a dict of tensors, got an integer of more than 64 bits"},
      {"magic", "\x80\x02" + huge + ".", "expected its magic number, got an integer"},
      {"global", legacy("c" + large + "\n" + large + "\n"), "which plain tensors don't need"},
      {"type", legacy(one("(" + pickled("storage") + pickled(large) + "NNNtQ")),
       "expected a type of storage, got \"xxx"},
      {"shape", legacy_of_bytes(one(tensor(place, 0, dimensions, dimensions)), 1),
       "65536 dimensions, the limit is 8"},
      {"arguments",
       legacy(one("ctorch._utils\n_rebuild_tensor_v2\n(" + repeated("N", 30'000) + "tR")),
       "expected 6 or 7 arguments, got a tuple of"},
      {"version", zip({{"a/data.pkl", "}."}, {"a/version", large}}), "version: expected \"3"},
      {"comment", zip({{"a/data.pkl", "}."}}) + std::string(65536, '\0'), "is it cut short?"},
      {"bad_text", "\x93" + large, "begins neither as"},
  };
}

/// Archives of more entries than anybody has, and tensors that are all strides.
std::vector<Costly> costly_layouts() {
  std::vector<Costly> out;
  Entries empty, long_names;
  std::string state, keys, counts;
  for (std::size_t i = 0; i < 8000; ++i) {
    const std::string key = std::to_string(i);
    empty.emplace_back(key, "");
    if (i >= 1000) continue;
    state += pickled(key) + tensor(storage(key, "FloatStorage", 0), 0, {0}, {1});
    keys += pickled(key);
    counts += number(0, 8);
  }
  for (std::size_t i = 0; i < 16; ++i) {
    long_names.emplace_back(std::string(32'000, 'n') + std::to_string(i), "");
  }
  out.push_back({"entries", zip("}", empty), ""});
  out.push_back({"long_names", zip("}", long_names), ""});
  out.push_back({"storages", zip("}(" + state + "u", empty), ""});
  out.push_back({"legacy_storages", legacy("}(" + state + "u", "](" + keys + "e", counts), ""});
  const auto bytes = static_cast<std::int64_t>(mebibyte);
  const auto laid_out = [&](const std::string& name, const Shape& shape, const Shape& strides) {
    const std::string place = storage("0", "ByteStorage", bytes);
    const std::string one = "}" + pickled("a") + tensor(place, 0, shape, strides) + "s";
    out.push_back({name, legacy_of_bytes(one, mebibyte), ""});
    out.push_back({"zip_" + name, zip(one, {{"0", std::string(mebibyte, '\0')}}), ""});
  };
  laid_out("repeated", {bytes, 1, 1, 1, 1, 1, 1, 1}, {0, 1, 1, 1, 1, 1, 1, 1});
  laid_out("transposed", {1024, 1024}, {1, 1024});
  laid_out("columns", {bytes / 2, 1}, {2, 1});
  return out;
}

std::vector<Costly> costly_files() {
  std::vector<Costly> out;
  for (const auto make : {costly_pickles, costly_references, costly_arguments, costly_layouts}) {
    std::vector<Costly> more = make();
    std::move(more.begin(), more.end(), std::back_inserter(out));
  }
  return out;
}

/// At most twice the file and 1 MiB, also where Tensors come of it.
std::size_t most_memory(std::size_t file) { return 2 * file + mebibyte; }

TEST_F(TorchCheckpointFileTest, CostsLittleWhateverItHas) {
  const std::vector<Costly> files = costly_files();
  EXPECT_GT(files.size(), 40u);
  for (const Costly& costly : files) {
    SCOPED_TRACE(costly.name);
    write("a", costly.content);
    std::string said;
    std::optional<Tensors> tensors;
    const std::clock_t before = std::clock();
    const std::size_t peak = peak_memory([&] {
      try {
        tensors.emplace(read_torch_checkpoint(path("a")));
      } catch (const Error& error) {
        said = error.what();
      }
    });
    const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    if (tensors) content_of(*tensors);
    EXPECT_NE(said.find(costly.part), std::string::npos) << said;
    EXPECT_EQ(said.empty(), costly.part.empty()) << said;
    // Of the processor, the sanitizers' share included: tens of milliseconds without them.
    EXPECT_LT(seconds, 3);
    if (eigenformer::test::memory_is_counted()) {
      EXPECT_LE(peak, most_memory(costly.content.size()));
    }
  }
}

class TorchCheckpointMemoryTest : public io_test::FolderTest {
 protected:
  void SetUp() override {
    io_test::FolderTest::SetUp();
    if (!eigenformer::test::memory_is_counted()) GTEST_SKIP() << "under this sanitizer";
  }
};

TEST_F(TorchCheckpointMemoryTest, IsSmallForMalformedFiles) {
  for (const io_test::Malformed& malformed : io_test::malformed_files("torch")) {
    const auto file = hostile_files / malformed.file;
    EXPECT_LE(peak_memory([&] { read_torch_checkpoint(file.string()); }),
              most_memory(std::filesystem::file_size(file)))
        << malformed.file;
  }
}

TEST_F(TorchCheckpointMemoryTest, IsSmallForRecordedFiles) {
  for (const std::string& name : recorded_files()) {
    const auto file = fixtures / name;
    EXPECT_LE(peak_memory([&] { read_torch_checkpoint(file.string()); }),
              most_memory(std::filesystem::file_size(file)))
        << name;
  }
}

// Values that were many at first leave the lists of the stack's blocks behind, in which the rest
// comes on top.
TEST_F(TorchCheckpointMemoryTest, IsSmallForAStackThatShrinks) {
  constexpr std::size_t size = 64 * mebibyte;
  constexpr std::size_t half = size / sizeof(PickleValue) * 16 / 17 / 2;
  write("a", legacy("](" + repeated("N", half) + "t" +
                    repeated("(" + repeated("N", 1000) + "t", size / sizeof(PickleValue) / 1000)));
  std::filesystem::resize_file(path("a"), size);
  EXPECT_LE(peak_memory([&] {
              expect_error(ErrorCode::format, twice, [&] { read_torch_checkpoint(path("a")); });
            }),
            most_memory(size));
}

// Of a model that is laid out as usual, one copy and no more.
TEST_F(TorchCheckpointMemoryTest, IsThatOfTheDataAndOnlyOnce) {
  const std::size_t size = 8 * mebibyte;
  const auto half = static_cast<std::int64_t>(size / 2);
  const std::string place = storage("0", "ByteStorage", 2 * half);
  const std::string state = "}(" + pickled("a") + tensor(place, 0, {half}, {1}) + pickled("b") +
                            tensor(place, half, {half}, {1}) + "u";
  for (const std::string& content :
       {legacy_of_bytes(state, size), zip(state, {{"0", std::string(size, '\0')}})}) {
    write("a", content);
    const std::size_t peak =
        peak_memory([&] { EXPECT_EQ(read_torch_checkpoint(path("a")).size(), 2u); });
    EXPECT_GE(peak, size);
    EXPECT_LT(peak, size + mebibyte / 4);
    const std::size_t before = live_memory();
    const Tensors tensors = read_torch_checkpoint(path("a"));
    EXPECT_LT(live_memory() - before, mebibyte / 4);
  }
}

// Sizes that a file claims and doesn't have.
TEST_F(TorchCheckpointMemoryTest, IsSmallForLargeClaims) {
  constexpr std::int64_t claim = std::int64_t{1} << 40;
  const std::string state =
      "}" + pickled("a") + tensor(storage("0", "ByteStorage", claim), 0, {claim}, {1}) + "s";
  for (const std::string& content :
       {legacy(state, "]" + pickled("0") + "a", number(claim, 8)), zip(state, {{"0", ""}})}) {
    write("pytorch_model.bin", content);
    EXPECT_LT(peak_memory([&] { open_checkpoint(path("")); }), mebibyte);
    EXPECT_FALSE(survived(content).has_value());
  }
}

}  // namespace
