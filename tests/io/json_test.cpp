// SPDX-License-Identifier: MIT
#include "eigenformer/io/json.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <clocale>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/support.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using eigenformer::Error;
using io_test::ErrorCode;
using io_test::expect_error;

Json parse(std::string_view text, const LoadLimits& limits = {}) {
  return parse_json(text, "config.json", limits);
}

void expect_format_error(std::string_view part, const std::function<void()>& function) {
  expect_error(ErrorCode::format, part, function);
}

// A configuration that a reader can check by eye.
TEST(JsonTest, GivesWhatTheTextSays) {
  const Json json = parse(R"({
    "model_type": "marian", "d_model": 512, "dropout": 0.1, "scale_embedding": true,
    "head_dim": null, "rope_scaling": {"factor": 8.0, "type": "linear"},
    "bad_words_ids": [[62801], [7, -8]], "empty": [], "": {}
  })");
  EXPECT_EQ(json.at("model_type").string(), "marian");
  EXPECT_EQ(json.at("d_model").integer(1, 131'072), 512);
  EXPECT_EQ(json.at("dropout").number(0, 1), 0.1);
  EXPECT_TRUE(json.at("scale_embedding").boolean());
  EXPECT_EQ(json.at("head_dim").kind(), JsonKind::null);
  EXPECT_EQ(json.at("rope_scaling").at("factor").number(), 8.0);
  EXPECT_EQ(json.at("bad_words_ids").elements().size(), 2u);
  EXPECT_EQ(json.at("bad_words_ids").elements()[1].elements()[1].integer(), -8);
  EXPECT_TRUE(json.at("empty").elements().empty());
  EXPECT_TRUE(json.at("").members().empty());
}

TEST(JsonTest, FindTakesNullForAbsent) {
  const Json json = parse(R"({"a": null, "b": false})");
  EXPECT_FALSE(json.find("a").has_value());
  EXPECT_FALSE(json.find("c").has_value());
  EXPECT_FALSE(json.find("b").value().boolean());
}

TEST(JsonTest, KeepsTheFilesOrder) {
  const Json json = parse(R"({"z": 1, "a": 2, "m": 3})");
  std::string keys;
  std::int64_t sum = 0;
  for (const Json& member : json.members()) {
    keys += member.key();
    sum = 10 * sum + member.integer();
  }
  EXPECT_EQ(keys, "zam");
  EXPECT_EQ(sum, 123);
  EXPECT_EQ(json.key(), "");
  EXPECT_EQ(parse("[7]").elements()[0].key(), "");
}

TEST(JsonTest, FindsEachOfManyMembers) {
  std::string text = "{";
  for (int i = 0; i < 2000; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i * 7919 % 2000) + "\":" + std::to_string(i);
  }
  const Json json = parse(text + "}");
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(json.at(std::to_string(i * 7919 % 2000)).integer(), i);
  }
  EXPECT_FALSE(json.find("2000").has_value());
  EXPECT_FALSE(json.find("").has_value());
}

TEST(JsonTest, OutlivesTheOuterValue) {
  const auto inner = [] { return parse(R"({"a": ["text"]})").at("a").elements()[0]; }();
  EXPECT_EQ(inner.string(), "text");
  EXPECT_EQ(inner.where(), "config.json: /a/0");
}

TEST(JsonTest, UnescapesStrings) {
  EXPECT_EQ(parse(R"("\"\\\/\b\f\n\r\t")").string(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(parse(R"("\u00e9\u20AC\ud83d\ude00")").string(),
            "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(parse(R"("a\u0000b")").string(), "a\0b"s);
  EXPECT_EQ(parse("\xEF\xBB\xBF\"after a byte order mark\"").string(), "after a byte order mark");
}

TEST(JsonTest, ReadsBackWhatJsonQuotedWrites) {
  std::string all;
  for (char c = 0; c < 127; ++c) all += c;
  all += "\x7F\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
  EXPECT_EQ(parse(json_quoted(all)).string(), all);
}

TEST(JsonNumberTest, ReadsIntegersToTheLastBit) {
  EXPECT_EQ(parse("9223372036854775807").integer(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse("-9223372036854775808").integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse("9007199254740993").integer(), 9007199254740993);  // no double is this
  EXPECT_EQ(parse("-0").integer(), 0);
}

TEST(JsonNumberTest, RefusesIntegersThatDoNotFit) {
  for (const std::string text :
       {"9223372036854775808", "18446744073709551615", "18446744073709551616",
        "-9223372036854775809", "123456789012345678901234567890"}) {
    EXPECT_EQ(parse(text).kind(), JsonKind::big_integer);
    expect_format_error("config.json: expected an integer in [0, 10], got " + text,
                        [&] { parse(text).integer(0, 10); });
    EXPECT_EQ(parse(text).number(), std::stod(text));
  }
}

TEST(JsonNumberTest, RefusesWhatIsNotWrittenAsAnInteger) {
  for (const std::string text : {"512.0", "0.5", "1e+300", "\"512\"", "true", "null"}) {
    expect_format_error("config.json: expected an integer in [1, 1024], got " + text,
                        [&] { parse(text).integer(1, 1024); });
  }
  expect_format_error("got an array of 2", [] { parse("[1, 2]").integer(); });
  expect_format_error("got an object of 1", [] { parse("{\"a\":1}").integer(); });
}

TEST(JsonNumberTest, HoldsItsBounds) {
  EXPECT_EQ(parse("1").integer(1, 1024), 1);
  EXPECT_EQ(parse("1024").integer(1, 1024), 1024);
  expect_format_error("[1, 1024], got 0", [] { parse("0").integer(1, 1024); });
  expect_format_error("[1, 1024], got 1025", [] { parse("1025").integer(1, 1024); });
  EXPECT_EQ(parse("0.5").number(0, 0.5), 0.5);
  EXPECT_EQ(parse("3").number(0, 4), 3.0);
  expect_format_error("config.json: expected a number in [1e-12, 1], got 1e+308",
                      [] { parse("1e308").number(1e-12, 1); });
  expect_format_error("expected a number in [1e-12, 1], got 0.0",
                      [] { parse("0.0").number(1e-12, 1); });
  expect_format_error("expected a number in ", [] { parse("\"0.5\"").number(0, 1); });
}

TEST(JsonNumberTest, RoundsCorrectlyAtTheEnds) {
  EXPECT_EQ(parse("1.7976931348623157e308").number(), std::numeric_limits<double>::max());
  EXPECT_EQ(parse("5e-324").number(), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(parse("1e-999").number(), 0.0);
  EXPECT_EQ(parse("0.1").number(), 0.1);
}

TEST(JsonNumberTest, HasAPointInEveryLocale) {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  bool found = false;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"}) {
    found = found || std::setlocale(LC_NUMERIC, name) != nullptr;
  }
  const double value = parse("1234.5").number();
  std::string text;
  try {
    parse("0.5").number(1.5, 2);
  } catch (const Error& error) {
    text = error.what();
  }
  std::setlocale(LC_NUMERIC, before.c_str());
  EXPECT_EQ(value, 1234.5);
  EXPECT_EQ(text, "config.json: expected a number in [1.5, 2], got 0.5");
  if (!found) GTEST_SKIP() << "no locale with a decimal comma is installed";
}

TEST(JsonErrorTest, SaysFilePlaceExpectedAndGot) {
  const Json json =
      parse(R"({"d_model": "x", "layers": [{"n": 1}, {"n": 1.5}], "a/b~c": {"": 3}})");
  expect_format_error("config.json: /d_model: expected an integer in [1, 131072], got \"x\"",
                      [&] { json.at("d_model").integer(1, LoadLimits().hidden); });
  expect_format_error("config.json: /layers/1/n: expected an integer in [1, 9], got 1.5",
                      [&] { json.at("layers").elements()[1].at("n").integer(1, 9); });
  expect_format_error("config.json: /heads: is missing", [&] { json.at("heads"); });
  expect_format_error("config.json: /layers/0/m: is missing",
                      [&] { json.at("layers").elements()[0].at("m"); });
  expect_format_error("config.json: /a~1b~0c/: expected true or false, got 3",
                      [&] { json.at("a/b~c").at("").boolean(); });
  expect_format_error("config.json: /layers: expected an object, got an array of 2",
                      [&] { json.at("layers").find("n"); });
  expect_format_error("config.json: expected an array, got an object of 3",
                      [&] { json.elements(); });
  expect_format_error("config.json: /d_model: expected an object, got \"x\"",
                      [&] { json.at("d_model").members(); });
  expect_format_error("config.json: /layers: expected a string, got an array of 2",
                      [&] { json.at("layers").string(); });
  expect_error(ErrorCode::unsupported, "config.json: /d_model: no such thing",
               [&] { throw json.at("d_model").error(ErrorCode::unsupported, "no such thing"); });
}

TEST(JsonErrorTest, KeepsHostileTextsShortAndPrintable) {
  const std::string key = std::string(5000, 'k') + "\n\x1B[31m";
  try {
    parse("{" + json_quoted(key) + ": \"" + std::string(5000, 'v') + "\"}").at(key).integer();
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_LT(text.size(), 400u);
    EXPECT_EQ(text.find('\n'), std::string::npos);
  }
  try {
    parse("[\"" + std::string(100'000, '\x01') + "\"]");
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 400u);
    EXPECT_EQ(std::string(error.what()).find('\x01'), std::string::npos);
  }
}

TEST(JsonLimitTest, Depth) {
  LoadLimits limits;
  limits.json_depth = 2;
  EXPECT_NO_THROW(parse("[[1]]", limits));
  EXPECT_NO_THROW(parse(R"([{"a":1},[],{}])", limits));
  expect_format_error("config.json: /0/0: nested deeper than 2", [&] { parse("[[[", limits); });
  limits.json_depth = 0;
  EXPECT_EQ(parse("1", limits).integer(), 1);
  expect_format_error("config.json: nested deeper than 0", [&] { parse("[]", limits); });
}

TEST(JsonLimitTest, Strings) {
  LoadLimits limits;
  limits.json_string_bytes = 3;
  EXPECT_EQ(parse(R"("\u20AC")", limits).string().size(), 3u);  // three bytes, not six
  const std::string part = "a string of 4 bytes, \"abcd\", the limit is 3";
  expect_format_error(part, [&] { parse(R"("abcd")", limits); });
  expect_format_error(part, [&] { parse(R"({"abcd":1})", limits); });
}

TEST(JsonLimitTest, Members) {
  LoadLimits limits;
  limits.json_members = 2;
  EXPECT_NO_THROW(parse(R"({"a":[1,2],"b":[3,4]})", limits));
  expect_format_error("config.json: /a: more than 2 members (LoadLimits::json_members)",
                      [&] { parse(R"({"a":[1,2,3]})", limits); });
  expect_format_error("config.json: more than 2 members",
                      [&] { parse(R"({"a":1,"b":2,"c":3})", limits); });
}

TEST(JsonLimitTest, Values) {
  LoadLimits limits;
  limits.json_values = 3;
  EXPECT_NO_THROW(parse("[1,2]", limits));
  expect_format_error("config.json: more than 3 values (LoadLimits::json_values)",
                      [&] { parse("[1,[2]]", limits); });
}

TEST(JsonLimitTest, Bytes) {
  LoadLimits limits;
  limits.json_bytes = 4;
  EXPECT_NO_THROW(parse("[12]", limits));
  expect_format_error("a JSON text of 5 bytes, the limit is 4 (LoadLimits::json_bytes)",
                      [&] { parse("[123]", limits); });
}

/// Runs the function in a thread with a stack of 256 KiB: two bytes or less for a level below.
void on_small_stack(std::function<void()> function) {
  pthread_attr_t attributes;
  ASSERT_EQ(::pthread_attr_init(&attributes), 0);
  ASSERT_EQ(::pthread_attr_setstacksize(&attributes, 256 << 10), 0);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(::pthread_create(&thread, &attributes, run, &function), 0);
  ::pthread_join(thread, nullptr);
  ::pthread_attr_destroy(&attributes);
}

TEST(JsonStackTest, RefusesAMegabyteOfBrackets) {
  on_small_stack([] {
    expect_format_error("nested deeper than 64", [] { parse(std::string(1 << 20, '[')); });
  });
}

// With the limit away, nesting costs memory and no stack, in parsing, access and destruction.
TEST(JsonStackTest, NestsAsDeepAsTheLimitSays) {
  on_small_stack([] {
    constexpr std::size_t deep = std::size_t{1} << 17;
    LoadLimits limits;
    limits.json_depth = deep;
    expect_format_error("unexpected end of input", [&] { parse(std::string(deep, '['), limits); });
    Json json = parse(std::string(deep, '[') + std::string(deep, ']'), limits);
    for (std::size_t i = 1; i < deep; ++i) json = json.elements()[0];
    EXPECT_EQ(json.where().size(), std::string_view("config.json: ").size() + 2 * (deep - 1));
    std::string objects;
    for (std::size_t i = 0; i < deep; ++i) objects += "{\"a\":";
    parse(objects + "1" + std::string(deep, '}'), limits);
  });
}

class MalformedJsonTest : public testing::TestWithParam<io_test::Malformed> {};

TEST_P(MalformedJsonTest, IsRefused) {
  const std::string path = (io_test::data_folder / "malformed" / "json" / GetParam().file).string();
  expect_error(GetParam().code, GetParam().part, [&] { read_json(path); });
  expect_error(GetParam().code, path + ": ", [&] { read_json(path); });
}

INSTANTIATE_TEST_SUITE_P(Files, MalformedJsonTest,
                         testing::ValuesIn(io_test::malformed_files("json")), io_test::test_name);

TEST(MalformedJsonTable, IsComplete) { io_test::expect_complete_table("json"); }

// Whatever one flipped bit or a cut does to a text: a value, or an error of a known kind.
TEST(JsonDamageTest, GivesAValueOrAnError) {
  const std::string good = R"({"a":[1,-2.5e3,true,null],"b\u00e9":"\n","c":{}})";
  const auto check = [](std::string_view text) {
    try {
      parse(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::format) << error.what();
    }
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_THROW(parse(std::string_view(good).substr(0, i)), Error) << i;
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      check(bad);
    }
  }
}

using JsonFileTest = io_test::FolderTest;

TEST_F(JsonFileTest, ReadsAFile) {
  EXPECT_EQ(read_json(write("a.json", " [3]\n")).elements()[0].integer(), 3);
  expect_format_error(path("a.json") + ": /0: expected a string, got 3",
                      [&] { read_json(path("a.json")).elements()[0].string(); });
}

TEST_F(JsonFileTest, ChecksItsSizeFirst) {
  write("a.json", "[1, 2, 3]");
  LoadLimits limits;
  limits.json_bytes = 8;
  expect_format_error("a.json: a JSON text of 9 bytes, the limit is 8",
                      [&] { read_json(path("a.json"), limits); });
  limits = {};
  limits.memory_bytes = 8;
  expect_error(ErrorCode::out_of_memory, "a.json: needs 9 bytes of memory, the budget is 8",
               [&] { read_json(path("a.json"), limits); });
  expect_error(ErrorCode::io, "No such file", [&] { read_json(path("b.json")); });
}

TEST(JsonGoldenTest, ReadsTheRotaryParameters) {
  const Json json = read_json((io_test::data_folder / "ops/rope.json").string());
  const Json llama3 = json.at("rope.llama3.16").at("rope_parameters");
  EXPECT_EQ(llama3.at("rope_type").string(), "llama3");
  EXPECT_EQ(llama3.at("rope_theta").number(), 500'000.0);
  EXPECT_EQ(llama3.at("original_max_position_embeddings").integer(1, 16'777'216), 8192);
}

}  // namespace
