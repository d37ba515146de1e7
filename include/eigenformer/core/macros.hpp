// SPDX-License-Identifier: MIT
/// The library's only macros, and the doors: what cannot compile the library correctly meets an
/// error here, with the reason. Every other header includes this one, directly or not.
#pragma once

#include <cassert>

#if __cplusplus < 202002L
#error "Eigenformer needs C++20: compile with -std=c++20 or later."
#endif

#if defined(__clang__)
#if __clang_major__ < 14
#error "Eigenformer needs clang 14 or later."
#endif
#elif defined(__GNUC__)
#if __GNUC__ < 12
#error "Eigenformer needs g++ 12 or later."
#endif
#else
#error "Eigenformer supports g++ 12 and clang 14 or later: no other compiler has been tested."
#endif

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0)
#error "Eigenformer promises exact bits: compile without -ffast-math and -ffinite-math-only."
#endif

#if defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)
#error "Eigenformer promises exact bits: compile without -funsafe-math-optimizations and its parts."
#endif

#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "Eigenformer promises exact bits: floats must be calculated as floats (no -mfpmath=387)."
#endif

#if !defined(__cpp_exceptions)
#error "Eigenformer reports errors by exceptions: compile without -fno-exceptions."
#endif

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Eigenformer supports little-endian machines only."
#endif

#if defined(__x86_64__)
#define EIGENFORMER_X86_64 1
#else
#define EIGENFORMER_X86_64 0
#endif
#if defined(__aarch64__)
#define EIGENFORMER_AARCH64 1
#else
#define EIGENFORMER_AARCH64 0
#endif

/// The parts of eigenformer::compiled, each defined in one of its files. A program that links it
/// only declares them; with the headers alone each of its files defines what it uses.
#define EIGENFORMER_PART_KERNELS 1
#define EIGENFORMER_PART_LAYERS 2
#define EIGENFORMER_PART_MODELS 3
#define EIGENFORMER_PART_IO 4
#define EIGENFORMER_PART_ARCHITECTURES 5
#define EIGENFORMER_PART_GENERATION 6
#define EIGENFORMER_PART_TOKENIZERS 7
#define EIGENFORMER_PART_PIPELINES 8

/// Whether this file defines a part, and how its functions begin.
#if !defined(EIGENFORMER_COMPILED)
#define EIGENFORMER_DEFINES(part) 1
#define EIGENFORMER_INLINE inline
#else
#if !defined(EIGENFORMER_COMPILED_PART)
#define EIGENFORMER_COMPILED_PART 0
#endif
#define EIGENFORMER_DEFINES(part) (EIGENFORMER_COMPILED_PART == (part))
#define EIGENFORMER_INLINE
#endif

/// Eigen without its LGPL parts.
#if !defined(EIGEN_MPL2_ONLY)
#define EIGEN_MPL2_ONLY
#endif

/// A contract inside the library. Tests define EIGENFORMER_ASSERT themselves, to throw instead.
#if !defined(EIGENFORMER_ASSERT)
#define EIGENFORMER_ASSERT(condition) assert(condition)
#endif

/// A loop over registers, unrolled whole at any optimisation level.
#define EIGENFORMER_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define EIGENFORMER_UNROLL EIGENFORMER_PRAGMA(clang loop unroll(full))
#else
#define EIGENFORMER_UNROLL EIGENFORMER_PRAGMA(GCC unroll 64)
#endif

/// An operation on vectors, always part of its caller; a kernel, entered by pointer. Both have the
/// attribute of the instruction set that the including file names: lambdas don't inherit it.
#define EIGENFORMER_OP EIGENFORMER_TARGET __attribute__((always_inline)) inline
#define EIGENFORMER_KERNEL EIGENFORMER_TARGET inline
