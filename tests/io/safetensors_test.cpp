// SPDX-License-Identifier: MIT
#include "eigenformer/io/safetensors.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "eigenformer/io/tensor_values.hpp"
#include "io/support.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using eigenformer::Error;
using io_test::bytes_of;
using io_test::ErrorCode;
using io_test::expect_error;

// A whole file, spelled out: two floats, then one byte.
const std::string tiny =
    "\x8D\0\0\0\0\0\0\0"s
    R"({"__metadata__":{"made":"by hand"},)"
    R"("x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
    R"("n":{"dtype":"U8","shape":[],"data_offsets":[8,9]}})"
    "\0\0\x80\x3F"  // 1.0
    "\0\0\0\xC0"    // -2.0
    "\x07"s;

Tensors parse(std::string_view content, const LoadLimits& limits = {}) {
  return parse_safetensors(bytes_of(content), "tiny", limits);
}

/// A file with that header.
std::string file_of(std::string_view header, std::string_view data = "") {
  std::string out;
  for (std::size_t shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>(header.size() >> shift & 255);
  }
  return out.append(header).append(data);
}

void expect_tiny(const Tensors& tensors) {
  EXPECT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors.at("x").type, DataType::f32);
  EXPECT_EQ(tensors.at("x").shape, (Shape{2, 1}));
  EXPECT_EQ(values<float>(tensors, "x"), (std::vector<float>{1, -2}));
  EXPECT_EQ(tensors.at("n").shape, Shape{});
  EXPECT_EQ(values<std::int64_t>(tensors, "n"), std::vector<std::int64_t>{7});
  EXPECT_EQ(tensors.metadata(), (Metadata{{"made", "by hand"}}));
}

TEST(SafetensorsTest, ReadsTheTinyFileFromMemory) {
  ASSERT_EQ(tiny.size(), 8u + 0x8D + 9);
  expect_tiny(parse(tiny));
  EXPECT_EQ(parse(tiny).file(), "tiny");
}

using SafetensorsFileTest = io_test::FolderTest;

TEST_F(SafetensorsFileTest, ReadsTheTinyFile) {
  const Tensors tensors = read_safetensors(write("a", tiny));
  expect_tiny(tensors);
  EXPECT_EQ(tensors.file(), path("a"));
}

TEST(SafetensorsTest, OwnsACopy) {
  std::string content = tiny;
  const Tensors tensors = parse(content);
  content.assign(content.size(), '\xFF');
  expect_tiny(tensors);
}

TEST(SafetensorsTest, ViewsTheCallersBytes) {
  const Tensors tensors = view_safetensors(bytes_of(tiny), "tiny");
  expect_tiny(tensors);
  EXPECT_EQ(tensors.file(), "tiny");
  ByteBuffer unused;
  EXPECT_EQ(tensors.at("n").bytes.in(unused).data(), &bytes_of(tiny).back());
}

TEST_F(SafetensorsFileTest, MapsTheTinyFile) {
  const Tensors tensors = map_safetensors(write("a", tiny));
  expect_tiny(tensors);
  EXPECT_EQ(tensors.file(), path("a"));
  // At its place in a page: the data lies where the file has it.
  ByteBuffer unused;
  const auto place = reinterpret_cast<std::uintptr_t>(tensors.at("x").bytes.in(unused).data());
  EXPECT_EQ(place % 4096, 8u + 0x8D);
}

// The mapping or the open file, not only the views, goes with the tensors.
TEST_F(SafetensorsFileTest, KeepsTheFileWhenMovedAndCopied) {
  for (const auto open : {read_safetensors, map_safetensors}) {
    std::optional<Tensors> tensors(open(write("a", tiny), {}));
    std::optional<Tensors> moved(std::move(*tensors));
    tensors.reset();
    expect_tiny(*moved);
    const Tensors copy = *moved;
    moved.reset();
    std::filesystem::remove(path("a"));
    expect_tiny(copy);
  }
}

TEST_F(SafetensorsFileTest, IsReadOnlyAsItWasOpened) {
  const std::function<void(const std::string&)> changes[] = {
      [](const std::string& file) { std::filesystem::resize_file(file, tiny.size() - 1); },
      [](const std::string& file) { std::filesystem::resize_file(file, 0); },
      [](const std::string& file) { std::ofstream(file, std::ios::app) << 'x'; },
      [](const std::string& file) {
        std::fstream(file).write(tiny.data(), std::streamsize(tiny.size()));
      }};
  for (const auto& change : changes) {
    const Tensors tensors = read_safetensors(write("a", tiny));
    expect_tiny(tensors);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // files have coarse clocks
    change(path("a"));
    expect_error(ErrorCode::io, path("a") + ": ha", [&] { values<std::int64_t>(tensors, "n"); });
  }
}

TEST_F(SafetensorsFileTest, IsReadAsItWasWhereAnotherTakesItsName) {
  const Tensors tensors = read_safetensors(write("a", tiny));
  std::filesystem::rename(write("b", "something else"), path("a"));
  expect_tiny(tensors);
}

TEST(SafetensorsTest, ReadsAFileOfNothing) {
  EXPECT_EQ(parse(file_of("{}")).size(), 0u);
  EXPECT_EQ(parse(file_of("{}      \n")).size(), 0u);
  EXPECT_EQ(parse(file_of(R"({"__metadata__":{}})")).size(), 0u);
}

TEST(SafetensorsTest, ReadsEmptyTensorsBetweenOthers) {
  const Tensors tensors = parse(file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
      "b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},
      "e":{"dtype":"F32","shape":[3,0],"data_offsets":[1,1]},
      "f":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}})",
                                        "\1\2"));
  EXPECT_EQ(tensors.at("e").elements(), 0u);
  EXPECT_EQ(tensors.at("e").shape, (Shape{3, 0}));
  EXPECT_EQ(values<std::int64_t>(tensors, "b")[0], 2);
}

// Nothing in the format aligns a tensor; only writers do.
TEST(SafetensorsTest, ReadsTensorsThatAreNotAligned) {
  const Tensors tensors = parse(file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
      "b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}} )",
                                        "\1\0\0\x80\x3F"s));
  EXPECT_EQ(values<float>(tensors, "b"), std::vector<float>{1});
}

TEST(SafetensorsTest, TakesNamesAsBytes) {
  const Tensors tensors =
      parse(file_of(R"({"a\u0000\n\u00e9":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},
                        "":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"));
  EXPECT_NE(tensors.find("a\0\n\xC3\xA9"s), nullptr);
  EXPECT_NE(tensors.find(""), nullptr);
}

/// What a way of opening says: an error's code and text, or nothing for valid tensors, each of
/// which has as many bytes as its shape takes.
template <class Open>
std::string outcome(Open open) {
  try {
    const Tensors tensors = open();
    unsigned sum = 0;
    ByteBuffer buffer;
    for (const NamedTensor& entry : tensors) {
      EXPECT_EQ(static_cast<std::int64_t>(entry.tensor.bytes.size()),
                byte_size(entry.tensor.type, entry.tensor.shape));
      for (const std::byte byte : entry.tensor.bytes.in(buffer)) sum += static_cast<unsigned>(byte);
    }
    EXPECT_LE(sum, 255 * tiny.size());
    return "";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::format || error.code() == ErrorCode::unsupported)
        << error.what();
    return eigenformer::name(error.code()) + (" " + std::string(error.what()));
  }
}

class SafetensorsWaysTest : public io_test::FolderTest {
 protected:
  /// The outcome for a file of that content, the same in each of the four ways.
  std::string same_outcome(const std::string& content) const {
    const std::string file = write("a", content);
    const std::string expected = outcome([&] { return read_safetensors(file); });
    EXPECT_EQ(outcome([&] { return map_safetensors(file); }), expected);
    EXPECT_EQ(outcome([&] { return parse_safetensors(bytes_of(content), file); }), expected);
    EXPECT_EQ(outcome([&] { return view_safetensors(bytes_of(content), file); }), expected);
    if (!expected.empty()) {
      EXPECT_NE(expected.find(" " + file + ": "), std::string::npos);
    }
    return expected;
  }
};

TEST_F(SafetensorsWaysTest, RefuseEveryTruncation) {
  for (std::size_t size = 0; size < tiny.size(); ++size) {
    const std::string said = same_outcome(tiny.substr(0, size));
    EXPECT_EQ(said.substr(0, 7), "format ") << size;
    EXPECT_NE(said.find("cut short"), std::string::npos) << said;
  }
}

TEST_F(SafetensorsWaysTest, SurviveEveryFlippedBit) {
  std::size_t valid = 0;
  for (std::size_t i = 0; i < tiny.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = tiny;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      if (same_outcome(bad).empty()) ++valid;
    }
  }
  // The data's own bits, and letters of names and metadata.
  EXPECT_GT(valid, 9u * 8);
  EXPECT_LT(valid, tiny.size() * 8 / 3);
}

TEST_F(SafetensorsFileTest, RefusesWhatIsNoFile) {
  std::filesystem::create_directory(path("folder.safetensors"));
  ASSERT_EQ(::mkfifo(path("pipe.safetensors").c_str(), 0600), 0);
  for (const auto open : {read_safetensors, map_safetensors}) {
    expect_error(ErrorCode::io, path("none") + ": cannot open: No such file",
                 [&] { open(path("none"), {}); });
    expect_error(ErrorCode::io, path("folder.safetensors") + ": is a directory",
                 [&] { open(path("folder.safetensors"), {}); });
    expect_error(ErrorCode::io, path("pipe.safetensors") + ": is not a regular file",
                 [&] { open(path("pipe.safetensors"), {}); });
  }
}

TEST_F(SafetensorsFileTest, RefusesAFileItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is forbidden to root";
  ASSERT_EQ(::chmod(write("a", tiny).c_str(), 0), 0);
  for (const auto open : {read_safetensors, map_safetensors}) {
    expect_error(ErrorCode::io, "cannot open: Permission denied", [&] { open(path("a"), {}); });
  }
}

TEST_F(SafetensorsFileTest, ChecksTheBudgetBeforeAnythingElse) {
  write("a", tiny);
  LoadLimits limits;
  limits.memory_bytes = tiny.size();
  expect_tiny(read_safetensors(path("a"), limits));
  limits.memory_bytes = tiny.size() - 1;
  const std::string part = "needs " + std::to_string(tiny.size()) + " bytes of memory";
  expect_error(ErrorCode::out_of_memory, part, [&] { read_safetensors(path("a"), limits); });
  expect_error(ErrorCode::out_of_memory, part, [&] { parse(tiny, limits); });
}

// What is mapped or the caller's costs no memory but for the header.
TEST_F(SafetensorsFileTest, ChecksTheBudgetOfTheHeaderAlone) {
  write("a", tiny);
  LoadLimits limits;
  limits.memory_bytes = 0x8D;
  expect_tiny(map_safetensors(path("a"), limits));
  expect_tiny(view_safetensors(bytes_of(tiny), "tiny", limits));
  limits.memory_bytes = 0x8C;
  const std::string part = ": needs 141 bytes of memory, the budget is 140";
  expect_error(ErrorCode::out_of_memory, path("a") + part,
               [&] { map_safetensors(path("a"), limits); });
  expect_error(ErrorCode::out_of_memory, "tiny" + part,
               [&] { view_safetensors(bytes_of(tiny), "tiny", limits); });
}

// A header that claims a terabyte, in a file that has it (sparse), fails on what the header is.
TEST_F(SafetensorsFileTest, ChecksTheHeaderBeforeItAllocatesTheData) {
  write("a", file_of(R"({"a":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1]}})"));
  std::filesystem::resize_file(path("a"), std::uintmax_t{1} << 40);
  for (const auto open : {read_safetensors, map_safetensors}) {
    expect_error(ErrorCode::format, "U8 [1099511627776] takes 1099511627776 bytes",
                 [&] { open(path("a"), {}); });
  }
}

TEST_F(SafetensorsFileTest, ChecksTheHeaderOfALargeHole) {
  write("a", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{\"a\":{"s);
  write("b", "\x01\xE1\xF5\x05\0\0\0\0{\"a\":{"s);  // 100,000,001
  write("c", "\x00\x00\x10\0\0\0\0\0{\"a\":{"s);    // 1 MiB, which is there: zeros
  for (const char* const name : {"a", "b", "c"}) {
    std::filesystem::resize_file(path(name), std::uintmax_t{1} << 40);
  }
  for (const auto open : {read_safetensors, map_safetensors}) {
    expect_error(ErrorCode::format, "a header of 9223372036854775807 bytes, expected 2 to 100",
                 [&] { open(path("a"), {}); });
    expect_error(ErrorCode::format, "a header of 100000001 bytes, expected 2 to 100000000",
                 [&] { open(path("b"), {}); });
    expect_error(ErrorCode::format, "header: byte 6: not readable as JSON: a NUL byte",
                 [&] { open(path("c"), {}); });
  }
}

// All of it is there, and none of it is read but the header: this takes no time.
TEST_F(SafetensorsFileTest, MapsATerabyte) {
  write("a", file_of(R"({"a":{"dtype":"F32","shape":[262144,1048576],)"
                     R"("data_offsets":[0,1099511627776]}})"));
  std::filesystem::resize_file(path("a"),
                               std::filesystem::file_size(path("a")) + (std::uintmax_t{1} << 40));
  const Tensors tensors = map_safetensors(path("a"));
  EXPECT_EQ(tensors.at("a").elements(), std::size_t{1} << 38);
  ByteBuffer unused;
  EXPECT_EQ(tensors.at("a").bytes.in(unused).back(), std::byte{0});
}

TEST(SafetensorsLimitTest, HoldsEachOne) {
  const auto refused = [](std::string_view part, const LoadLimits& limits) {
    expect_error(ErrorCode::format, part, [&] { parse(tiny, limits); });
  };
  LoadLimits limits;
  limits.header_bytes = 0x8D;
  limits.header_depth = 3;
  limits.tensors = 2;
  limits.tensor_name_bytes = 1;
  limits.metadata = 1;
  limits.dimensions = 2;
  expect_tiny(parse(tiny, limits));
  LoadLimits one = limits;
  one.header_bytes = 0x8C;
  refused("a header of 141 bytes, expected 2 to 140 (LoadLimits::header_bytes)", one);
  one = limits;
  one.header_depth = 2;
  refused("header: /x/shape: nested deeper than 2", one);
  one = limits;
  one.tensors = 1;
  refused("header: more than 1 tensors (LoadLimits::tensors)", one);
  one = limits;
  one.tensor_name_bytes = 0;
  refused("header: /x: a name of 1 bytes, the limit is 0 (LoadLimits::tensor_name_bytes)", one);
  one = limits;
  one.metadata = 0;
  refused("header: /__metadata__: more than 0 entries (LoadLimits::metadata)", one);
  one = limits;
  one.dimensions = 1;
  refused("header: /x/shape: 2 dimensions, the limit is 1 (LoadLimits::dimensions)", one);
}

// The JSON of a header may not need more memory than tensors would.
TEST(SafetensorsLimitTest, BoundsTheValuesOfAHeader) {
  LoadLimits limits;
  limits.tensors = 2;
  limits.metadata = 2;
  std::string header = "{\"a\":[0";
  for (int i = 0; i < 60; ++i) header += ",0";
  expect_error(ErrorCode::format, "header: more than 46 values",
               [&] { parse(file_of(header + "]}"), limits); });
}

class MalformedSafetensorsTest : public testing::TestWithParam<io_test::Malformed> {};

TEST_P(MalformedSafetensorsTest, IsRefused) {
  const std::string path =
      (io_test::data_folder / "malformed" / "safetensors" / GetParam().file).string();
  expect_error(GetParam().code, GetParam().part, [&] { read_safetensors(path); });
  expect_error(GetParam().code, path + ": ", [&] { read_safetensors(path); });
  expect_error(GetParam().code, GetParam().part, [&] { map_safetensors(path); });
  expect_error(GetParam().code, path + ": ", [&] { map_safetensors(path); });
  const std::string content = io_test::content_of(path);
  expect_error(GetParam().code, GetParam().part, [&] { parse(content); });
  expect_error(GetParam().code, GetParam().part,
               [&] { view_safetensors(bytes_of(content), "tiny"); });
}

INSTANTIATE_TEST_SUITE_P(Files, MalformedSafetensorsTest,
                         testing::ValuesIn(io_test::malformed_files("safetensors")),
                         io_test::test_name);

TEST(MalformedSafetensorsTable, IsComplete) { io_test::expect_complete_table("safetensors"); }

// What a reader can know without the reference: bucket 0 is position 0, softmax sums to 1.
TEST(SafetensorsGoldenTest, ReadsTheReferencesFile) {
  const Tensors tensors = read_safetensors((io_test::data_folder / "ops/ops.safetensors").string());
  const auto probabilities = values<double>(tensors, "attention.mha.probs");
  EXPECT_EQ(tensors.at("attention.mha.probs").elements(), 4u * 7 * 7);
  for (std::size_t row = 0; row < probabilities.size() / 7; ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < 7; ++i) sum += probabilities[row * 7 + i];
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

}  // namespace
