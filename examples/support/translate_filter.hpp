// SPDX-License-Identifier: MIT
/// `translate` between two files or pipes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "files.hpp"
#include "translate_lines.hpp"
#include "translate_options.hpp"
#include "translate_progress.hpp"

namespace program {

/// Lines that are translated together: so few that they and what is made of them fit into memory,
/// and that the first of them do not wait long.
class Window {
 public:
  explicit Window(const Options& options, Flush flush) {
    if (flush == Flush::line) {
      lines_ = most_lines_ = 1;
    } else if (options.attention) {
      most_bytes_ = std::size_t{8} << 10;  // a head's weights grow with the square of a sentence
    } else {
      const auto hypotheses = static_cast<std::size_t>(options.generation.hypotheses.value_or(1));
      const auto threads = static_cast<std::size_t>(options.translator.threads);
      most_bytes_ = std::max(most_bytes_ * threads / hypotheses, std::size_t{1} << 10);
      most_lines_ *= threads;
    }
  }

  /// Reads lines until it is full or there are no more. Returns whether there may be more.
  bool fill(LineReader& input) {
    content_.clear();
    for (std::size_t bytes = 0; content_.size() < lines_ && bytes < most_bytes_;) {
      std::optional<std::string> line = input.next();
      if (!line) return false;
      bytes += line->size();
      content_.push_back(std::move(*line));
    }
    return true;
  }

  const std::vector<std::string>& content() const { return content_; }

  /// More lines at a time need less time each.
  void took(std::chrono::steady_clock::duration time) {
    if (time < std::chrono::seconds(4)) lines_ = std::min(2 * lines_, most_lines_);
  }

 private:
  std::size_t lines_ = 128, most_lines_ = 8192;
  std::size_t most_bytes_ = std::size_t{256} << 10;  ///< as lines, of each thread
  std::vector<std::string> content_;
};

/// Translates all lines. Throws Failure; then all before the line at fault are written.
inline void run_filter(LineReader& input, LineTranslator& translator, Window window,
                       std::optional<Progress>& progress) {
  using Clock = std::chrono::steady_clock;
  std::exception_ptr failure;
  for (bool more = true; more;) {
    try {
      more = window.fill(input);
    } catch (const Failure&) {
      failure = std::current_exception();  // of the line after those that were read
      more = false;
    }
    const auto begin = Clock::now();
    if (!window.content().empty()) translator.translate(window.content());
    window.took(Clock::now() - begin);
    if (progress) progress->show({translator.lines(), translator.tokens(), input.bytes()});
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace program
