// SPDX-License-Identifier: MIT
// Every way through a Translator, with each of its calls for memory, and of the system, failing
// once: a typed error, nothing left behind, and the next call as if nothing had been.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <optional>

#include "eigenformer/io/torch_checkpoint.hpp"
#include "eigenformer/pipelines/translator.hpp"
#include "support/faults.hpp"
#include "support/tiny_folder.hpp"

namespace eigenformer::test {
namespace {

const TinyFolder& folder() {
  static const TinyFolder one;
  return one;
}

const std::vector<std::string> texts{"Hello world. Hello!", "a b", "", "the world, hello"};

/// What a way gives, to compare.
using Way = std::function<std::string()>;

/// What a way ended in.
struct Outcome {
  std::string text;
  bool failed = false;  ///< a call of the way did
  bool refused = false;
  ErrorCode code = ErrorCode::io;
};

Outcome run(const Way& way, Fault fault, long n) {
  Outcome out;
  fail_at(fault, n);
  try {
    out.text = way();
  } catch (const Error& error) {
    out.refused = true;
    out.code = error.code();
    EXPECT_STRNE(error.what(), "");
  } catch (const std::exception& error) {
    out.refused = true;
    ADD_FAILURE() << name(fault) << " " << n << ": not an Error: " << error.what();
  }
  out.failed = has_failed();
  return out;
}

/// What a failing call may end in, and leave.
struct Promise {
  ErrorCode code;
  long blocks = 0;  ///< more than before: contexts of threads that had not worked yet
};

/// The way once, with the n-th call failing. Whether there is an n-th.
bool fail_once(const Way& way, const std::string& expected, Fault fault, long n, Promise promise) {
  const Outcome outcome = run(way, fault, n);
  if (outcome.failed && outcome.refused) {
    EXPECT_EQ(name(outcome.code), std::string(name(promise.code))) << name(fault) << " " << n;
  } else {
    EXPECT_EQ(outcome.text, expected) << name(fault) << " " << n;
  }
  return outcome.failed;
}

/// The way, with the n-th call failing, for every n that there is (with sanitizers, for some).
/// Returns how many there were.
long fail_everywhere(const Way& way, Fault fault, Promise promise) {
  fail_at(fault, 0);
  const std::string expected = way();
  way();  // what is made once is there
  const long blocks = live_blocks() + promise.blocks, files = open_files();
  long count = 0;
  for (long n = 1;; n += fault_step(), ++count) {
    if (!fail_once(way, expected, fault, n, promise)) return count;
    EXPECT_LE(live_blocks(), blocks) << "after " << name(fault) << " " << n;
    EXPECT_EQ(open_files(), files) << "after " << name(fault) << " " << n;
    fail_at(fault, 0);
    EXPECT_EQ(way(), expected) << "after " << name(fault) << " " << n;
    if (::testing::Test::HasFailure()) return count;
  }
}

/// What the program ends with.
class Total final : public ::testing::Environment {
 public:
  long injected = 0;
  void TearDown() override { std::printf("injected %6ld in all\n", injected); }
};
Total& total = static_cast<Total&>(*::testing::AddGlobalTestEnvironment(new Total));

void report(const std::string& way, Fault fault, long count) {
  std::printf("injected %6ld %s: %s\n", count, name(fault).c_str(), way.c_str());
  total.injected += count;
  EXPECT_GT(count, 0);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

struct NamedWay {
  const char* name;
  Way way;
};

/// Loads, translates, and destroys.
Way loading(const TranslatorOptions& options) {
  return [options] {
    std::vector<std::string> out;
    const std::string path = folder().path();
    const GenerationOptions greedy{.beam_size = 1};
    {
      const Armed armed;
      out = Translator::load(path, options)(std::span(texts), greedy);
    }
    return joined(out);
  };
}

std::string data(const char* file) { return std::string(EIGENFORMER_TEST_DATA "/") + file; }

/// Reads tensors by `read`, a function of a path, and then their bytes.
template <class Read>
Way reading(const char* file, Read read) {
  return [path = data(file), read] {
    std::string out;
    out.reserve(100'000);
    {
      const Armed armed;
      const io::Tensors tensors = read(path);
      io::ByteBuffer buffer;
      for (const io::NamedTensor& entry : tensors) {
        out.append(entry.name).append(io::as_text(entry.tensor.bytes.in(buffer)));
      }
    }
    return out;
  };
}

std::vector<NamedWay> ways_to_read() {
  const auto torch = [](const std::string& path) { return io::read_torch_checkpoint(path); };
  const auto safetensors = [](const std::string& path) { return io::read_safetensors(path); };
  const auto mapped = [](const std::string& path) { return io::map_safetensors(path); };
  const auto tokenizer = [path = data("tokenizers/tiny/unigram.spm")] {
    std::optional<SentencePiece> spm;
    {
      const Armed armed;
      spm = SentencePiece::load(path);
    }
    return std::to_string(spm->size());
  };
  const auto json = [path = folder().path() + "/vocab.json"] {
    std::optional<io::Json> value;
    {
      const Armed armed;
      value = io::read_json(path);
    }
    return std::to_string(value->members().size());
  };
  return {{"torch's archive", reading("torch_checkpoints/everything_zip.bin", torch)},
          {"torch's older layout", reading("torch_checkpoints/everything_legacy.bin", torch)},
          {"safetensors", reading("torch_checkpoints/everything.safetensors", safetensors)},
          {"safetensors, mapped", reading("torch_checkpoints/everything.safetensors", mapped)},
          {"a tokenizer", tokenizer},
          {"JSON", json}};
}

std::vector<NamedWay> ways_to_load() {
  TranslatorOptions mapped, int8, threads;
  mapped.load.access = io::FileAccess::map;
  int8.weights = Storage::int8;
  threads.threads = 2;
  return {{"read", loading({})},
          {"mapped", loading(mapped)},
          {"int8", loading(int8)},
          {"two threads", loading(threads)}};
}

Way translating(const Translator& translator, const GenerationOptions& options) {
  return [&translator, options] {
    std::vector<std::string> out;
    {
      const Armed armed;
      out = translator(std::span(texts), options);
    }
    return joined(out);
  };
}

/// Beams, all that is known of them, and attention.
Way describing(const Translator& translator) {
  TranslationOptions options;
  options.alignment = true;
  options.attention = [](AttentionPlace, Index) { return true; };
  options.generation = {.beam_size = 3, .hypotheses = 3};
  return [&translator, options] {
    std::vector<Translation> all;
    {
      const Armed armed;
      all = translator.translate_full(texts, options);
    }
    std::string out;
    for (const Translation& translation : all) {
      for (std::size_t n = 0; n < 3; ++n) out += translation.text(n) + "\n";
    }
    return out;
  };
}

Way streaming(const Translator& translator, const GenerationOptions& options) {
  return [&translator, options] {
    std::string out;
    out.reserve(1000);
    const std::function<AfterStep(std::string_view)> keep = [&](std::string_view part) {
      out += part;
      return AfterStep::go_on;
    };
    const Armed armed;
    translator.stream(texts[0], keep, options);
    return out;
  };
}

std::vector<NamedWay> ways_to_translate(const Translator& translator) {
  return {{"greedy", translating(translator, {.beam_size = 1})},
          {"beams", translating(translator, {.beam_size = 4})},
          {"sampling", translating(translator, {.sample = true, .top_k = 5, .seed = 7})},
          {"beams, alignment, attention", describing(translator)},
          {"stream", streaming(translator, {.beam_size = 1})},
          {"stream of beams", streaming(translator, {.beam_size = 2})}};
}

class Faults : public ::testing::TestWithParam<Fault> {};

class FaultsInMemory : public ::testing::TestWithParam<Fault> {
 protected:
  void SetUp() override {
    if (!can_fail(GetParam())) GTEST_SKIP() << "the sanitizer has the allocator";
  }
  void expect_errors(const std::string& what, const std::vector<NamedWay>& ways,
                     Promise promise = {ErrorCode::out_of_memory}) {
    for (const auto& [name, way] : ways) {
      report(what + name, GetParam(), fail_everywhere(way, GetParam(), promise));
    }
  }
  void expect_errors_of_translating(const std::string& what, const TranslatorOptions& options,
                                    Promise promise);
};

TEST_P(FaultsInMemory, OfLoadingAreErrors) {
  expect_errors("load, translate, destroy: ", ways_to_load());
}

TEST_P(FaultsInMemory, OfReadingAreErrors) { expect_errors("read ", ways_to_read()); }

/// All ways through a Translator, which leaves nothing when it goes.
void FaultsInMemory::expect_errors_of_translating(const std::string& what,
                                                  const TranslatorOptions& options,
                                                  Promise promise) {
  Translator::load(folder().path(), options)(texts);
  const long before = live_blocks();
  {
    const Translator translator = Translator::load(folder().path(), options);
    expect_errors(what, ways_to_translate(translator), promise);
  }
  EXPECT_LE(live_blocks(), before);
}

TEST_P(FaultsInMemory, OfTranslatingAreErrors) {
  expect_errors_of_translating("translate: ", {}, {ErrorCode::out_of_memory});
}

TEST_P(FaultsInMemory, OfTranslatingOnTwoThreadsAreErrors) {
  expect_errors_of_translating("translate on two threads: ", {.threads = 2, .batch_tokens = 4},
                               {ErrorCode::out_of_memory, 1000});
}

INSTANTIATE_TEST_SUITE_P(Calls, FaultsInMemory,
                         ::testing::Values(Fault::allocation, Fault::exhaustion),
                         [](const auto& tested) { return name(tested.param); });

TEST_P(Faults, OfTheSystemAreErrors) {
  const Fault fault = GetParam();
  if (!can_fail(fault)) GTEST_SKIP() << "the sanitizer has the system's calls";
  const ErrorCode promised = fault == Fault::map_error ? ErrorCode::out_of_memory : ErrorCode::io;
  long count = 0;
  for (const auto& ways : {ways_to_load(), ways_to_read()}) {
    for (const auto& [name, way] : ways) {
      const long calls = fail_everywhere(way, fault, {promised});
      if (calls > 0) report(name, fault, calls);
      count += calls;
    }
  }
  EXPECT_GT(count, 0);
}

TEST(FaultsOfThreads, AreErrors) {
  if (!can_fail(Fault::no_thread)) GTEST_SKIP() << "the sanitizer has threads of its own";
  const Way way = loading({.threads = 3});
  report("load with three threads", Fault::no_thread,
         fail_everywhere(way, Fault::no_thread, {ErrorCode::out_of_memory}));
}

INSTANTIATE_TEST_SUITE_P(Calls, Faults,
                         ::testing::Values(Fault::read_error, Fault::short_read,
                                           Fault::interruption, Fault::early_end, Fault::map_error,
                                           Fault::open_error, Fault::status_error),
                         [](const auto& tested) { return name(tested.param); });

}  // namespace
}  // namespace eigenformer::test
