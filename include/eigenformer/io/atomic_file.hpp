// SPDX-License-Identifier: MIT
/// Writing a file so that others see the old content or the new one and nothing between, even where
/// the old one is mapped by a running model: a temporary file beside it, then a rename.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <utility>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/file.hpp"

namespace eigenformer::inline v0::io {

/// A file in the making. Without a commit the path keeps what it had, and the temporary file goes.
/// A link at the path is replaced, not followed. Everything throws Error(io).
class AtomicFile {
 public:
  explicit AtomicFile(std::string path)
      : path_(std::move(path)), descriptor_(open_temporary(path_, temporary_)) {}

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  ~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  /// Appends.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_.value(), bytes.data(), bytes.size());
      if (count >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(count));
      } else if (errno != EINTR) {
        throw detail::system_error(path_, "cannot write");
      }
    }
  }

  /// Gives the file its name. Nothing may be written after it.
  void commit() {
    struct stat status = {};
    if (::lstat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
        !S_ISLNK(status.st_mode)) {
      throw Error(ErrorCode::io, path_ + ": cannot replace: it is not a regular file");
    }
    // Without this a crash of the machine could leave the new name with no content.
    if (::fsync(descriptor_.value()) != 0) throw detail::system_error(path_, "cannot write");
    if (::close(descriptor_.release()) != 0) throw detail::system_error(path_, "cannot write");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
      throw detail::system_error(path_, "cannot replace");
    }
    committed_ = true;
  }

 private:
  /// A new file beside path, its name in `temporary`. Not mkstemp, whose file only the owner may
  /// read; the name is taken exclusively, so writers of one path don't meet.
  static int open_temporary(const std::string& path, std::string& temporary) {
    constexpr int attempts = 1000;
    constexpr mode_t everyone = 0666;  // less the process's umask
    const std::string stem = detail::system_path(path) + ("." + std::to_string(::getpid()) + ".");
    for (int attempt = 0; attempt < attempts; ++attempt) {
      temporary = stem + std::to_string(attempt) + ".tmp";
      const int descriptor =
          ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, everyone);
      if (descriptor >= 0) return descriptor;
      if (errno != EEXIST) break;
    }
    throw detail::system_error(path, "cannot create a file beside it");
  }

  std::string path_;
  std::string temporary_;
  detail::FileDescriptor descriptor_;
  bool committed_ = false;
};

}  // namespace eigenformer::inline v0::io
