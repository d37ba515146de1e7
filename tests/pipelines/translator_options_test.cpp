// SPDX-License-Identifier: MIT
// A row for every field of TranslationOptions, TranslatorOptions and LoadLimits: what it changes,
// the least and the greatest value that work, and what is said of those beyond. Those of decoding
// are in generation_options_test.cpp.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <limits>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/bits.hpp"
#include "support/option_rows.hpp"
#include "support/refusal.hpp"
#include "support/shipped_translator.hpp"

namespace eigenformer::test {
namespace {

// TranslationOptions.

std::vector<const void*> fields_of(const TranslationOptions& options) {
  const auto& [generation, attention, alignment, first_number, cancelled] = options;
  return {&generation, &attention, &alignment, &first_number, &cancelled};
}

void expect_first_number_counts() {
  TranslationOptions options;
  options.generation = {.beam_size = 1, .sample = true, .temperature = 3.0f};
  std::set<std::string> drawn;
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 43}) {
    options.first_number = number;
    drawn.insert(full(cat, options).text());
    options.first_number += std::uint64_t{1} << 44;  // the bits above do not count
    EXPECT_EQ(drawn.count(full(cat, options).text()), 1u);
  }
  EXPECT_EQ(drawn.size(), 3u);
  options.first_number = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(full(cat, options).text().empty());
}

std::vector<Row<TranslationOptions>> translation_rows() {
  using Options = TranslationOptions;
  return {
      row("generation", &Options::generation,
          [] { EXPECT_EQ(full(cat, asking({.hypotheses = 2})).alternatives(), 2u); }),
      row("attention", &Options::attention,
          [] {
            Options options;
            options.attention = [](AttentionPlace place, Index) { return place.layer == 0; };
            EXPECT_EQ(full(cat).sentences[0].attention.size(), 0u);
            EXPECT_EQ(full(cat, options).sentences[0].attention.size(), 12u);  // 3 kinds, 4 heads
          }),
      row("alignment", &Options::alignment,
          [] {
            Options options;
            EXPECT_TRUE(full(cat, options).sentences[0].alignment.empty());
            options.alignment = true;
            EXPECT_FALSE(full(cat, options).sentences[0].alignment.empty());
          }),
      row("first_number", &Options::first_number, expect_first_number_counts),
      row("cancelled", &Options::cancelled,
          [] {
            Options options;
            options.cancelled = [] { return true; };
            EXPECT_EQ(refusal([&] { full(cat, options); }),
                      "cancelled: translate: the caller cancelled it");
          }),
  };
}

TEST(TranslationOptionsTable, EveryFieldHasARow) {
  const TranslationOptions options;
  expect_row_for_each(fields_of(options), options, translation_rows());
}

TEST(TranslationOptionsTable, EveryOptionHasItsEffect) {
  for (const auto& one : translation_rows()) {
    SCOPED_TRACE(one.name);
    one.expect_effect();
  }
}

// TranslatorOptions.

std::vector<const void*> fields_of(const TranslatorOptions& options) {
  const auto& [load, weights, threads, executor, split, batch_tokens, isa, profile] = options;
  return {&load, &weights, &threads, &executor, &split, &batch_tokens, &isa, &profile};
}

/// A translation, by a Translator of its own.
Translation loaded(const TranslatorOptions& how, const std::string& text = cat) {
  return full(text, {}, Translator::load(shipped, how));
}

std::size_t sentences(Split split) {
  TranslatorOptions how;
  how.split = split;
  return loaded(how, "Bonjour. Salut.\nMerci.").sentences.size();
}

/// How many batches eight texts are.
Index batches(Index tokens) {
  Profile profile;
  TranslatorOptions how;
  how.batch_tokens = tokens;
  how.profile = &profile;
  Translator::load(shipped, how).translate_full(std::vector<std::string>(8, cat));
  Index calls = 0;
  for (const Profile::Pass& pass : profile.passes()) {
    if (std::string_view(pass.name) == "translation") calls += pass.calls;
  }
  return calls;
}

/// How many threads are seen at work. The second one may come late.
std::size_t threads_at_work(Index threads) {
  TranslatorOptions how;
  how.threads = threads;
  how.batch_tokens = 1;
  const Translator translate = Translator::load(shipped, how);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  TranslationOptions options;
  options.generation = {.beam_size = 1};
  options.cancelled = [&] {
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
    return false;
  };
  const std::vector<std::string> texts(8, cat);
  for (int i = 0; i < 100 && (i == 0 || seen.size() < static_cast<std::size_t>(threads)); ++i) {
    translate.translate_full(texts, options);
  }
  return seen.size();
}

/// Counts what it is asked to do, and does it on the thread that asks.
class Alone final : public Executor {
 public:
  explicit Alone(Index workers) : workers_(workers) {}
  Index workers() const override { return workers_; }
  void run(Index tasks, FunctionRef<void(Index, Index)> task) override {
    ++runs;
    for (Index number = 0; number < tasks; ++number) task(number, 0);
  }
  int runs = 0;

 private:
  Index workers_;
};

/// Of 0, 1, 1,024 or too many workers; a million of them would need scratch memory each.
Alone& alone(Index workers) {
  static Alone none(0), one(1), many(1024), too_many((Index{1} << 20) + 1);
  return workers == 0 ? none : workers == 1 ? one : workers == 1024 ? many : too_many;
}

void expect_weights_count() {
  TranslatorOptions how;
  std::set<float> scores;
  for (const Storage storage : all_storages) {
    how.weights = storage;
    scores.insert(loaded(how).score());
  }
  EXPECT_EQ(scores.size(), 3u);  // f32 is f16, as the file has it
  how.weights.reset();
  EXPECT_EQ(scores.count(loaded(how).score()), 1u);
}

void expect_isas_agree() {
  const float expected = full(cat).score();
  for (const Isa isa : all_isas) {
    TranslatorOptions how;
    how.isa = isa;
    const float score = loaded(how).score();
    EXPECT_NEAR(score, expected, 1e-4);
    EXPECT_TRUE(isa == Isa::portable || same_bits(score, expected)) << name(isa);
  }
}

using HowRow = Row<TranslatorOptions>;

HowRow allowing(HowRow one, const std::vector<HowRow::Set>& values) {
  one.allowed = values;
  return one;
}

std::vector<HowRow> translator_rows() {
  using How = TranslatorOptions;
  HowRow threads = row("threads", &How::threads, [] {
    EXPECT_EQ(threads_at_work(1), 1u);
    EXPECT_EQ(threads_at_work(2), 2u);
  });
  HowRow executor = row("executor", &How::executor, [] {
    How how;
    how.executor = &alone(1);
    how.threads = 0;  // does not count
    loaded(how);
    EXPECT_GT(alone(1).runs, 0);
  });
  HowRow batch_tokens = row("batch_tokens", &How::batch_tokens, [] {
    EXPECT_EQ(batches(1), 8);
    EXPECT_EQ(batches(2048), 1);
  });
  for (const Index wrong : {-1, 0, 1025}) {
    threads.refused.push_back(
        {[wrong](How& how) { how.threads = wrong; },
         "ThreadPool: expected 1 to 1024 threads, got " + std::to_string(wrong)});
  }
  for (const Index wrong : {Index{0}, (Index{1} << 20) + 1}) {
    executor.refused.push_back(
        {[wrong](How& how) { how.executor = &alone(wrong); },
         "workers of the executor: expected 1 to 1048576, got " + std::to_string(wrong)});
  }
  for (const Index wrong : {Index{-1}, Index{0}, (Index{1} << 40) + 1}) {
    batch_tokens.refused.push_back(
        {[wrong](How& how) { how.batch_tokens = wrong; },
         "batch_tokens: expected 1 to 1099511627776, got " + std::to_string(wrong)});
  }
  return {
      row("load", &How::load,
          [] {
            How how;
            how.load.limits.text_bytes = 10;
            EXPECT_NE(refusal([&] { loaded(how); }), "");
          }),
      row("weights", &How::weights, expect_weights_count),
      allowing(threads, {[](How& how) { how.threads = 1; }, [](How& how) { how.threads = 1024; }}),
      allowing(executor, {[](How& how) { how.executor = &alone(1); },
                          [](How& how) { how.executor = &alone(1024); }}),
      row("split", &How::split,
          [] {
            EXPECT_EQ(sentences(Split::sentences), 3u);
            EXPECT_EQ(sentences(Split::lines), 2u);
            EXPECT_EQ(sentences(Split::none), 1u);
          }),
      allowing(batch_tokens, {[](How& how) { how.batch_tokens = 1; },
                              [](How& how) { how.batch_tokens = Index{1} << 40; }}),
      row("isa", &How::isa, expect_isas_agree),
      row("profile", &How::profile, [] {
        Profile profile;
        How how;
        how.profile = &profile;
        loaded(how);
        EXPECT_FALSE(profile.passes().empty());
      })};
}

TEST(TranslatorOptionsTable, EveryFieldHasARow) {
  const TranslatorOptions options;
  expect_row_for_each(fields_of(options), options, translator_rows());
}

TEST(TranslatorOptionsTableThreads, EveryOptionHasItsEffect) {
  for (const HowRow& one : translator_rows()) {
    SCOPED_TRACE(one.name);
    one.expect_effect();
  }
}

TEST(TranslatorOptionsTableThreads, TheLeastAndTheGreatestValueWork) {
  for (const HowRow& one : translator_rows()) {
    for (const HowRow::Set& set : one.allowed) {
      TranslatorOptions how;
      set(how);
      EXPECT_EQ(refusal([&] { EXPECT_EQ(loaded(how).text(), translator()(cat)); }), "") << one.name;
    }
  }
}

TEST(TranslatorOptionsTable, WhatIsBeyondIsRefusedWithItsNameItsRangeAndItsValue) {
  for (const HowRow& one : translator_rows()) {
    for (const auto& [set, error] : one.refused) {
      TranslatorOptions how;
      set(how);
      EXPECT_EQ(refusal([&] { Translator::load(shipped, how); }), "invalid_argument: " + error);
    }
  }
}

// LoadOptions and LoadLimits.

using io::LoadLimits;

std::vector<const void*> fields_of(const LoadLimits& limits) {
  const auto& [memory_bytes, json_bytes, json_depth, json_string_bytes, json_members, json_values,
               header_bytes, header_depth, tensors, tensor_name_bytes, metadata, dimensions, layers,
               heads, hidden, feed_forward, positions, vocabulary, merges, piece_bytes,
               text_bytes] = limits;
  return {
      &memory_bytes, &json_bytes,   &json_depth, &json_string_bytes, &json_members, &json_values,
      &header_bytes, &header_depth, &tensors,    &tensor_name_bytes, &metadata,     &dimensions,
      &layers,       &heads,        &hidden,     &feed_forward,      &positions,    &vocabulary,
      &merges,       &piece_bytes,  &text_bytes};
}

/// The greatest value that refuses the shipped model, or a text of it, and the error; the next one
/// and the greatest of all do not.
template <class Number>
Row<LoadLimits> limit(const char* name, Number LoadLimits::*member,
                      std::type_identity_t<Number> refused, const std::string& error) {
  Row<LoadLimits> out = row(name, member, [] {});
  const auto set = [member](Number value) {
    return [member, value](LoadLimits& limits) { limits.*member = value; };
  };
  out.allowed = {set(static_cast<Number>(refused + 1)), set(std::numeric_limits<Number>::max())};
  out.refused = {{set(refused), error}};
  return out;
}

std::string over(const std::string& what, std::uint64_t limit, const std::string& field) {
  return what + ", the limit is " + std::to_string(limit) + " (LoadLimits::" + field + ")";
}

std::vector<Row<LoadLimits>> json_limits() {
  const std::string config = "format: " + shipped + "/config.json: ";
  const std::string vocab = "format: " + shipped + "/vocab.json: ";
  const std::string header = "format: " + shipped + "/model.safetensors: header: ";
  const std::string deep = " (LoadLimits::json_depth or header_depth)";
  const std::uint64_t bytes = std::filesystem::file_size(shipped + "/vocab.json") - 1;
  return {
      limit("json_bytes", &LoadLimits::json_bytes, bytes,
            over(vocab + "a JSON text of " + std::to_string(bytes + 1) + " bytes", bytes,
                 "json_bytes")),
      limit("json_depth", &LoadLimits::json_depth, 2,
            config + "/bad_words_ids/0: nested deeper than 2" + deep),
      limit("json_string_bytes", &LoadLimits::json_string_bytes, 52,
            over(header + "a string of 53 bytes, \"model.decoder.layers.0.encoder_a\"...", 52,
                 "json_string_bytes")),
      limit("json_members", &LoadLimits::json_members, 6000,
            vocab + "more than 6000 members (LoadLimits::json_members)"),
      limit("json_values", &LoadLimits::json_values, 6001,
            vocab + "more than 6001 values (LoadLimits::json_values)"),
      limit("header_depth", &LoadLimits::header_depth, 2,
            header + "/final_logits_bias/shape: nested deeper than 2" + deep),
  };
}

std::vector<Row<LoadLimits>> tensor_limits() {
  const std::string file = shipped + "/model.safetensors: ",
                    header = "format: " + file + "header: ";
  const std::uint64_t bytes = std::filesystem::file_size(shipped + "/model.safetensors") - 1;
  return {
      limit("memory_bytes", &LoadLimits::memory_bytes, bytes,
            "out_of_memory: " + file + "needs " + std::to_string(bytes + 1) +
                " bytes of memory, the budget is " + std::to_string(bytes) +
                " (LoadLimits::memory_bytes)"),
      limit("header_bytes", &LoadLimits::header_bytes, 13119,
            "format: " + file +
                "byte 0: a header of 13120 bytes, expected 2 to 13119 (LoadLimits::header_bytes)"),
      limit("tensors", &LoadLimits::tensors, 117,
            header + "more than 117 tensors (LoadLimits::tensors)"),
      limit("tensor_name_bytes", &LoadLimits::tensor_name_bytes, 52,
            over(header + "/model.decoder.layers.0.encoder_attn_layer_norm.weight: "
                          "a name of 53 bytes",
                 52, "tensor_name_bytes")),
      limit("metadata", &LoadLimits::metadata, 0,
            header + "/__metadata__: more than 0 entries (LoadLimits::metadata)"),
      limit("dimensions", &LoadLimits::dimensions, 1,
            over(header + "/final_logits_bias/shape: 2 dimensions", 1, "dimensions")),
  };
}

std::vector<Row<LoadLimits>> model_limits() {
  const auto of_config = [](const char* name, std::int64_t LoadLimits::*member, const char* key,
                            std::int64_t least, std::int64_t value) {
    return limit(name, member, value - 1,
                 "format: " + shipped + "/config.json: /" + key + ": expected an integer in [" +
                     std::to_string(least) + ", " + std::to_string(value - 1) + "], got " +
                     std::to_string(value));
  };
  Row<LoadLimits> merges = row("merges", &LoadLimits::merges, [] {});  // of other tokenizers
  merges.allowed = {[](LoadLimits& limits) { limits.merges = 0; }};
  return {
      of_config("layers", &LoadLimits::layers, "encoder_layers", 1, 4),
      of_config("heads", &LoadLimits::heads, "encoder_attention_heads", 1, 4),
      of_config("hidden", &LoadLimits::hidden, "d_model", 2, 256),
      of_config("feed_forward", &LoadLimits::feed_forward, "encoder_ffn_dim", 1, 1024),
      of_config("positions", &LoadLimits::positions, "max_position_embeddings", 1, 512),
      of_config("vocabulary", &LoadLimits::vocabulary, "vocab_size", 1, 6001),
      merges,
      limit("piece_bytes", &LoadLimits::piece_bytes, 17,
            over("format: " + shipped + "/source.spm: byte 59800: piece 3570: a text of 18 bytes",
                 17, "piece_bytes")),
      limit("text_bytes", &LoadLimits::text_bytes, 23,
            over("invalid_argument: a text of 24 bytes", 23, "text_bytes")),
  };
}

TEST(LoadLimitsTable, EveryLimitRefusesTheShippedModelByNameAndNotAboveIt) {
  std::vector<Row<LoadLimits>> rows = json_limits();
  for (const auto& more : {tensor_limits(), model_limits()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  const LoadLimits defaults;
  expect_row_for_each(fields_of(defaults), defaults, rows);
  for (const Row<LoadLimits>& one : rows) {
    for (const auto& [set, error] : one.refused) {
      TranslatorOptions how;
      set(how.load.limits);
      EXPECT_EQ(refusal([&] { loaded(how); }), error);
    }
    for (const auto& set : one.allowed) {
      TranslatorOptions how;
      set(how.load.limits);
      EXPECT_EQ(refusal([&] { loaded(how); }), "") << one.name;
    }
  }
}

/// What Split leaves whole counts, not the text.
TEST(LoadLimitsTable, TextBytesAreThoseOfASentence) {
  TranslatorOptions how;
  how.load.limits.text_bytes = 8;
  EXPECT_EQ(loaded(how, "Bonjour. Bonjour.").sentences.size(), 2u);
  how.split = Split::none;
  EXPECT_EQ(refusal([&] { loaded(how, "Bonjour. Bonjour."); }),
            over("invalid_argument: a text of 17 bytes", 8, "text_bytes"));
}

TEST(LoadOptionsTable, EitherAccessGivesTheSameBits) {
  io::LoadOptions options;
  [[maybe_unused]] const auto& [limits, access] = options;
  for (const io::FileAccess each : {io::FileAccess::read, io::FileAccess::map}) {
    TranslatorOptions how;
    how.load.access = each;
    EXPECT_TRUE(same_bits(loaded(how).score(), full(cat).score()));
    how.load.limits.memory_bytes = std::uint64_t{1} << 20;  // of a mapped file not the weights
    EXPECT_EQ(refusal([&] { loaded(how); }).empty(), each == io::FileAccess::map);
  }
}

}  // namespace
}  // namespace eigenformer::test
