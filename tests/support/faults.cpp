// SPDX-License-Identifier: MIT
#include "support/faults.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZER_HAS_MALLOC
#elif __has_feature(thread_sanitizer)
#define SANITIZER_HAS_ALL
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZER_HAS_MALLOC
#elif defined(__SANITIZE_THREAD__)
#define SANITIZER_HAS_ALL
#endif

namespace eigenformer::test {
namespace {

// Initialised before any code runs.
constinit std::atomic<Fault> kind = Fault::allocation;
constinit std::atomic<long> left = 0;  ///< calls until one fails; 0: none will
constinit std::atomic<bool> armed = false;
constinit std::atomic<bool> failed = false;
constinit std::atomic<long> blocks = 0;

/// Whether this call of such a kind is the one.
[[maybe_unused]] bool fails(Fault fault) {
  if (!armed.load(std::memory_order_relaxed) || kind.load() != fault) return false;
  if (left.fetch_sub(1) != 1) return false;
  failed = true;
  return true;
}

/// The same for memory, which may be there no more at all.
[[maybe_unused]] bool memory_fails() {
  if (fails(Fault::allocation)) return true;
  if (!armed.load(std::memory_order_relaxed) || kind.load() != Fault::exhaustion) return false;
  if (left.load() > 1 && left.fetch_sub(1) > 1) return false;
  if (left.load() < 1) return false;  // nothing was asked for
  failed = true;
  return true;
}

}  // namespace

std::string name(Fault fault) {
  switch (fault) {
    case Fault::allocation: return "allocation";
    case Fault::exhaustion: return "exhaustion";
    case Fault::read_error: return "read_error";
    case Fault::short_read: return "short_read";
    case Fault::interruption: return "interruption";
    case Fault::early_end: return "early_end";
    case Fault::map_error: return "map_error";
    case Fault::open_error: return "open_error";
    case Fault::status_error: return "status_error";
    case Fault::no_thread: return "no_thread";
  }
  return "unknown";
}

bool can_fail([[maybe_unused]] Fault fault) {
#if defined(SANITIZER_HAS_ALL)
  return false;
#elif defined(SANITIZER_HAS_MALLOC)
  return fault != Fault::no_thread;
#else
  return true;
#endif
}

long fault_step() {
#if defined(SANITIZER_HAS_MALLOC)
  return 7;
#else
  return 1;
#endif
}

void fail_at(Fault fault, long n) {
  failed = false;
  kind = fault;
  left = n;
}

bool has_failed() { return failed; }

Armed::Armed() { armed = true; }
Armed::~Armed() { armed = false; }

long live_blocks() { return blocks; }

long open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<long>(std::distance(begin(files), end(files)));
}

}  // namespace eigenformer::test

#if !defined(SANITIZER_HAS_ALL)

using eigenformer::test::Fault, eigenformer::test::fails, eigenformer::test::memory_fails,
    eigenformer::test::blocks;

// The program's definitions go before the C library's.
extern "C" {

ssize_t pread(int file, void* out, size_t size, off_t offset) {
  if (fails(Fault::read_error)) {
    errno = EIO;
    return -1;
  }
  if (fails(Fault::interruption)) {
    errno = EINTR;
    return -1;
  }
  if (fails(Fault::early_end)) return 0;
  if (size > 1 && fails(Fault::short_read)) size /= 2;
  return ::syscall(SYS_pread64, file, out, size, offset);
}

void* mmap(void* at, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  if (file >= 0 && fails(Fault::map_error)) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, file, offset));
}

int open(const char* path, int flags, ...) {
  if (fails(Fault::open_error)) {
    errno = EMFILE;
    return -1;
  }
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int fstat(int file, struct stat* status) noexcept {
  if (fails(Fault::status_error)) {
    errno = EIO;
    return -1;
  }
  return ::fstatat(file, "", status, AT_EMPTY_PATH);
}

}  // extern "C"

#if defined(SANITIZER_HAS_MALLOC)

namespace {

void* allocate(std::size_t size, std::size_t alignment) {
  if (memory_fails()) throw std::bad_alloc();
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, size) != 0) throw std::bad_alloc();
  ++blocks;
  return memory;
}
void release(void* memory) noexcept {
  if (memory != nullptr) --blocks;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

#else

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) noexcept {
  if (fails(Fault::no_thread)) return EAGAIN;
  static const auto real =
      reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  return real(thread, attributes, run, argument);
}

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* memory);

static void* count_block(void* memory) {
  if (memory != nullptr) ++blocks;
  return memory;
}
static bool refuses() {
  if (!memory_fails()) return false;
  errno = ENOMEM;
  return true;
}

void* malloc(size_t size) { return refuses() ? nullptr : count_block(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) {
  return refuses() ? nullptr : count_block(__libc_calloc(count, size));
}
void* realloc(void* memory, size_t size) {
  if (refuses()) return nullptr;
  void* const moved = __libc_realloc(memory, size);
  return memory == nullptr ? count_block(moved) : moved;
}
void* memalign(size_t alignment, size_t size) {
  return refuses() ? nullptr : count_block(__libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  if (memory != nullptr) --blocks;
  __libc_free(memory);
}

}  // extern "C"

#endif
#endif
