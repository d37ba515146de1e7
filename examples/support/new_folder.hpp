// SPDX-License-Identifier: MIT
/// A folder that appears with all its files, or not at all.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "failure.hpp"

namespace program {

/// Its files are made in a folder beside it, which gets its name in the end. An empty folder that
/// is there already is kept (it may be a mount point) and its files are made in it; without a
/// commit they go.
class NewFolder {
 public:
  /// Throws Failure of usage unless the path names nothing or an empty folder, and
  /// std::filesystem::filesystem_error.
  explicit NewFolder(const std::string& path) : path_(without_slash(path)), work_(path_) {
    const auto type = std::filesystem::symlink_status(path_).type();
    if (type == std::filesystem::file_type::not_found) {
      work_ += "." + std::to_string(::getpid()) + ".tmp";
      if (!std::filesystem::create_directory(work_)) {
        throw Failure(ExitStatus::usage, work_.string() + " is in the way");
      }
      return;
    }
    if (!std::filesystem::is_directory(path_))
      throw Failure(ExitStatus::usage, path + " is not a folder");
    if (!std::filesystem::is_empty(path_)) throw Failure(ExitStatus::usage, path + " is not empty");
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  ~NewFolder() {
    if (committed_) return;
    std::error_code ignored;
    for (const auto& file : files_) std::filesystem::remove(file, ignored);
    if (work_ != path_) std::filesystem::remove(work_, ignored);
  }

  /// Where to make a file of that name.
  std::string file(const std::string& name) {
    files_.push_back(work_ / name);
    return files_.back().string();
  }

  void commit() {
    if (work_ != path_) std::filesystem::rename(work_, path_);
    committed_ = true;
  }

 private:
  static std::filesystem::path without_slash(const std::string& path) {
    const std::filesystem::path out(path);
    return out.has_filename() || !out.has_relative_path() ? out : out.parent_path();
  }

  std::filesystem::path path_, work_;
  std::vector<std::filesystem::path> files_;
  bool committed_ = false;
};

}  // namespace program
