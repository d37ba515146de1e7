// SPDX-License-Identifier: MIT
/// Matrices for a terminal: a few numbers of each row, or every number as a shade.
#pragma once

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>

#include "eigenformer/core/matrix.hpp"
#include "eigenformer/io/text.hpp"

namespace program {

/// The text in `width` columns: cut or filled up, a column a character.
inline std::string in_columns(const std::string& text, std::size_t width) {
  std::string out;
  std::size_t characters = 0;
  for (const char byte : text) {
    if (!eigenformer::io::continues_character(byte) && ++characters > width) break;
    out += byte;
  }
  return characters < width ? out + std::string(width - characters, ' ') : out;
}

/// A share from 0 to 1, from nothing to black.
inline const char* shade(double share) {
  constexpr const char* shades[] = {" ", "░", "▒", "▓", "█"};
  return share > 0 ? shades[std::min(static_cast<int>(std::min(share, 1.0) * 5), 4)] : shades[0];
}

/// "what [rows, cols]", and the first 8 numbers of each row behind its label.
inline void print_rows(const char* what, std::span<const std::string> labels,
                       const eigenformer::Matrix<double>& x) {
  const eigenformer::Index shown = std::min<eigenformer::Index>(8, x.cols());
  std::printf("%s [%td, %td]\n", what, x.rows(), x.cols());
  for (eigenformer::Index r = 0; r < x.rows(); ++r) {
    std::printf("  %s", in_columns(labels[static_cast<std::size_t>(r)], 10).c_str());
    for (eigenformer::Index c = 0; c < shown; ++c) std::printf(" %7.3f", x(r, c));
    std::printf(shown < x.cols() ? "  ...\n" : "\n");
  }
}

namespace detail {

inline void print_line(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  std::printf("%s\n", line.c_str());
}

inline std::string cell(double share) {
  char percent[16];
  std::snprintf(percent, sizeof percent, "%3.0f%%", 100 * share);
  const std::string ink = shade(share);
  return " " + ink + ink + ink + percent;
}

}  // namespace detail

/// Shares, as shades and in per cent, between labels on both axes.
inline void print_shares(const char* what, std::span<const std::string> rows,
                         std::span<const std::string> columns,
                         const eigenformer::Matrix<double>& shares) {
  std::printf("%s [%td, %td]\n", what, shares.rows(), shares.cols());
  std::string line(12, ' ');
  for (const std::string& label : columns) line += " " + in_columns(label, 7);
  detail::print_line(line);
  for (eigenformer::Index r = 0; r < shares.rows(); ++r) {
    line = "  " + in_columns(rows[static_cast<std::size_t>(r)], 10);
    for (eigenformer::Index c = 0; c < shares.cols(); ++c) line += detail::cell(shares(r, c));
    detail::print_line(line);
  }
}

/// Every `step`-th column, a character a number: -1 is white, 1 is black.
inline void print_picture(const eigenformer::Matrix<double>& x, eigenformer::Index step) {
  for (eigenformer::Index r = 0; r < x.rows(); ++r) {
    std::string line = "  " + in_columns(std::to_string(r), 10) + " ";
    for (eigenformer::Index c = 0; c < x.cols(); c += step) line += shade((x(r, c) + 1) / 2);
    detail::print_line(line);
  }
}

}  // namespace program
