// SPDX-License-Identifier: MIT
/// How `translate` and its kin end when it does not end well.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include "eigenformer/core/error.hpp"
#include "eigenformer/pipelines/markup.hpp"

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

/// Throws Failure unless all that stdio was given for standard output is written.
inline void expect_printed() {
  if (std::fflush(stdout) != 0) throw system_failure("cannot write standard output");
  if (std::ferror(stdout) != 0) throw Failure(ExitStatus::data, "cannot write standard output");
}

/// Calls run(), prints "PROGRAM: message" to stderr if it fails, and gives the exit status: of the
/// library's own errors what status_of(error) says.
template <class Run, class StatusOf>
int run_to_status(const char* program, Run run, StatusOf status_of) {
  const auto fail = [program](ExitStatus status, const char* message) {
    // A file's name may have what a terminal would obey.
    const std::string text = eigenformer::pipelines::displayable(message);
    if (!text.empty()) std::fprintf(stderr, "%s: %s\n", program, text.c_str());
    return static_cast<int>(status);
  };
  try {
    run();
    return static_cast<int>(ExitStatus::success);
  } catch (const Failure& failure) {
    return fail(failure.status(), failure.what());
  } catch (const eigenformer::Error& error) {
    return fail(status_of(error), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitStatus::data, "out of memory");
  } catch (const std::exception& error) {
    return fail(ExitStatus::data, error.what());
  }
}

/// For run_to_status: arguments that make no sense, or something that cannot be done.
inline ExitStatus usage_or_data(const eigenformer::Error& error) {
  return error.code() == eigenformer::ErrorCode::invalid_argument ? ExitStatus::usage
                                                                  : ExitStatus::data;
}

}  // namespace program
