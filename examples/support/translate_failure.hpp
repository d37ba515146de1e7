// SPDX-License-Identifier: MIT
/// How `translate` ends when it does not end well.
#pragma once

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace program {

enum class ExitStatus { success = 0, data = 1, usage = 2, model = 3 };

/// Ends the program with a status and a message; with none where nobody is left to read.
class Failure : public std::runtime_error {
 public:
  Failure(ExitStatus status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  ExitStatus status() const { return status_; }

 private:
  ExitStatus status_;
};

/// Of a system call that has just failed for a file.
inline Failure system_failure(const std::string& what) {
  return {ExitStatus::data, what + ": " + std::strerror(errno)};
}

}  // namespace program
