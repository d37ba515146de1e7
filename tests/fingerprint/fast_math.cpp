// SPDX-License-Identifier: MIT
// A shared object as careless programs link them: with -ffast-math, which makes gcc add a start-up
// routine that flushes denormals to zero, for the whole process. Newer compilers add it to programs
// only, so this one brings its own.
#include <cstdint>

#if defined(__x86_64__)
__attribute__((constructor)) static void flush_denormals() {
  const unsigned flush_to_zero = 0x8000, denormals_are_zeros = 0x0040;
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | flush_to_zero | denormals_are_zeros);
}
#elif defined(__aarch64__)
__attribute__((constructor)) static void flush_denormals() {
  std::uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (std::uint64_t{1} << 24)));
}
#endif

/// So that the program needs the object.
extern "C" void fingerprint_load_fast_math() {}
