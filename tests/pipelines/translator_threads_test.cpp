// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "eigenformer/pipelines/translator.hpp"
#include "support/tiny_folder.hpp"

namespace eigenformer::test {
namespace {

constexpr std::size_t count = 1000;

std::vector<std::string> sentences() {
  const std::vector<std::string> words{"Hello", "world", "a", "b", "the", "hello", "é", "😀"};
  std::mt19937 random(11);
  std::vector<std::string> out(count);
  for (std::string& sentence : out) {
    for (auto length = 1 + random() % 8; length > 0; --length) {
      sentence += words[random() % words.size()] + (length > 1 ? " " : ".");
    }
  }
  return out;
}

/// Another way to decode for each of some neighbours.
GenerationOptions options_of(std::size_t number) {
  switch (number % 4) {
    case 0: return {.beam_size = 1};
    case 1: return {.beam_size = 3};
    case 2: return {.sample = true, .top_k = 4, .seed = number};
    default: return {.max_new_tokens = 5, .no_repeat_ngram_size = 2};
  }
}

/// One at a time, or as they come.
std::string translated(const Translator& translator, const std::string& text, std::size_t number) {
  if (number % 7 != 0) return translator(text, options_of(number));
  std::string out;
  translator.stream(
      text,
      [&](std::string_view part) {
        out += part;
        return AfterStep::go_on;
      },
      options_of(number));
  return out;
}

void expect_what_one_thread_gives(const TranslatorOptions& options) {
  const TinyFolder folder;
  const std::vector<std::string> texts = sentences();
  const Translator serial = Translator::load(folder.path());
  std::vector<std::string> expected, got(count);
  for (std::size_t i = 0; i < count; ++i) expected.push_back(translated(serial, texts[i], i));

  const Translator shared = Translator::load(folder.path(), options);
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 32; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < count; i = next++) got[i] = translated(shared, texts[i], i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(got, expected);
}

TEST(TranslatorThreads, ThirtyTwoOnOneTranslatorGiveWhatOneGives) {
  expect_what_one_thread_gives({});
}

TEST(TranslatorThreads, ThirtyTwoOnOneThreadPoolGiveWhatOneGives) {
  expect_what_one_thread_gives({.threads = 2, .batch_tokens = 8});
}

}  // namespace
}  // namespace eigenformer::test
