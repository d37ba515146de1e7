// SPDX-License-Identifier: MIT
/// Comparing the tensors of files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "eigenformer/io/tensor.hpp"

namespace io_test {

/// The same names, types, shapes and bytes.
inline void expect_equal(const eigenformer::io::Tensors& got,
                         const eigenformer::io::Tensors& expected) {
  ASSERT_EQ(got.names(), expected.names());
  for (const eigenformer::io::NamedTensor& entry : expected) {
    const eigenformer::io::TensorView& tensor = got.at(entry.name);
    EXPECT_EQ(text(tensor), text(entry.tensor)) << entry.name;
    ASSERT_EQ(tensor.bytes.size(), entry.tensor.bytes.size()) << entry.name;
    EXPECT_TRUE(std::equal(tensor.bytes.begin(), tensor.bytes.end(), entry.tensor.bytes.begin()))
        << entry.name;
  }
}

}  // namespace io_test
