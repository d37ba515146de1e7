// SPDX-License-Identifier: MIT
/// Tables of names: the only place where a checkpoint's names occur.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/types.hpp"

namespace eigenformer::inline v0 {

/// One line of a table. Names that begin with `parameter` begin with `tensor` in the checkpoint,
/// and end alike; a `*` in both stands for a layer's number.
struct NameRule {
  std::string parameter;  ///< "encoder.layers.*.self_attention.query."
  std::string tensor;     ///< "transformer.encoder.layers.*.self_attn.in_proj_"
  Index part = 0;         ///< which of the tensor's equal parts, by rows
  Index parts = 1;        ///< how many there are: 3 for a joined query, key and value
  bool as_row = false;    ///< whether a vector [n] is written as [1, n]; either is read
};

/// A table, and what a checkpoint may hold besides.
struct NameTable {
  std::vector<NameRule> rules;
  std::vector<std::string> ignored;  ///< names, `*` for a number
};

/// Where a parameter comes from.
struct TensorSource {
  std::string tensor;
  Index part = 0, parts = 1;
  bool as_row = false;
};

/// What `name` has behind `pattern`, and the number in the place of the pattern's `*`.
struct PrefixMatch {
  std::string number, rest;
};
inline std::optional<PrefixMatch> match_prefix(std::string_view pattern, std::string_view name) {
  PrefixMatch match;
  std::size_t at = 0;
  for (const char c : pattern) {
    if (c != '*') {
      if (at == name.size() || name[at++] != c) return std::nullopt;
      continue;
    }
    const std::size_t begin = at;
    while (at < name.size() && name[at] >= '0' && name[at] <= '9') ++at;
    if (at == begin) return std::nullopt;
    match.number = name.substr(begin, at - begin);
  }
  match.rest = name.substr(at);
  return match;
}

/// The tensor of a parameter, by the first line that fits; nothing where none does.
inline std::optional<TensorSource> find_source(const NameTable& names, std::string_view parameter) {
  for (const NameRule& rule : names.rules) {
    const auto match = match_prefix(rule.parameter, parameter);
    if (!match) continue;
    std::string tensor = rule.tensor + match->rest;
    const std::size_t star = tensor.find('*');
    if (star != std::string::npos) tensor.replace(star, 1, match->number);
    return TensorSource{tensor, rule.part, rule.parts, rule.as_row};
  }
  return std::nullopt;
}

/// Whether the table lets the checkpoint have a tensor of this name that no parameter asks for.
inline bool is_ignored(const NameTable& names, std::string_view tensor) {
  for (const std::string& pattern : names.ignored) {
    const auto match = match_prefix(pattern, tensor);
    if (match && match->rest.empty()) return true;
  }
  return false;
}

/// The checkpoint's names are ours: a lone layer's file.
inline NameTable own_names() { return {{{"", ""}}, {}}; }

}  // namespace eigenformer::inline v0
