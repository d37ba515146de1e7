// SPDX-License-Identifier: MIT
#include "eigenformer/core/arena.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "support/expect_contract.hpp"

// The thread sanitizer's own operators can't be replaced.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ALLOCATIONS_ARE_NOT_COUNTED
#endif
#endif

namespace {

/// How often this program has asked for memory through operator new; any thread may ask.
std::atomic<long> allocations = 0;

#if !defined(ALLOCATIONS_ARE_NOT_COUNTED)
void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (void* const memory = std::aligned_alloc(alignment, rounded)) return memory;
  throw std::bad_alloc();
}
#endif

}  // namespace

#if !defined(ALLOCATIONS_ARE_NOT_COUNTED)
// For the whole program; what is not replaced here calls these.
void* operator new(std::size_t size) { return counted(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#endif

namespace eigenformer::test {
namespace {

template <class Element>
std::uintptr_t address(const Element* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

TEST(Arena, TakesAreAlignedAndApart) {
  Arena arena;
  const auto* const a = arena.take<char>(1);
  const auto* const b = arena.take<double>(3);
  const auto* const c = arena.take<float>(17);
  EXPECT_EQ(address(a) % 64, 0u);
  EXPECT_EQ(address(b), address(a) + 64);
  EXPECT_EQ(address(c), address(b) + 64);
  EXPECT_EQ(address(arena.take<char>(1)), address(c) + 128);
}

TEST(Arena, AMatrixIsDense) {
  Arena arena;
  const MatrixView<float> m = arena.matrix<float>(3, 5);
  EXPECT_EQ(m.rows(), 3);
  EXPECT_EQ(m.cols(), 5);
  EXPECT_EQ(m.stride(), 5);
  EXPECT_EQ(address(m.data()) % 64, 0u);
}

TEST(Arena, AScopeGivesBackWhatItTook) {
  Arena arena;
  arena.take<float>(5);
  const float* first;
  {
    const Arena::Scope scope(arena);
    first = arena.take<float>(100);
  }
  const Arena::Scope scope(arena);
  EXPECT_EQ(arena.take<float>(7), first);
}

TEST(Arena, ScopesNest) {
  Arena arena;
  const Arena::Scope outer(arena);
  float* const kept = arena.take<float>(16);
  kept[0] = 42;
  const float* inner_memory;
  {
    const Arena::Scope inner(arena);
    inner_memory = arena.take<float>(16);
    EXPECT_NE(inner_memory, kept);
  }
  EXPECT_EQ(arena.take<float>(16), inner_memory);
  EXPECT_EQ(kept[0], 42);
}

/// A step like the last one allocates nothing, wherever its memory lay: 5 MB in pieces of many
/// sizes.
TEST(Arena, TheSecondStepAllocatesNothing) {
#if defined(ALLOCATIONS_ARE_NOT_COUNTED)
  GTEST_SKIP() << "allocations are not counted under the thread sanitizer";
#endif
  Arena arena;
  const auto step = [&] {
    const Arena::Scope scope(arena);
    for (Index i = 1; i < 50; ++i) {
      const Arena::Scope piece(arena);
      arena.take<float>(i * 1000);
      arena.matrix<double>(i, 1 + i * 13 % 7)(i - 1, 0) = 1;
    }
    arena.take<char>(5'000'000);
  };
  {
    const Arena::Scope scope(arena);
    arena.take<double>(50 * 7);
    step();
  }
  const Index capacity = arena.capacity();
  const long before = allocations;
  for (int i = 0; i < 10; ++i) {
    const Arena::Scope scope(arena);
    arena.take<double>(50 * 7);
    step();
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(arena.capacity(), capacity);
  const AlignedBuffer<float> one(1);
  EXPECT_EQ(allocations, before + 1) << "the counter counts";
}

/// What was taken stays where it is when the arena grows.
TEST(Arena, GrowthMovesNothing) {
  Arena arena;
  int* const first = arena.take<int>(10);
  first[9] = 99;
  for (Index size = 1; size < (Index{1} << 22); size *= 2) arena.take<char>(size)[size - 1] = 1;
  EXPECT_EQ(first[9], 99);
  EXPECT_GE(arena.capacity(), Index{1} << 22);
}

TEST(Arena, ManySmallTakesShareBlocks) {
  Arena arena;
  const long before = allocations;
  for (int i = 0; i < 100'000; ++i) arena.take<char>(64);
  EXPECT_LT(allocations - before, 20);
}

TEST(Arena, AnExceptionGivesBack) {
  Arena arena;
  const float* first = nullptr;
  const auto step = [&] {
    const Arena::Scope scope(arena);
    first = arena.take<float>(1000);
    arena.take<float>(1'000'000);
    throw std::runtime_error("stop");
  };
  EXPECT_THROW(step(), std::runtime_error);
  EXPECT_EQ(arena.take<float>(1), first);
}

/// A refused take leaves the arena as usable as it was.
TEST(Arena, RefusesImpossibleSizes) {
  Arena arena;
  float* const first = arena.take<float>(1);
  EXPECT_THROW(arena.take<double>(Index{1} << 60), std::bad_alloc);
  EXPECT_THROW(arena.matrix<float>(Index{1} << 40, Index{1} << 40), std::bad_alloc);
  first[0] = 1;
  EXPECT_NE(arena.take<float>(1), first);
  EXPECT_BROKEN_CONTRACT(arena.take<float>(-1));
  EXPECT_BROKEN_CONTRACT(arena.matrix<float>(-1, -1));
}

TEST(Arena, Nothing) {
  Arena arena;
  EXPECT_EQ(arena.capacity(), 0);
  arena.take<float>(0);
  const MatrixView<float> none = arena.matrix<float>(0, 5);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.cols(), 5);
}

}  // namespace
}  // namespace eigenformer::test
