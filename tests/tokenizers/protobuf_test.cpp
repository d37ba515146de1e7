// SPDX-License-Identifier: MIT
#include "eigenformer/tokenizers/protobuf.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tokenizers/support.hpp"

namespace {

using namespace tokenizers_test;
using eigenformer::ProtobufField;
using eigenformer::ProtobufReader;
using eigenformer::WireType;

const std::string file = "file";

// The examples of the format's documentation: 150 is 08 96 01, "testing" is 12 07 ....
TEST(ProtobufReaderTest, ReadsTheDocumentationsExamples) {
  ProtobufReader reader("\x08\x96\x01\x12\x07testing", file);
  ProtobufField field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 1u);
  EXPECT_EQ(field.type, WireType::varint);
  EXPECT_EQ(reader.integer(field), 150);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, 2u);
  EXPECT_EQ(field.place, 3u);
  EXPECT_EQ(reader.bytes(field), "testing");
  EXPECT_FALSE(reader.next(field));
  EXPECT_FALSE(reader.next(field));
}

TEST(ProtobufReaderTest, ReadsEveryKindOfNumber) {
  const std::string message = field(1, ~std::uint64_t{0}) + field(2, 1.5f) + varint(3 << 3 | 1) +
                              "\1\2\3\4\5\6\7\x88" + field((1u << 29) - 1, std::uint64_t{0});
  ProtobufReader reader(message, file);
  ProtobufField field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.value, ~std::uint64_t{0});
  EXPECT_EQ(reader.integer(field), -1);
  EXPECT_TRUE(reader.boolean(field));
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(reader.real(field), 1.5f);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.type, WireType::fixed64);
  EXPECT_EQ(field.value, 0x8807060504030201u);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.number, (1u << 29) - 1);
  EXPECT_FALSE(reader.boolean(field));
  EXPECT_FALSE(reader.next(field));
}

TEST(ProtobufReaderTest, GivesPlacesInsideMessages) {
  const std::string message = field(1, "x") + field(2, field(3, field(4, "abc") + "\x28"));
  ProtobufReader outer(message, file, 100);
  ProtobufField field;
  ASSERT_TRUE(outer.next(field));
  ASSERT_TRUE(outer.next(field));
  EXPECT_EQ(field.place, 103u);
  ProtobufReader middle(outer, field);
  ASSERT_TRUE(middle.next(field));
  EXPECT_EQ(field.place, 105u);
  ProtobufReader inner(middle, field);
  ASSERT_TRUE(inner.next(field));
  EXPECT_EQ(field.place, 107u);
  EXPECT_EQ(inner.bytes(field), "abc");
  expect_error(ErrorCode::format, "file: byte 113: the message ends inside a field",
               [&] { inner.next(field); });
}

TEST(ProtobufReaderTest, RefusesAFieldWrittenOtherwise) {
  const std::string message = field(7, "x");
  ProtobufReader reader(message, file);
  ProtobufField field;
  ASSERT_TRUE(reader.next(field));
  expect_error(ErrorCode::format, "file: byte 0: field 7: expected a varint, got bytes",
               [&] { reader.integer(field); });
  expect_error(ErrorCode::format, "file: byte 0: field 7: expected 32 bits, got bytes",
               [&] { reader.real(field); });
}

// Longer than need be is allowed, up to ten bytes.
TEST(ProtobufReaderTest, TakesVarintsOfTenBytesAndNoMore) {
  ProtobufField field;
  const std::string ten = "\x08\x85\x80\x80\x80\x80\x80\x80\x80\x80" + std::string(1, '\0');
  ProtobufReader reader(ten, file);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.value, 5u);
  const std::string most = "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
  ProtobufReader greatest(most, file);
  ASSERT_TRUE(greatest.next(field));
  EXPECT_EQ(field.value, ~std::uint64_t{0});
  const std::string more = "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02";
  ProtobufReader over(more, file);
  expect_error(ErrorCode::format, "file: byte 1: a varint of more than 64 bits",
               [&] { over.next(field); });
}

}  // namespace
