// SPDX-License-Identifier: MIT
/// Files as `translate` reads and writes them: by descriptor, so that every error is seen, and a
/// line from a pipe or a terminal is there as soon as it is complete.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "failure.hpp"

namespace program {

/// An open file; the standard ones are not closed.
class File {
 public:
  File(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  static File open(const std::string& path, int flags) {
    int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (descriptor >= 0 && descriptor <= STDERR_FILENO) {
      // A standard one was closed: what is meant for it must not land in this file.
      const int other = ::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
      ::close(descriptor);
      descriptor = other;
    }
    if (descriptor < 0) throw system_failure("cannot open " + path);
    return File(descriptor, path);
  }
  static File input(const std::optional<std::string>& path) {
    return path ? open(*path, O_RDONLY) : File(STDIN_FILENO, "standard input");
  }
  static File output(const std::optional<std::string>& path) {
    return path ? open(*path, O_WRONLY | O_CREAT | O_TRUNC)
                : File(STDOUT_FILENO, "standard output");
  }

  File(File&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), name_(std::move(other.name_)) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
  }

  int descriptor() const { return descriptor_; }
  const std::string& name() const { return name_; }
  bool is_terminal() const { return ::isatty(descriptor_) == 1; }

  /// Bytes from where it stands to its end; nothing: not a regular file.
  std::optional<std::uint64_t> bytes_left() const {
    struct stat status;
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    const off_t at = ::lseek(descriptor_, 0, SEEK_CUR);
    if (at < 0 || at > status.st_size) return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size - at);
  }

  /// Whether it is a regular file, and that of the descriptor, or the one at `path`.
  bool is_also(int descriptor) const {
    struct stat other;
    return ::fstat(descriptor, &other) == 0 && is(other);
  }
  bool is_at(const std::string& path) const {
    struct stat other;
    return ::stat(path.c_str(), &other) == 0 && is(other);
  }

 private:
  bool is(const struct stat& other) const {
    struct stat mine;
    return ::fstat(descriptor_, &mine) == 0 && S_ISREG(mine.st_mode) &&
           mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
  }

  int descriptor_;
  std::string name_;
};

/// A file's lines. Any byte but "\n" may be in one; its end may be "\r\n", too, or the file's.
class LineReader {
 public:
  /// `file` outlives it; `longest`: bytes of a line, without its end.
  LineReader(const File& file, std::size_t longest) : file_(file), longest_(longest) {}

  /// Nothing: there is no other line. Throws Failure.
  std::optional<std::string> next() {
    std::size_t end = buffer_.find('\n', begin_);
    while (end == std::string::npos) {
      const std::size_t searched = buffer_.size() - begin_;
      if (searched > longest_ + 1) throw too_long();  // + 1: "\r"
      if (!read_more()) {
        if (searched == 0) return std::nullopt;
        return take(buffer_.size(), buffer_.size());
      }
      end = buffer_.find('\n', begin_ + searched);
    }
    return take(end, end + 1);
  }

  /// Of all lines so far.
  std::uint64_t lines() const { return lines_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::string take(std::size_t end, std::size_t next) {
    const bool crlf = next > end && end > begin_ && buffer_[end - 1] == '\r';
    std::string line = buffer_.substr(begin_, end - begin_ - (crlf ? 1 : 0));
    if (line.size() > longest_) throw too_long();
    bytes_ += next - begin_;
    begin_ = next;
    ++lines_;
    return line;
  }

  Failure too_long() const {
    return {ExitStatus::data, "line " + std::to_string(lines_ + 1) + ": longer than " +
                                  std::to_string(longest_) + " bytes"};
  }

  bool read_more() {
    constexpr std::size_t chunk = std::size_t{64} << 10;
    buffer_.erase(0, begin_);
    begin_ = 0;
    const std::size_t filled = buffer_.size();
    buffer_.resize(filled + chunk);
    ssize_t got;
    do {
      got = ::read(file_.descriptor(), buffer_.data() + filled, chunk);
    } while (got < 0 && errno == EINTR);
    buffer_.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) throw system_failure("cannot read " + file_.name());
    return got > 0;
  }

  const File& file_;
  std::size_t longest_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< of what has not been given out
  std::uint64_t lines_ = 0, bytes_ = 0;
};

/// Of an output that another run began.
inline Failure not_resumable(const std::string& name) {
  return {ExitStatus::data, name + ": is not what this input gives with these options"};
}

/// Writes a file. Throws Failure; one without a message where the reader has gone away.
class Writer {
 public:
  explicit Writer(File file) : file_(std::move(file)) {}
  /// `there`: what follows in the file, which must be the beginning of what is written.
  Writer(File file, std::string there) : file_(std::move(file)), there_(std::move(there)) {}

  void write(std::string_view text) {
    waiting_ += text;
    if (waiting_.size() >= std::size_t{64} << 10) flush();
  }

  /// What was written has left the program.
  void flush() {
    const std::size_t again = std::min(there_.size(), waiting_.size());
    if (waiting_.compare(0, again, there_, 0, again) != 0) throw not_resumable(file_.name());
    there_.erase(0, again);
    std::string_view rest = waiting_;
    while (!rest.empty()) {
      const ssize_t written = ::write(file_.descriptor(), rest.data(), rest.size());
      if (written >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EPIPE) {
        throw Failure(ExitStatus::data, "");
      } else if (errno != EINTR) {
        throw system_failure("cannot write " + file_.name());
      }
    }
    waiting_.clear();
  }

  /// Everything is written.
  void finish() {
    flush();
    if (!there_.empty()) throw not_resumable(file_.name());
  }

 private:
  File file_;
  std::string waiting_;
  std::string there_;
};

}  // namespace program
