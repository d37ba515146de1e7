// SPDX-License-Identifier: MIT
/// A broken contract throws, so that a test can expect it. The build forces this file in front of
/// every source of a build tree with EIGENFORMER_CONTRACTS_THROW, and of no other.
#pragma once

#include <stdexcept>

#define EIGENFORMER_CONTRACTS_THROW 1

struct ContractViolation : std::logic_error {
  using std::logic_error::logic_error;
};

#define EIGENFORMER_CONTRACT_TEXT(line) #line
#define EIGENFORMER_CONTRACT_PLACE(file, line) file ":" EIGENFORMER_CONTRACT_TEXT(line)
#define EIGENFORMER_ASSERT(condition) \
  (static_cast<bool>(condition)       \
       ? static_cast<void>(0)         \
       : throw ContractViolation(EIGENFORMER_CONTRACT_PLACE(__FILE__, __LINE__) ": " #condition))
