// SPDX-License-Identifier: MIT
#include "support/peak_memory.hpp"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MEMORY_IS_NOT_COUNTED
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define MEMORY_IS_NOT_COUNTED
#endif

namespace eigenformer::test {

namespace {

// Initialised before any code runs, as the first call of operator new needs them.
constinit std::atomic<std::size_t> live_bytes = 0;
constinit std::atomic<std::size_t> peak_bytes = 0;

#if !defined(MEMORY_IS_NOT_COUNTED)
// posix_memalign asks for no more than `size`, so that the address sanitizer sees its very end.
void* counted(std::size_t size, std::size_t alignment) {
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, size) != 0 || memory == nullptr) throw std::bad_alloc();
  const std::size_t live = live_bytes += ::malloc_usable_size(memory);
  std::size_t peak = peak_bytes;
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
  return memory;
}

void release(void* memory) noexcept {
  live_bytes -= ::malloc_usable_size(memory);
  std::free(memory);
}
#endif

}  // namespace

bool memory_is_counted() {
#if defined(MEMORY_IS_NOT_COUNTED)
  return false;
#else
  return true;
#endif
}

std::size_t live_memory() { return live_bytes; }

void restart_peak_memory() { peak_bytes = live_bytes.load(); }

std::size_t most_live_memory() { return peak_bytes; }

}  // namespace eigenformer::test

#if !defined(MEMORY_IS_NOT_COUNTED)
// For the whole program. Arrays' operators call these; those that don't throw would too, but the
// address sanitizer has its own.
void* operator new(std::size_t size) {
  return eigenformer::test::counted(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return eigenformer::test::counted(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  eigenformer::test::release(memory);
}
void operator delete(void* memory) noexcept { eigenformer::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { eigenformer::test::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  eigenformer::test::release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  eigenformer::test::release(memory);
}
#endif
