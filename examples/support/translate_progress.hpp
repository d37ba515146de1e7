// SPDX-License-Identifier: MIT
/// How far a translation is, on stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace program {

/// What has been done.
struct Done {
  std::uint64_t lines = 0;
  std::uint64_t tokens = 0;  ///< of translations
  std::uint64_t bytes = 0;   ///< of the input
};

/// One line, written over and over, and ended when this ends.
class Progress {
 public:
  /// `bytes`: of the whole input, where that is known; `skipped`: what of it was done before.
  Progress(std::optional<std::uint64_t> bytes, std::uint64_t skipped)
      : bytes_(bytes), skipped_(skipped) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    print();
    std::fputc('\n', stderr);
  }

  void show(const Done& done) {
    done_ = done;
    const auto now = Clock::now();
    if (now - shown_ < std::chrono::milliseconds(200)) return;
    shown_ = now;
    print();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void print() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    const double rate = seconds > 0 ? static_cast<double>(done_.tokens) / seconds : 0;
    std::string left;
    if (bytes_ && done_.bytes > skipped_ && done_.bytes <= *bytes_) {
      const auto rest = static_cast<double>(*bytes_ - done_.bytes);
      left = ", " + time(seconds * rest / static_cast<double>(done_.bytes - skipped_)) + " left";
    }
    // The blanks cover what was longer before.
    std::fprintf(stderr, "\r%llu lines, %.0f tokens/s%s    ",
                 static_cast<unsigned long long>(done_.lines), rate, left.c_str());
    std::fflush(stderr);
  }

  /// "1:02:03" or "2:03".
  static std::string time(double seconds) {
    const auto all = static_cast<unsigned long long>(seconds + 0.5);
    char text[64];
    if (all >= 3600) {
      std::snprintf(text, sizeof text, "%llu:%02llu:%02llu", all / 3600, all / 60 % 60, all % 60);
    } else {
      std::snprintf(text, sizeof text, "%llu:%02llu", all / 60, all % 60);
    }
    return text;
  }

  std::optional<std::uint64_t> bytes_;
  std::uint64_t skipped_;
  Done done_;
  Clock::time_point begin_ = Clock::now(), shown_ = begin_;
};

}  // namespace program
