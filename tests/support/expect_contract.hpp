// SPDX-License-Identifier: MIT
/// EXPECT_BROKEN_CONTRACT(statement): the statement breaks a contract of the library. Where
/// contracts don't throw it is compiled and not run, because nothing would stop it.
#pragma once

#include <gtest/gtest.h>

#if defined(EIGENFORMER_CONTRACTS_THROW)
#define EXPECT_BROKEN_CONTRACT(statement) EXPECT_THROW(statement, ContractViolation)
#else
#define EXPECT_BROKEN_CONTRACT(statement) \
  do {                                    \
    if (false) {                          \
      statement;                          \
    }                                     \
  } while (false)
#endif
