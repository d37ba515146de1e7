// SPDX-License-Identifier: MIT
#include "eigenformer/io/safetensors_writer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/io/safetensors.hpp"
#include "io/support.hpp"
#include "io/tensors.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using io_test::bytes_of;
using io_test::content_of;
using io_test::ErrorCode;
using io_test::expect_error;

using SafetensorsWriterTest = io_test::FolderTest;

NamedTensor tensor(std::string name, DataType type, Shape shape, std::string_view bytes) {
  return {std::move(name), {type, std::move(shape), bytes_of(bytes)}};
}

TEST_F(SafetensorsWriterTest, WritesTheseBytes) {
  const std::vector<NamedTensor> list{tensor("b", DataType::u8, {1}, "B"),
                                      tensor("a", DataType::u8, {1}, "A"),
                                      tensor("w", DataType::f32, {1, 1}, "WWWW")};
  write_safetensors(path("a"), list, {{"format", "pt"}});
  EXPECT_EQ(content_of(path("a")),
            "\xC0\0\0\0\0\0\0\0"s
            R"({"__metadata__":{"format":"pt"},)"
            R"("w":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},)"
            R"("a":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},)"
            R"("b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}})"
            " WWWWAB"s);
  EXPECT_EQ(files(), std::vector<std::string>{"a"});
}

TEST_F(SafetensorsWriterTest, WritesAFileOfNothing) {
  write_safetensors(path("a"), {});
  EXPECT_EQ(content_of(path("a")), "\x08\0\0\0\0\0\0\0{}      "s);
  EXPECT_EQ(read_safetensors(path("a")).size(), 0u);
}

void expect_same(const Tensors& got, std::span<const NamedTensor> expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (const NamedTensor& entry : expected) {
    const TensorView& tensor = got.at(entry.name);
    EXPECT_EQ(tensor.type, entry.tensor.type);
    EXPECT_EQ(tensor.shape, entry.tensor.shape);
    EXPECT_EQ(io_test::content_of(tensor), io_test::content_of(entry.tensor));
  }
}

TEST_F(SafetensorsWriterTest, MakesARoundTripOfAllTypesAndOddNames) {
  std::vector<NamedTensor> list;
  const std::string bytes = "0123456789abcdefghijklmn";
  for (std::size_t i = 0; i < data_types; ++i) {
    const auto type = static_cast<DataType>(i);
    list.push_back(tensor("t" + std::to_string(i), type, {3},
                          std::string_view(bytes).substr(0, 3 * size_of(type))));
    list.push_back(tensor("e" + std::to_string(i), type, {2, 0}, ""));
  }
  for (const std::string& name : {""s, "\"\\\n\0\x7F"s, "\xC3\xA9\xF0\x9F\x98\x80"s, "a/b~c"s}) {
    list.push_back(tensor(name, DataType::boolean, {}, "\1"));
  }
  const Metadata metadata{{"\"k\"\n", "\t\xC3\xA9"}, {"", ""}};
  write_safetensors(path("a"), list, metadata);
  const Tensors got = read_safetensors(path("a"));
  expect_same(got, list);
  EXPECT_EQ(got.metadata(), metadata);
  // As the format promises: the data, and so every tensor, is aligned in the file.
  std::uint64_t header = 0;
  std::memcpy(&header, content_of(path("a")).data(), sizeof(header));
  EXPECT_EQ(header % 8, 0u);
}

// The reference wrote the golden; its tensors, written by us, are the same file.
TEST_F(SafetensorsWriterTest, WritesWhatTheReferenceWrites) {
  const std::string golden = (io_test::data_folder / "ops/ops.safetensors").string();
  const Tensors tensors = read_safetensors(golden);
  const std::vector<NamedTensor> list(tensors.begin(), tensors.end());
  write_safetensors(path("a"), list, tensors.metadata());
  EXPECT_TRUE(content_of(path("a")) == content_of(golden));
}

TEST_F(SafetensorsWriterTest, RefusesWhatNoFileCanHold) {
  const auto refused = [&](std::string_view part, const std::vector<NamedTensor>& list) {
    expect_error(ErrorCode::invalid_argument, part, [&] { write_safetensors(path("a"), list); });
  };
  refused("tensor \"x\": F32 [2] does not take 4 bytes", {tensor("x", DataType::f32, {2}, "1234")});
  refused("does not take 0 bytes",
          {tensor("x", DataType::f32, {std::numeric_limits<std::int64_t>::max()}, "")});
  refused("does not take 0 bytes", {tensor("x", DataType::f32, {-1, 0}, "")});
  refused("its name is not UTF-8", {tensor("\xFF", DataType::u8, {0}, "")});
  refused("the name is reserved", {tensor("__metadata__", DataType::u8, {0}, "")});
  refused("tensor \"x\": occurs twice",
          {tensor("x", DataType::u8, {0}, ""), tensor("x", DataType::f32, {0}, "")});
  expect_error(ErrorCode::invalid_argument, "is not UTF-8", [&] {
    write_safetensors(path("a"), {}, {{"k", "\xFF"}});
  });
  expect_error(ErrorCode::io, "none/a: cannot create",
               [&] { write_safetensors(path("none/a"), {}); });
  EXPECT_TRUE(files().empty());
}

}  // namespace
