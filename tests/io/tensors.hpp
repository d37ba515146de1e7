// SPDX-License-Identifier: MIT
/// The tensors of files: their bytes, and comparing them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "eigenformer/io/tensor.hpp"

namespace io_test {

/// The bytes, wherever they are.
inline std::string content_of(const eigenformer::io::TensorBytes& bytes) {
  eigenformer::io::ByteBuffer buffer;
  return std::string(eigenformer::io::as_text(bytes.in(buffer)));
}
inline std::string content_of(const eigenformer::io::TensorView& tensor) {
  return content_of(tensor.bytes);
}

/// The same names, types, shapes and bytes.
inline void expect_equal(const eigenformer::io::Tensors& got,
                         const eigenformer::io::Tensors& expected) {
  ASSERT_EQ(got.names(), expected.names());
  for (const eigenformer::io::NamedTensor& entry : expected) {
    const eigenformer::io::TensorView& tensor = got.at(entry.name);
    EXPECT_EQ(text(tensor), text(entry.tensor)) << entry.name;
    EXPECT_TRUE(same_bytes(tensor.bytes, entry.tensor.bytes)) << entry.name;
  }
}

}  // namespace io_test
