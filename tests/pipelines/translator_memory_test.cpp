// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <filesystem>

#include "eigenformer/pipelines/translator.hpp"
#include "support/peak_memory.hpp"
#include "support/tiny_folder.hpp"

namespace eigenformer::test {
namespace {

const std::string shipped = EIGENFORMER_TEST_DATA "/../../models/fr-en-small";

/// Of the shipped model, which makes it: [positions, d_model] in f32.
constexpr double table_of_positions = 512 * 256 * 4;

/// Bytes that the shipped model's weights, f16 in their file, take in a storage.
double weights_in(Storage storage) {
  const auto file = static_cast<double>(std::filesystem::file_size(shipped + "/model.safetensors"));
  switch (storage) {
    case Storage::f32: return 2 * file;
    case Storage::int8: return file / 2;
    default: return file;
  }
}

/// The most that is in memory at once while the shipped model is loaded, and what stays.
struct Loading {
  double peak, stays;
};

Loading load(io::FileAccess access, Storage storage) {
  TranslatorOptions options;
  options.load.access = access;
  options.weights = storage;
  const std::size_t before = live_memory();
  restart_peak_memory();
  const Translator translator = Translator::load(shipped, options);
  return {static_cast<double>(most_live_memory() - before),
          static_cast<double>(live_memory() - before)};
}

class TranslatorMemory : public ::testing::TestWithParam<Storage> {};

TEST_P(TranslatorMemory, OfLoadingIsTheWeights) {
  if (!memory_is_counted()) GTEST_SKIP() << "memory is not counted here";
  const std::size_t before = live_memory();
  restart_peak_memory();
  MarianTokenizer::load(shipped);
  const auto tokenizer = static_cast<double>(most_live_memory() - before);
  const double weights = weights_in(GetParam()) + table_of_positions;
  load(io::FileAccess::map, GetParam());  // what is made once in a program
  const Loading mapped = load(io::FileAccess::map, GetParam());
  const Loading read = load(io::FileAccess::read, GetParam());
  EXPECT_LE(mapped.peak, 1.1 * weights + tokenizer);
  EXPECT_LE(read.peak, 1.1 * weights + tokenizer);
  EXPECT_LE(mapped.stays, 1.1 * weights + tokenizer);
  EXPECT_LE(read.stays, 1.1 * weights + tokenizer);
  std::printf("%s: weights %.1f MB, peak %.3fx mapped, %.3fx read\n", name(GetParam()),
              weights / 1e6, (mapped.peak - tokenizer) / weights,
              (read.peak - tokenizer) / weights);
}

INSTANTIATE_TEST_SUITE_P(Storages, TranslatorMemory,
                         ::testing::Values(Storage::f32, Storage::f16, Storage::bf16,
                                           Storage::int8),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(TranslatorMemory, OfTenThousandTranslationsDoesNotGrow) {
  if (!memory_is_counted()) GTEST_SKIP() << "memory is not counted here";
  const TinyFolder folder;
  const Translator translator = Translator::load(folder.path());
  const std::vector<std::string> texts{"Hello world.", "a", "the world, hello hello", "", "b a b"};
  const auto round = [&](std::size_t n) {
    const GenerationOptions options{.beam_size = Index{1} + static_cast<Index>(n % 3)};
    if (n % 2 == 0) translator(std::span(texts), options);
    if (n % 2 == 1) translator(texts[n % texts.size()], options);
  };
  for (std::size_t n = 0; n < 300; ++n) round(n);
  const std::size_t live = live_memory();
  for (std::size_t n = 0; n < 10000; ++n) round(n);
  EXPECT_EQ(live_memory(), live);
}

}  // namespace
}  // namespace eigenformer::test
