// SPDX-License-Identifier: MIT
#include "eigenformer/io/safetensors.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
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
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensors.at("x").bytes.data()) % 64, 0u);
}

TEST(SafetensorsTest, OwnsACopy) {
  std::string content = tiny;
  const Tensors tensors = parse(content);
  content.assign(content.size(), '\xFF');
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

TEST(SafetensorsTest, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < tiny.size(); ++size) {
    expect_error(ErrorCode::format, "tiny: ", [&] { parse(tiny.substr(0, size)); });
    expect_error(ErrorCode::format, "cut short", [&] { parse(tiny.substr(0, size)); });
  }
}

TEST(SafetensorsTest, SurvivesEveryFlippedBit) {
  std::size_t valid = 0;
  for (std::size_t i = 0; i < tiny.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = tiny;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      try {
        const Tensors tensors = parse(bad);
        ++valid;
        for (const NamedTensor& entry : tensors) {
          EXPECT_EQ(static_cast<std::int64_t>(entry.tensor.bytes.size()),
                    byte_size(entry.tensor.type, entry.tensor.shape));
        }
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == ErrorCode::format || error.code() == ErrorCode::unsupported)
            << error.what();
        EXPECT_EQ(std::string_view(error.what()).substr(0, 6), "tiny: ");
      }
    }
  }
  // The data's own bits, and letters of names and metadata.
  EXPECT_GT(valid, 9u * 8);
}

TEST_F(SafetensorsFileTest, FailsFromAFileAsFromMemory) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{20}, tiny.size() - 1}) {
    std::string from_memory, from_file;
    write("a", tiny.substr(0, size));
    try {
      parse_safetensors(bytes_of(tiny.substr(0, size)), path("a"));
    } catch (const Error& error) {
      from_memory = error.what();
    }
    try {
      read_safetensors(path("a"));
    } catch (const Error& error) {
      from_file = error.what();
    }
    EXPECT_FALSE(from_file.empty());
    EXPECT_EQ(from_file, from_memory);
  }
  expect_error(ErrorCode::io, "No such file", [&] { read_safetensors(path("none")); });
  expect_error(ErrorCode::io, "is a directory", [&] { read_safetensors(path("")); });
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

// A header that claims a terabyte, in a file that has it (sparse), fails on what the header is.
TEST_F(SafetensorsFileTest, ChecksTheHeaderBeforeItAllocatesTheData) {
  write("a", file_of(R"({"a":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1]}})"));
  std::filesystem::resize_file(path("a"), std::uintmax_t{1} << 40);
  expect_error(ErrorCode::format, "U8 [1099511627776] takes 1099511627776 bytes",
               [&] { read_safetensors(path("a")); });
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
  expect_error(GetParam().code, GetParam().part, [&] { parse(io_test::content_of(path)); });
}

INSTANTIATE_TEST_SUITE_P(Files, MalformedSafetensorsTest,
                         testing::ValuesIn(io_test::malformed_files("safetensors")),
                         io_test::test_name);

TEST(MalformedSafetensorsTable, IsComplete) { io_test::expect_complete_table("safetensors"); }

// What a reader can know without the reference: bucket 0 is position 0, softmax sums to 1.
TEST(SafetensorsGoldenTest, ReadsTheReferencesFile) {
  const Tensors tensors =
      read_safetensors((io_test::data_folder / "goldens/ops/ops.safetensors").string());
  const auto probabilities = values<double>(tensors, "attention.mha.probs");
  EXPECT_EQ(tensors.at("attention.mha.probs").elements(), 4u * 7 * 7);
  for (std::size_t row = 0; row < probabilities.size() / 7; ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < 7; ++i) sum += probabilities[row * 7 + i];
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

}  // namespace
