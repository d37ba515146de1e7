// SPDX-License-Identifier: MIT
/// The processor's floating-point modes. One shared object linked with -ffast-math sets them for a
/// whole process; under this guard they are what the arithmetic is defined for.
#pragma once

#include <cstdint>

#include "eigenformer/core/macros.hpp"

namespace eigenformer::inline v0 {

/// Round to nearest, denormals kept, exceptions masked, on this thread until the guard's end.
class FloatingPointGuard {
 public:
  FloatingPointGuard() : before_(read()) {
    if ((before_ & mode_bits) != wanted) write((before_ & ~mode_bits) | wanted);
  }
  FloatingPointGuard(const FloatingPointGuard&) = delete;
  FloatingPointGuard& operator=(const FloatingPointGuard&) = delete;
  ~FloatingPointGuard() {
    if ((before_ & mode_bits) != wanted) write(before_);
  }

 private:
#if EIGENFORMER_X86_64
  using Register = std::uint32_t;  // MXCSR: flush to zero, rounding, masks, denormals are zeros
  static constexpr Register mode_bits = 0xffc0, wanted = 0x1f80;
  static Register read() { return __builtin_ia32_stmxcsr(); }
  static void write(Register value) { __builtin_ia32_ldmxcsr(value); }
#elif EIGENFORMER_AARCH64
  using Register = std::uint64_t;  // FPCR: alternative half, default NaN, flush to zero, rounding
  static constexpr Register mode_bits = 0x07c80000, wanted = 0;
  static Register read() {
    Register value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(Register value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#else
  using Register = int;  // no modes that we know of
  static constexpr Register mode_bits = 0, wanted = 0;
  static Register read() { return 0; }
  static void write(Register) {}
#endif

  Register before_;
};

/// A double of a config as the float or double that is calculated with, rounded to nearest whatever
/// the caller's mode is.
template <class Scalar>
Scalar to_nearest(double value) {
  const FloatingPointGuard guard;
  return static_cast<Scalar>(value);
}

}  // namespace eigenformer::inline v0
