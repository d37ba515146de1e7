// SPDX-License-Identifier: MIT
/// A mebibyte of what is worst for a tokenizer: time grows as the text does, and the stack doesn't.
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/support.hpp"

namespace {

using namespace tokenizers_test;

// What a sanitizer or a build without optimisation multiplies times by is not the library's matter.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr bool times_count = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool times_count = false;
#else
constexpr bool times_count = true;
#endif
#else
constexpr bool times_count = true;
#endif

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// Runs a function in a thread with a stack of 128 KiB, and throws what it throws.
void with_small_stack(const std::function<void()>& function) {
  struct Job {
    const std::function<void()>& function;
    std::exception_ptr problem;
  } job{function, nullptr};
  pthread_attr_t attributes;
  ASSERT_EQ(::pthread_attr_init(&attributes), 0);
  ASSERT_EQ(::pthread_attr_setstacksize(&attributes, std::size_t{128} << 10), 0);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    auto& given = *static_cast<Job*>(argument);
    try {
      given.function();
    } catch (...) {
      given.problem = std::current_exception();
    }
    return nullptr;
  };
  ASSERT_EQ(::pthread_create(&thread, &attributes, run, &job), 0);
  ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&attributes);
  if (job.problem) std::rethrow_exception(job.problem);
}

struct Adversary {
  const char* name;
  std::string_view unit;  ///< repeated
};

std::string repeated(std::string_view unit, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + unit.size());
  while (text.size() < bytes) text += unit;
  return text;
}

using namespace std::string_view_literals;
constexpr Adversary adversaries[] = {
    {"OneLetter", "a"sv},
    {"Spaces", " "sv},
    {"CombiningMarks", "\u0301"sv},
    {"LetterAndMarks", "e\u0301\u0323\u0308"sv},
    {"Cjk", "\u4E2D\u6587"sv},
    {"EmojiJoined", "\U0001F469\u200D"sv},
    {"TwoLetters", "ab"sv},
    {"LetterAndSpace", "a "sv},
    {"FullStops", "."sv},
    {"Digits", "0"sv},
    {"Underscores", "_"sv},
    {"SpaceSymbols", "\u2581"sv},
    {"LongestRule", "\uFDFA"sv},
    {"HalfWidthKana", "\uFF76\uFF9E"sv},
    {"NulBytes", "\0"sv},
    {"InvalidBytes", "\xFF"sv},
    {"HalfCharacters", "\xE2\x96"sv},
    {"SpecialTokens", "<s></s><unk>"sv},
};

class AdversarialTextTest : public testing::TestWithParam<Adversary> {
 protected:
  /// The allocator keeps what it has: else the larger text pays for pages that the system gives
  /// anew in every run, and the smaller one doesn't.
  static void SetUpTestSuite() {
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_MMAP_MAX, 0);
    ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  }

  /// Milliseconds of processor time that this thread has had.
  static double now() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
  }

  /// Milliseconds, the least of some runs.
  static double time(const SentencePiece& tokenizer, const std::string& text) {
    double least = 1e9;
    for (int run = 0; run < (times_count ? 4 : 1); ++run) {
      const double start = now();
      const Ids ids = tokenizer.encode_ids(text);
      least = std::min(least, now() - start);
      if (run == 0) tokenizer.decode(ids);
    }
    return least;
  }

  static void check(const std::string& name) {
    const SentencePiece tokenizer = model(name);
    const std::string text = repeated(GetParam().unit, mebibyte);
    const std::string half = repeated(GetParam().unit, mebibyte / 2);
    with_small_stack([&] {
      const double whole_time = time(tokenizer, text);
      if (!times_count) return;
      EXPECT_LT(whole_time, 1000.0);
      double ratio = whole_time / time(tokenizer, half);
      // Somebody else's work on the machine may have been counted.
      for (int again = 0; again < 5 && ratio >= 2.3; ++again) {
        ratio = time(tokenizer, text) / time(tokenizer, half);
      }
      EXPECT_LT(ratio, 2.3);
    });
  }
};

TEST_P(AdversarialTextTest, UnigramTakesLinearTime) { check("opus-mt-tc-big-fr-en/source.spm"); }
TEST_P(AdversarialTextTest, BytePairTakesLinearTime) { check("phi-3/phi-3.spm"); }

INSTANTIATE_TEST_SUITE_P(Texts, AdversarialTextTest, testing::ValuesIn(adversaries),
                         [](const auto& adversary) { return adversary.param.name; });

/// Unused pieces, each the one before and a letter: taken apart again, a thousand deep.
TEST(AdversarialModelTest, DeepUnusedPiecesNeedNoStack) {
  std::string content = unknown_piece() + trainer(field(3, std::uint64_t{2})) + identity();
  content += piece("a", -1);
  for (unsigned length = 2; length < 1000; ++length) {
    content += piece(std::string(length, 'a'), static_cast<float>(length), PieceKind::unused);
  }
  const SentencePiece tokenizer = parse(content);
  with_small_stack([&] {
    const std::string text(100'000, 'a');
    EXPECT_EQ(tokenizer.decode(tokenizer.encode_ids(text)), text);
  });
}

TEST(AdversarialModelTest, LongPiecesNeedNoStackToLoad) {
  const std::string content = unknown_piece() + piece(std::string(60'000, 'x'), -1) + identity();
  with_small_stack([&] {
    const SentencePiece tokenizer = parse(content);
    EXPECT_EQ(tokenizer.encode_ids(std::string(2000, 'x')), Ids{0});
  });
}

}  // namespace
