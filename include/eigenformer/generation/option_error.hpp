// SPDX-License-Identifier: MIT
/// What a caller hears whose option is outside its range, where the option is no whole number.
#pragma once

#include <charconv>
#include <string>

#include "eigenformer/core/error.hpp"

namespace eigenformer::inline v0 {

/// For the caller to throw; the value is written with as many digits as it has.
inline Error option_error(const char* option, const char* range, float value) {
  char text[32];  // no float takes more
  const std::string got(text, std::to_chars(text, text + sizeof text, value).ptr);
  return Error(ErrorCode::invalid_argument,
               std::string(option) + ": expected " + range + ", got " + got);
}

}  // namespace eigenformer::inline v0
