// SPDX-License-Identifier: MIT
/// Tables of options, which are complete: fields_of() of a test names all fields by a structured
/// binding, so that a new one does not compile, and each of them has one row.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace eigenformer::test {

/// An option: what it changes, values that work, from the least to the greatest, and values beyond.
template <class Options>
struct Row {
  using Set = std::function<void(Options&)>;
  struct Refused {
    Set set;
    std::string error;  ///< behind its code
  };
  std::string name;
  std::function<const void*(const Options&)> field;
  std::function<void()> expect_effect;
  std::vector<Set> allowed = {};
  std::vector<Refused> refused = {};
  std::function<bool(const Options&)> is_set = {};  ///< of options that may be unset
};

template <class Options, class Field>
Row<Options> row(const char* name, Field Options::*member, std::function<void()> effect) {
  return {name, [member](const Options& options) { return &(options.*member); }, std::move(effect)};
}

/// Every field of `options` is that of one row.
template <class Options>
void expect_row_for_each(const std::vector<const void*>& fields, const Options& options,
                         const std::vector<Row<Options>>& rows) {
  std::multiset<const void*> of_rows;
  for (const Row<Options>& one : rows) of_rows.insert(one.field(options));
  EXPECT_EQ(of_rows, std::multiset<const void*>(fields.begin(), fields.end()));
}

}  // namespace eigenformer::test
