// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "command_line.hpp"
#include "eigenformer/core/storage.hpp"

namespace program {

/// The words for storages of weights.
inline Words<eigenformer::Storage> storage_words() {
  Words<eigenformer::Storage> out;
  for (const auto storage : eigenformer::all_storages) out.emplace_back(name(storage), storage);
  return out;
}

/// --weights, as all examples have it.
inline CLI::Option* add_weights(CLI::App& app, std::optional<eigenformer::Storage>& storage,
                                const std::string& description) {
  return add_choice(app, "--weights", storage, storage_words(), description);
}

}  // namespace program
