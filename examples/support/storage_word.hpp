// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "eigenformer/core/storage.hpp"

namespace program {

/// The storage that a word of a command line names. Throws CLI::ValidationError.
inline eigenformer::Storage storage_named(const std::string& word) {
  std::string known;
  for (const eigenformer::Storage storage : eigenformer::all_storages) {
    if (word == name(storage)) return storage;
    known += (known.empty() ? "" : "|") + std::string(name(storage));
  }
  throw CLI::ValidationError("--weights", "expected " + known + ", got " + word);
}

}  // namespace program
