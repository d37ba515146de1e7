// SPDX-License-Identifier: MIT
#include "eigenformer/io/pickle.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/support.hpp"

namespace {

using namespace std::string_literals;
using namespace eigenformer::io;
using io_test::bytes_of;
using io_test::ErrorCode;
using io_test::expect_error;

constexpr std::array<PickleGlobal, 3> globals = {{{"m", "Map", PickleRole::mapping},
                                                  {"m", "f", PickleRole::function},
                                                  {"m", "Type", PickleRole::type}}};

/// A pickle that lives as long as its bytes.
struct Read {
  explicit Read(std::string program)
      : bytes(std::move(program)),
        allowance("pickle", bytes.size()),
        document(read_pickle({bytes_of(bytes), "pickle", globals}, allowance)) {}

  PickleValue root() const { return document.root(); }
  PickleKind kind() const { return root().kind; }
  std::optional<std::int64_t> integer() const { return document.integer(root()); }
  std::optional<std::string_view> text() const { return document.text(root()); }
  std::string description() const { return document.description(root()); }

  /// The descriptions of all children.
  std::vector<std::string> children() const {
    std::vector<std::string> out;
    document.for_each_child(root(),
                            [&](PickleValue child) { out.push_back(document.description(child)); });
    EXPECT_EQ(out.size(), document.children(root()));
    for (std::size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(document.description(document.child(root(), i)), out[i]);
    }
    return out;
  }

  std::string bytes;
  MemoryAllowance allowance;
  PickleDocument document;
};

using Children = std::vector<std::string>;

TEST(PickleTest, ReadsIntegersOfEveryForm) {
  EXPECT_EQ(Read("K\xFF."s).integer(), 255);
  EXPECT_EQ(Read("M\xFF\xFF."s).integer(), 65535);
  EXPECT_EQ(Read("J\xFE\xFF\xFF\xFF."s).integer(), -2);
  EXPECT_EQ(Read("J\0\0\0\x80."s).integer(), -2147483648LL);
  EXPECT_EQ(Read("\x8A\0."s).integer(), 0);
  EXPECT_EQ(Read("\x8A\1\xFF."s).integer(), -1);
  EXPECT_EQ(Read("\x8A\2\xFF\0."s).integer(), 255);
  EXPECT_EQ(Read("\x8A\5\0\0\0\0\1."s).integer(), std::int64_t{1} << 32);
  EXPECT_EQ(Read("\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F."s).integer(),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Read("\x8A\x08\0\0\0\0\0\0\0\x80."s).integer(),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Read("\x8B\3\0\0\0\0\0\x80."s).integer(), -8388608);
}

TEST(PickleTest, LeavesIntegersOfMoreThan64BitsAsBytes) {
  const Read read("\x8A\x09\0\0\0\0\0\0\0\x80\0."s);
  EXPECT_EQ(read.integer(), std::nullopt);
  EXPECT_EQ(read.document.integer_bytes(read.root()).size(), 9u);
  EXPECT_EQ(read.description(), "an integer of more than 64 bits");
}

TEST(PickleTest, ReadsTextsOfEveryForm) {
  for (const std::string& program :
       {"X\2\0\0\0ab."s, "\x8C\2ab."s, "\x8D\2\0\0\0\0\0\0\0ab."s, "U\2ab."s, "T\2\0\0\0ab."s}) {
    EXPECT_EQ(Read(program).text(), "ab");
  }
  EXPECT_EQ(Read("X\0\0\0\0."s).text(), "");
  EXPECT_EQ(Read("\x8C\3a\0b."s).text(), "a\0b"s);
}

TEST(PickleTest, TellsOtherLiteralsApart) {
  EXPECT_EQ(Read("N.").kind(), PickleKind::none);
  EXPECT_EQ(Read("\x88.").description(), "True");
  EXPECT_EQ(Read("\x89.").description(), "False");
  EXPECT_EQ(Read("G\x3F\xF0\0\0\0\0\0\0."s).kind(), PickleKind::real);
  EXPECT_EQ(Read("C\2ab."s).kind(), PickleKind::bytes);
  EXPECT_EQ(Read("B\2\0\0\0ab."s).kind(), PickleKind::bytes);
  EXPECT_EQ(Read("C\2ab."s).text(), std::nullopt);
  EXPECT_EQ(Read("N.").integer(), std::nullopt);
  EXPECT_EQ(Read("\x88.").integer(), std::nullopt);
}

TEST(PickleTest, BuildsTuplesListsAndDicts) {
  EXPECT_EQ(Read(").").children(), Children{});
  EXPECT_EQ(Read("K\1\x85.").children(), (Children{"1"}));
  EXPECT_EQ(Read("K\1K\2\x86.").children(), (Children{"1", "2"}));
  EXPECT_EQ(Read("K\1K\2K\3\x87.").children(), (Children{"1", "2", "3"}));
  EXPECT_EQ(Read("(K\1K\2K\3K\4t.").children(), (Children{"1", "2", "3", "4"}));
  EXPECT_EQ(Read("(t.").description(), "a tuple of 0");
  EXPECT_EQ(Read("]K\1a(K\2K\3e(eK\4a.").children(), (Children{"1", "2", "3", "4"}));
  EXPECT_EQ(Read("}K\1K\2s(K\3K\4K\5Nu.").children(), (Children{"1", "2", "3", "4", "5", "None"}));
  EXPECT_EQ(Read("}(u.").children(), Children{});
  // What is below a mark stays there.
  EXPECT_EQ(Read("(K\1(K\2tK\3t.").children(), (Children{"1", "a tuple of 1", "3"}));
}

TEST(PickleTest, RemembersValues) {
  EXPECT_EQ(Read("K\1q\0K\2r\1\0\0\0h\0j\0\0\0\0\x86\x87."s).children(),
            (Children{"1", "2", "a tuple of 2"}));
  EXPECT_EQ(Read("K\1\x94K\2\x94h\1h\0\x86\x87."s).children(),
            (Children{"1", "2", "a tuple of 2"}));
  // Python 2 begins at 1; a value may be put in another's place.
  EXPECT_EQ(Read("K\1q\1h\1\x86."s).children(), (Children{"1", "1"}));
  EXPECT_EQ(Read("K\1q\0K\2q\0h\0\x87."s).children(), (Children{"1", "2", "2"}));
  // What is changed later is changed everywhere.
  EXPECT_EQ(Read("]q\0h\0K\7ah\0\x86\x86."s).document.children(Read("]q\0K\7a."s).root()), 1u);
}

TEST(PickleTest, NotesCallsAndCallsNothing) {
  const Read read("cm\nf\n(K\1K\2tR."s);
  EXPECT_EQ(read.kind(), PickleKind::call);
  EXPECT_EQ(read.document.callee(read.root()), 1u);
  EXPECT_EQ(read.description(), "what m.f returns");
  EXPECT_EQ(read.children(), (Children{"m.f", "a tuple of 2"}));
  EXPECT_EQ(Read("\x8C\1m\x8C\1f\x93)R."s).description(), "what m.f returns");
  EXPECT_EQ(Read("cm\nType\n."s).document.global(Read("cm\nType\n."s).root()), 2u);
}

TEST(PickleTest, TakesAMappingForADict) {
  EXPECT_EQ(Read("cm\nMap\n)R."s).kind(), PickleKind::dict);
  EXPECT_EQ(Read("cm\nMap\n)RK\1K\2s}b."s).children(), (Children{"1", "2"}));
  // One that is made of something stays a call, with its items behind that.
  EXPECT_EQ(Read("cm\nMap\n]\x85R(K\1K\2u}b."s).children(),
            (Children{"m.Map", "a tuple of 1", "1", "2"}));
  EXPECT_EQ(Read("}(K\1K\2u}K\3K\4sb."s).children(), (Children{"1", "2"}));
}

TEST(PickleTest, KeepsPersistentIdsInOrder) {
  const Read read("(K\1tQ(K\2K\3tQ\x86."s);
  ASSERT_EQ(read.document.persistent_values().size(), 2u);
  EXPECT_EQ(read.document.children(read.document.persistent_values()[1]), 2u);
  EXPECT_EQ(read.document.integer(read.document.child(read.document.persistent_values()[1], 1)), 3);
  EXPECT_EQ(read.children(), (Children{"a storage", "a storage"}));
}

TEST(PickleTest, EndsAtItsStop) {
  const std::string bytes = "xxK\1.K\2.";
  MemoryAllowance allowance("pickle", bytes.size());
  const PickleDocument first = read_pickle({bytes_of(bytes), "pickle", globals, 2}, allowance);
  EXPECT_EQ(first.integer(first.root()), 1);
  EXPECT_EQ(first.end(), 5u);
  const PickleDocument second =
      read_pickle({bytes_of(bytes), "pickle", globals, first.end()}, allowance);
  EXPECT_EQ(second.integer(second.root()), 2);
  expect_error(ErrorCode::format, "pickle: byte 8: the pickle goes on after byte 8, where", [&] {
    read_pickle({bytes_of(bytes), "pickle", globals, second.end()}, allowance);
  });
}

TEST(PickleTest, NamesTheCallersReasonForTheEnd) {
  const std::string bytes = "K\1";
  MemoryAllowance allowance("pickle", bytes.size());
  expect_error(ErrorCode::format, "pickle: byte 2: the pickle goes on after byte 2, where I say so",
               [&] {
                 read_pickle({bytes_of(bytes), "pickle", globals, 0, "I say so"}, allowance);
               });
}

TEST(PickleTest, KnowsOnlyTheCallersNames) {
  for (const auto& program : {"cm\ng\n."s, "cn\nf\n."s, "cm.f\n\n."s, "c\nm.f\n."s, "cm\nf \n."s,
                              "cm \nf\n."s, "cm\nF\n."s, "cm\nf\0\n."s, "c m\nf\n."s}) {
    expect_error(ErrorCode::unsupported, "; nothing was executed", [&] { Read{program}; });
  }
}

// Every byte is one of the codes that are read, one of pickle's that are not, or none.
TEST(PickleTest, HasAnAnswerToEveryCode) {
  std::size_t read = 0, refused = 0, unknown = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto code = static_cast<detail::PickleCode>(byte);
    const bool known = detail::pickle_argument(code).kind != detail::PickleArgument::unknown;
    const bool other =
        detail::other_pickle_codes.find(static_cast<char>(byte)) != std::string_view::npos;
    EXPECT_FALSE(known && other) << byte;
    ++(known ? read : other ? refused : unknown);
    try {
      Read(std::string(1, static_cast<char>(byte)) + std::string(16, '\0'));
      ADD_FAILURE() << byte;
    } catch (const eigenformer::Error& error) {
      if (!known) {
        EXPECT_EQ(error.code(), other ? ErrorCode::unsupported : ErrorCode::format) << byte;
      }
    }
  }
  // Lib/pickle.py of CPython 3.11 has 68 in all.
  EXPECT_EQ(read, 41u);
  EXPECT_EQ(read + refused, 68u);
  EXPECT_EQ(read + refused + unknown, 256u);
}

// Values that contain themselves are read, described, and freed.
TEST(PickleTest, TakesCycles) {
  EXPECT_EQ(Read("]q\0h\0a."s).children(), (Children{"a list"}));
  EXPECT_EQ(Read("}q\0h\0h\0s."s).children(), (Children{"a dict", "a dict"}));
  EXPECT_EQ(Read("]q\0}q\1h\0h\1sah\0a."s).children(), (Children{"a dict", "a list"}));
}

// Neither reading nor freeing recurses.
TEST(PickleTest, NestsWithoutEnd) {
  constexpr std::size_t depth = 10'000;
  std::string tuples = ")", lists, marks(depth, '(');
  for (std::size_t i = 0; i < depth; ++i) tuples += "\x85";
  EXPECT_EQ(Read(tuples + ".").description(), "a tuple of 1");
  for (std::size_t i = 0; i < depth; ++i) lists += "]";
  for (std::size_t i = 0; i < depth; ++i) lists += "a";
  expect_error(ErrorCode::format, "too few values", [&] { Read(lists + "."); });
  lists.pop_back();
  EXPECT_EQ(Read(lists + ".").description(), "a list");
  EXPECT_EQ(Read(marks + std::string(depth, 't') + ".").kind(), PickleKind::tuple);
  expect_error(ErrorCode::format, "the stack has too few values", [&] { Read(marks + "."); });
}

// Forty lists, each ten times in the next: 10^39 numbers for who counts them one by one.
TEST(PickleTest, CountsSharedValuesOnce) {
  std::string program = "]q\0K\7a"s;
  for (char i = 0; i < 40; ++i) {
    program += "](";
    for (int k = 0; k < 10; ++k) program += "h"s + i;
    program += "eq"s + static_cast<char>(i + 1);
  }
  for (int i = 0; i < 40; ++i) program += "\x86";
  EXPECT_EQ(Read(program + ".").kind(), PickleKind::tuple);
}

// A value takes more memory than its opcode, so a pickle of nothing else ends early.
TEST(PickleTest, StopsAtItsAllowance) {
  constexpr std::size_t length = 1'000'000;
  for (const std::string part : {"N", "}", "]", "(", ")", "]a", "N\x94", ")\x85", ")Q"}) {
    std::string program = "]]";
    while (program.size() < length) program += part;
    expect_error(ErrorCode::format, "takes more memory than the", [&] { Read{program}; });
  }
}

}  // namespace
