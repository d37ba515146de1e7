// SPDX-License-Identifier: MIT
/// Where the time of `translate` goes, as a table on stderr, beside what the machine can do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "eigenformer/core/profile.hpp"
#include "eigenformer/kernels/dispatch.hpp"
#include "machine_rates.hpp"
#include "translate_options.hpp"

namespace program {

/// What the head of the table tells besides.
struct Translated {
  std::uint64_t sentences, tokens;
};

/// A line for each pass; layers of a stack by themselves or together. MB and GB/s are of all bytes.
class ProfileTable {
 public:
  ProfileTable(const Profile& profile, const MachineRates& rates, ProfileLayers layers)
      : profile_(profile), rates_(rates) {
    std::vector<Index> places;  // of the profile's passes in rows_
    for (std::size_t p = 0; p < profile.passes().size(); ++p) {
      const Profile::Pass& pass = profile.passes()[p];
      const Index parent = pass.parent == Profile::none
                               ? Profile::none
                               : places[static_cast<std::size_t>(pass.parent)];
      places.push_back(row_for(pass, parent, layers));
      count(static_cast<std::size_t>(places.back()), static_cast<Index>(p));
    }
    for (std::size_t r = rows_.size(); r-- > 0;) {
      if (rows_[r].parent != Profile::none) add_to(at(rows_[r].parent), rows_[r]);
    }
  }

  /// Its lines, the head not among them.
  std::string text() const {
    std::string out =
        "pass                               calls        ms  share       MB   GB/s"
        "   GOP/s  bound\n";
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (rows_[r].parent == Profile::none) append(out, r, 0);
    }
    return out;
  }

 private:
  struct Row {
    std::string label;
    Index parent;
    Index calls = 0;
    double time = 0, self = 0, least = 0;  ///< nanoseconds
    double bytes = 0, operations = 0;
    std::vector<std::size_t> children = {};
  };

  Row& at(Index row) { return rows_[static_cast<std::size_t>(row)]; }

  Index row_for(const Profile::Pass& pass, Index parent, ProfileLayers layers) {
    std::string label = pass.name;
    if (pass.storage != Storage::f32) label += std::string(" ") + name(pass.storage);
    if (pass.number != Profile::none) {
      label += layers == ProfileLayers::each ? " " + std::to_string(pass.number) : "s";
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (rows_[r].parent == parent && rows_[r].label == label) return static_cast<Index>(r);
    }
    if (parent != Profile::none) at(parent).children.push_back(rows_.size());
    rows_.push_back({label, parent});
    return static_cast<Index>(rows_.size()) - 1;
  }

  void count(std::size_t row, Index number) {
    const Profile::Pass& pass = profile_.passes()[static_cast<std::size_t>(number)];
    Row& out = rows_[row];
    out.calls += pass.calls;
    out.time += static_cast<double>(pass.nanoseconds);
    out.self += static_cast<double>(profile_.self_nanoseconds(number));
    out.least += rates_.least(pass.work, pass.storage);
    out.bytes += static_cast<double>(pass.work.memory + pass.work.activations);
    out.operations += static_cast<double>(pass.work.operations);
    if (pass.parent == Profile::none) all_ += static_cast<double>(pass.nanoseconds);
  }
  static void add_to(Row& parent, const Row& child) {
    parent.least += child.least;
    parent.bytes += child.bytes;
    parent.operations += child.operations;
  }

  void append(std::string& out, std::size_t row, int depth) const {
    const Row& of = rows_[row];
    append_line(out, of, depth);
    for (const std::size_t child : of.children) append(out, child, depth + 1);
    if (of.children.empty() || of.self < 0.0005 * all_) return;
    append_line(out, {"itself", Profile::none, of.calls, of.self}, depth + 1);
  }
  void append_line(std::string& out, const Row& row, int depth) const {
    const double time = std::max(row.time, 1.0);
    char line[160];
    std::snprintf(line, sizeof line, "%-30s %9lld %9.2f %5.1f%%",
                  (std::string(static_cast<std::size_t>(2 * depth), ' ') + row.label).c_str(),
                  static_cast<long long>(row.calls), time / 1e6, 100 * time / std::max(all_, 1.0));
    out += line;
    if (row.bytes > 0) {
      std::snprintf(line, sizeof line, " %8.1f %6.1f %7.1f %5.0f%%", row.bytes / 1e6,
                    row.bytes / time, row.operations / time, 100 * row.least / time);
      out += line;
    }
    out += "\n";
  }

  const Profile& profile_;
  const MachineRates& rates_;
  std::vector<Row> rows_;  ///< parents before children
  double all_ = 0;         ///< nanoseconds
};

namespace detail {

/// "1 thread", "2 threads".
inline std::string counted(std::uint64_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

inline std::string text(const MachineRates& rates) {
  char line[160];
  std::snprintf(line, sizeof line,
                "%.1f GB/s from weights of %.1f MB, %.0f GB/s from the first cache", rates.memory,
                static_cast<double>(rates.weight_bytes) / 1e6, rates.cache);
  std::string out = line;
  for (const Storage storage : eigenformer::all_storages) {
    const double peak = rates.operations[static_cast<std::size_t>(storage)];
    if (peak == 0) continue;
    std::snprintf(line, sizeof line, ", %.0f GOP/s %s", peak, name(storage));
    out += line;
  }
  return out;
}

}  // namespace detail

/// Measures the machine, and prints the table to stderr.
inline void print_profile(const Profile& profile, const Options& options,
                          const Translated& translated) {
  const eigenformer::TranslatorOptions& translator = options.translator;
  const MachineRates rates = measure_machine(profile, translator);
  const ProfileTable table(profile, rates, *options.profile);
  std::fprintf(stderr, "profile: %s, %s, %s, %s\na thread at best: %s\n%s",
               name(eigenformer::kernels::best_table(translator.isa).isa),
               detail::counted(static_cast<std::uint64_t>(translator.threads), "thread").c_str(),
               detail::counted(translated.sentences, "sentence").c_str(),
               detail::counted(translated.tokens, "token").c_str(), detail::text(rates).c_str(),
               table.text().c_str());
}

}  // namespace program
