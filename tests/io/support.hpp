// SPDX-License-Identifier: MIT
/// What the tests of io/ share: a folder that goes away, the errors that must come, malformed
/// files.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/error.hpp"

namespace io_test {

using eigenformer::Error;
using eigenformer::ErrorCode;

inline const std::filesystem::path data_folder = EIGENFORMER_TEST_DATA;

/// A test with a folder of its own.
class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "eigenformer_io_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// A file of that content; returns its path.
  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      out.push_back(entry.path().filename().string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  std::filesystem::path folder_;
};

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The function throws an Error with that code, and its text has that part.
template <class Function>
void expect_error(ErrorCode code, std::string_view part, Function function) {
  try {
    function();
    ADD_FAILURE() << "no error, expected " << eigenformer::name(code) << ": " << part;
  } catch (const Error& error) {
    EXPECT_STREQ(eigenformer::name(error.code()), eigenformer::name(code)) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
        << "the text: " << error.what() << "\nlacks:    " << part;
  }
}

/// A file that must be refused.
struct Malformed {
  std::string file;
  ErrorCode code;
  std::string part;  ///< of the error's text
};

inline void PrintTo(const Malformed& malformed, std::ostream* out) { *out << malformed.file; }

inline ErrorCode code_named(std::string_view wanted) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::cancelled); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    if (eigenformer::name(code) == wanted) return code;
  }
  throw std::invalid_argument("no such code: " + std::string(wanted));
}

/// The table of tests/data/malformed/FOLDER.
inline std::vector<Malformed> malformed_files(const std::string& folder) {
  std::vector<Malformed> out;
  std::ifstream table(data_folder / "malformed" / folder / "expected.tsv");
  std::string file, code, part;
  while (std::getline(table, file, '\t') && std::getline(table, code, '\t') &&
         std::getline(table, part)) {
    out.push_back({file, code_named(code), part});
  }
  return out;
}

/// Every file of the folder stands in its table, and the other way round.
inline void expect_complete_table(const std::string& folder) {
  std::vector<std::string> listed{"expected.tsv"};
  for (const Malformed& malformed : malformed_files(folder)) listed.push_back(malformed.file);
  std::vector<std::string> present;
  for (const auto& entry :
       std::filesystem::directory_iterator(data_folder / "malformed" / folder)) {
    present.push_back(entry.path().filename().string());
  }
  std::sort(listed.begin(), listed.end());
  std::sort(present.begin(), present.end());
  EXPECT_EQ(listed, present);
  EXPECT_GT(listed.size(), 1u);
}

/// A test's name out of a file's: "key_twice.json" is key_twice.
inline std::string test_name(const testing::TestParamInfo<Malformed>& info) {
  return info.param.file.substr(0, info.param.file.find('.'));
}

}  // namespace io_test
