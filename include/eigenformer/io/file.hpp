// SPDX-License-Identifier: MIT
/// Reading files, whole or in pieces, with a byte budget that is checked before memory is asked
/// for.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "eigenformer/core/error.hpp"
#include "eigenformer/io/byte_buffer.hpp"

namespace eigenformer::inline v0::io {

namespace detail {

/// "path: what: the system's reason", for a call that has just set errno.
inline Error system_error(const std::string& path, const std::string& what) {
  const int reason = errno;
  return Error(reason == ENOMEM ? ErrorCode::out_of_memory : ErrorCode::io,
               path + ": " + what + ": " + std::generic_category().message(reason));
}

/// An open file, closed at the end of its scope.
class FileDescriptor {
 public:
  explicit FileDescriptor(int value) : value_(value) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (value_ >= 0) ::close(value_);
  }

  int value() const noexcept { return value_; }

  /// The descriptor, which the caller now closes.
  int release() noexcept { return std::exchange(value_, -1); }

 private:
  int value_;
};

/// A path as the system takes it. A NUL inside would silently name another file.
inline const char* system_path(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    throw Error(ErrorCode::io, std::string(path.c_str()) + ": the path has a NUL byte after this");
  }
  return path.c_str();
}

}  // namespace detail

/// A regular file, read from its start to its end, or anywhere.
class InputFile {
 public:
  /// Throws Error(io): missing, not permitted, a directory, or anything else that is not a plain
  /// file. Opening never waits, not even for a pipe.
  explicit InputFile(std::string path)
      : path_(std::move(path)),
        descriptor_(::open(detail::system_path(path_), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_.value() < 0) throw detail::system_error(path_, "cannot open");
    opened_ = version();
  }

  const std::string& path() const noexcept { return path_; }

  /// Bytes, as they were when the file was opened.
  std::uint64_t size() const noexcept { return opened_.size; }

  /// For calls of the system that this class lacks.
  int descriptor() const noexcept { return descriptor_.value(); }

  /// Throws Error(io) unless the file has the size() that it had.
  void expect_same_size() const {
    const std::uint64_t now = version().size;
    if (now == size()) return;
    throw Error(ErrorCode::io, path_ + ": has " + std::to_string(now) + " bytes, and had " +
                                   std::to_string(size()) + " when it was opened");
  }

  /// Throws Error(io) where the file has another size, or was last written to at another time, than
  /// when it was opened.
  void expect_unchanged() const {
    const Version now = version();
    if (now == opened_) return;
    expect_same_size();
    throw Error(ErrorCode::io, path_ + ": has been written to since it was opened");
  }

  /// Fills out with the next bytes. Throws Error(io), also where the file ends before that.
  void read(std::span<std::byte> out) {
    expect_whole(offset_, out, fill(offset_, out));
    offset_ += out.size();
  }

  /// Fills out with the bytes from `offset` on, and leaves to read() what would have been next.
  /// Throws Error(io), and what expect_unchanged() throws.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const {
    const std::size_t count = fill(offset, out);
    expect_unchanged();
    expect_whole(offset, out, count);
  }

  /// Throws Error(io) unless everything has been read: the file grew meanwhile.
  void expect_end() const {
    std::byte extra{};
    if (read_some(offset_, {&extra, 1}) != 0) {
      throw Error(ErrorCode::io, path_ + ": has more than the " + std::to_string(size()) +
                                     " bytes it had when it was opened");
    }
  }

 private:
  /// What writing changes.
  struct Version {
    std::uint64_t size = 0;
    std::int64_t seconds = 0, nanoseconds = 0;  ///< of the last writing
    bool operator==(const Version&) const = default;
  };

  Version version() const {
    struct stat status = {};
    if (::fstat(descriptor_.value(), &status) != 0) {
      throw detail::system_error(path_, "cannot ask for its size");
    }
    if (S_ISDIR(status.st_mode)) throw Error(ErrorCode::io, path_ + ": is a directory");
    if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::io, path_ + ": is not a regular file");
    return {static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec};
  }
  /// Returns how many bytes there were.
  std::size_t fill(std::uint64_t offset, std::span<std::byte> out) const {
    std::size_t all = 0;
    while (all < out.size()) {
      const std::size_t count = read_some(offset + all, out.subspan(all));
      if (count == 0) break;
      all += count;
    }
    return all;
  }
  void expect_whole(std::uint64_t offset, std::span<const std::byte> out, std::size_t count) const {
    if (count == out.size()) return;
    throw Error(ErrorCode::io, path_ + ": ends at byte " + std::to_string(offset + count) + ", " +
                                   std::to_string(out.size() - count) + " bytes too early");
  }
  std::size_t read_some(std::uint64_t offset, std::span<std::byte> out) const {
    for (;;) {
      const ssize_t count =
          ::pread(descriptor_.value(), out.data(), out.size(), static_cast<off_t>(offset));
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) {
        throw detail::system_error(path_, "cannot read at byte " + std::to_string(offset));
      }
    }
  }

  std::string path_;
  detail::FileDescriptor descriptor_;
  Version opened_;
  std::uint64_t offset_ = 0;
};

/// Whether the path names anything; what it is, its reader will see. Throws Error(io) where the
/// system does not tell.
inline bool is_there(const std::string& path) {
  struct stat status = {};
  if (::lstat(detail::system_path(path), &status) == 0) return true;
  if (errno == ENOENT) return false;
  throw detail::system_error(path, "cannot open");
}

namespace detail {

/// Names the file, unless there is no memory for that either: an empty text takes none.
[[noreturn]] inline void refuse_for_memory(const std::string& file) {
  try {
    throw Error(ErrorCode::out_of_memory, file + ": the system has not enough memory for it");
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "");
  }
}

}  // namespace detail

/// What the function returns. The system's lack of memory becomes Error(out_of_memory), which names
/// the file.
template <class Function>
auto or_out_of_memory(const std::string& file, Function function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    detail::refuse_for_memory(file);
  }
}

/// Memory for `bytes` of a file. Throws Error(out_of_memory).
inline ByteBuffer allocate_for(const std::string& file, std::uint64_t bytes) {
  return or_out_of_memory(file, [&] {
    if (bytes > std::numeric_limits<std::size_t>::max()) throw std::bad_alloc();
    return ByteBuffer(static_cast<std::size_t>(bytes));
  });
}

/// A copy of a file's bytes. Throws Error(out_of_memory).
inline ByteBuffer copy_for(const std::string& file, std::span<const std::byte> bytes) {
  ByteBuffer copy = allocate_for(file, bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.data());
  return copy;
}

/// Throws Error(format) for the text that Git keeps in place of a large file.
inline void refuse_git_lfs_pointer(std::string_view content, const std::string& file) {
  if (!content.starts_with("version https://git-lfs")) return;
  throw Error(ErrorCode::format,
              file + ": is a Git LFS pointer, not the file itself: fetch it with git lfs pull");
}

/// Throws Error(out_of_memory) where `bytes` of a file are over the budget.
inline void check_budget(const std::string& file, std::uint64_t bytes, std::uint64_t budget) {
  if (bytes > budget) {
    throw Error(ErrorCode::out_of_memory,
                file + ": needs " + std::to_string(bytes) + " bytes of memory, the budget is " +
                    std::to_string(budget) + " (LoadLimits::memory_bytes)");
  }
}

/// The whole content of a file just opened, at most `budget` bytes. Throws Error(io) or
/// Error(out_of_memory).
inline ByteBuffer read_all(InputFile& file, std::uint64_t budget) {
  check_budget(file.path(), file.size(), budget);
  ByteBuffer bytes = allocate_for(file.path(), file.size());
  file.read(bytes.span());
  file.expect_end();
  file.expect_unchanged();
  return bytes;
}

/// The whole content of the file at a path, at most `budget` bytes. Throws Error(io) or
/// Error(out_of_memory).
inline ByteBuffer read_file(const std::string& path, std::uint64_t budget) {
  return or_out_of_memory(path, [&] {
    InputFile file(path);
    return read_all(file, budget);
  });
}

}  // namespace eigenformer::inline v0::io
