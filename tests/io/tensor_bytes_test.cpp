// SPDX-License-Identifier: MIT
#include "eigenformer/io/tensor_bytes.hpp"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "io/support.hpp"
#include "io/tensors.hpp"

namespace {

using namespace eigenformer::io;
using io_test::bytes_of;
using io_test::content_of;
using io_test::ErrorCode;
using io_test::expect_error;

using TensorBytesTest = io_test::FolderTest;

TEST_F(TensorBytesTest, AreInMemoryOrInAFile) {
  const std::string_view text = "0123456789";
  const InputFile file(write("a", text));
  for (const TensorBytes& bytes : {TensorBytes(bytes_of(text)), TensorBytes(file, 0, 10)}) {
    EXPECT_EQ(bytes.size(), 10u);
    EXPECT_EQ(content_of(bytes), text);
    EXPECT_EQ(content_of(bytes.first(3)), "012");
    EXPECT_EQ(content_of(bytes.subspan(2, 5).subspan(1, 3)), "345");
    EXPECT_EQ(content_of(bytes.subspan(10, 0)), "");
  }
  EXPECT_EQ(content_of(TensorBytes()), "");
}

TEST_F(TensorBytesTest, StayWhereTheyAreInMemory) {
  ByteBuffer buffer;
  const std::string_view text = "abc";
  EXPECT_EQ(TensorBytes(bytes_of(text)).in(buffer).data(), bytes_of(text).data());
  EXPECT_EQ(buffer.size(), 0u);
  const InputFile file(write("a", text));
  const auto read = TensorBytes(file, 1, 2).in(buffer);
  EXPECT_EQ(read.data(), buffer.data());
  EXPECT_EQ(as_text(buffer.span()), "bc");
}

TEST_F(TensorBytesTest, HaveAPlace) {
  const std::string_view text = "abcdef";
  const InputFile one(write("a", text)), two(write("b", text));
  const TensorBytes memory(bytes_of(text)), of_one(one, 0, 6), of_two(two, 0, 6);
  EXPECT_LT(memory.place(), memory.subspan(1, 2).place());
  EXPECT_LT(of_one.place(), of_one.subspan(1, 2).place());
  EXPECT_EQ(of_one.subspan(2, 1).place(), TensorBytes(one, 2, 4).place());
  EXPECT_NE(of_one.place(), of_two.place());
  EXPECT_NE(of_one.place(), memory.place());
}

TEST_F(TensorBytesTest, AreComparedInPieces) {
  std::string text(200'000, 'x');
  const InputFile file(write("a", text));
  const TensorBytes read(file, 0, text.size());
  EXPECT_TRUE(same_bytes(read, bytes_of(text)));
  EXPECT_FALSE(same_bytes(read, read.first(199'999)));
  for (const std::size_t at : {0u, 65'535u, 65'536u, 199'999u}) {
    std::string other = text;
    other[at] = 'y';
    EXPECT_FALSE(same_bytes(bytes_of(other), read)) << at;
  }
  EXPECT_TRUE(same_bytes({}, read.first(0)));
}

TEST_F(TensorBytesTest, MayBeWhereAFileHasNone) {
  const InputFile file(write("a", "abc"));
  expect_error(ErrorCode::io, path("a") + ": ends at byte 3, 1 bytes too early",
               [&] { content_of(TensorBytes(file, 1, 3)); });
}

}  // namespace
