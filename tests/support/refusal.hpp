// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eigenformer/core/error.hpp"

namespace eigenformer::test {

/// What the library says when `call` is made, behind the error's code; "" where it does not mind.
template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(name(error.code())) + ": " + error.what();
  }
  return "";
}

}  // namespace eigenformer::test
