// SPDX-License-Identifier: MIT
#include "eigenformer/core/error.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace eigenformer::test {
namespace {

TEST(Error, HasACodeAndAText) {
  try {
    throw Error(ErrorCode::format, "model.safetensors: byte 8: expected {, got [");
  } catch (const std::runtime_error& caught) {
    EXPECT_STREQ(caught.what(), "model.safetensors: byte 8: expected {, got [");
    EXPECT_EQ(dynamic_cast<const Error&>(caught).code(), ErrorCode::format);
  }
  static_assert(std::is_nothrow_copy_constructible_v<Error>);
}

TEST(Error, CodesHaveTheirNames) {
  EXPECT_STREQ(name(ErrorCode::io), "io");
  EXPECT_STREQ(name(ErrorCode::format), "format");
  EXPECT_STREQ(name(ErrorCode::missing_tensor), "missing_tensor");
  EXPECT_STREQ(name(ErrorCode::shape_mismatch), "shape_mismatch");
  EXPECT_STREQ(name(ErrorCode::unsupported), "unsupported");
  EXPECT_STREQ(name(ErrorCode::invalid_argument), "invalid_argument");
  EXPECT_STREQ(name(ErrorCode::out_of_range), "out_of_range");
  EXPECT_STREQ(name(ErrorCode::out_of_memory), "out_of_memory");
  EXPECT_STREQ(name(ErrorCode::cancelled), "cancelled");
  EXPECT_STREQ(name(ErrorCode::not_a_number), "not_a_number");
}

}  // namespace
}  // namespace eigenformer::test
