// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/sentence_splitter.hpp"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <vector>

#include "eigenformer/core/random.hpp"

namespace eigenformer::test {
namespace {

/// The sentences, without what lies between them.
std::vector<std::string> sentences_of(std::string_view text) {
  std::vector<std::string> out;
  for (const pipelines::Sentence& sentence : pipelines::split_sentences(text)) {
    if (!sentence.text.empty()) out.emplace_back(sentence.text);
  }
  return out;
}

std::string joined(std::string_view text) {
  std::string out;
  for (const pipelines::Sentence& sentence : pipelines::split_sentences(text)) {
    (out += sentence.text) += sentence.separator;
  }
  return out;
}

using Sentences = std::vector<std::string>;

TEST(SentenceSplitter, CutsAfterMarksBeforeANewBeginning) {
  EXPECT_EQ(sentences_of(""), Sentences{});
  EXPECT_EQ(sentences_of("Hello"), Sentences{"Hello"});
  EXPECT_EQ(sentences_of("It rains. We stay in! Why? Because."),
            (Sentences{"It rains.", "We stay in!", "Why?", "Because."}));
  EXPECT_EQ(sentences_of("What?! No... Really!!! Yes."),
            (Sentences{"What?!", "No...", "Really!!!", "Yes."}));
  EXPECT_EQ(sentences_of("He left… She stayed."), (Sentences{"He left…", "She stayed."}));
  EXPECT_EQ(sentences_of("He waited... and then left."), Sentences{"He waited... and then left."});
  EXPECT_EQ(sentences_of("one\ntwo\r\n\r\nthree"), (Sentences{"one", "two", "three"}));
}

TEST(SentenceSplitter, KeepsClosingQuotesWithTheirSentence) {
  EXPECT_EQ(sentences_of("\"Come in.\" He did."), (Sentences{"\"Come in.\"", "He did."}));
  EXPECT_EQ(sentences_of("« Viens ! » Il vint."), (Sentences{"« Viens ! »", "Il vint."}));
  EXPECT_EQ(sentences_of("(It was late.) They slept."),
            (Sentences{"(It was late.)", "They slept."}));
}

TEST(SentenceSplitter, KnowsAbbreviationsNumbersAndNames) {
  for (const char* const one :
       {"Mr. Smith met Dr. Jones.", "M. Dupont et Mme. Durand sont là.",
        "Am 3. Oktober ist Feiertag.", "Pi is 3.14 or so.", "See No. 5 for more.",
        "J. R. R. Tolkien wrote it.", "Open www.example.org for the U.S. version of file.txt here.",
        "Das ist z. B. ein Test.", "Il y a p. ex. des chats."}) {
    EXPECT_EQ(sentences_of(one), Sentences{one});
  }
  EXPECT_EQ(sentences_of("Cats, dogs, etc. They sleep."),
            (Sentences{"Cats, dogs, etc.", "They sleep."}));
}

TEST(SentenceSplitter, KnowsTheMarksOfOtherScripts) {
  EXPECT_EQ(sentences_of("今天下雨。我们在家！好吗？"),
            (Sentences{"今天下雨。", "我们在家！", "好吗？"}));
  EXPECT_EQ(sentences_of("Идёт дождь. Мы дома."), (Sentences{"Идёт дождь.", "Мы дома."}));
  EXPECT_EQ(sentences_of("¿Qué? ¡Nada! Vale."), (Sentences{"¿Qué?", "¡Nada!", "Vale."}));
}

TEST(LineSplitter, CutsAtLineBreaksAlone) {
  const std::string text = " \r\none. Two!\t\n\n  three \u2028four";
  std::string joined;
  Sentences lines;
  for (const pipelines::Sentence& line : pipelines::split_lines(text)) {
    lines.emplace_back(line.text);
    (joined += line.text) += line.separator;
  }
  EXPECT_EQ(lines, (Sentences{"", "one. Two!", "three", "four"}));
  EXPECT_EQ(joined, text);
}

std::string random_text(std::uint64_t seed) {
  constexpr const char* parts[] = {"a",    "B",        " ",  ".",  "!",      "?",  "…", "\"",
                                   "»",    "\u00A0",   "\n", "。", "1",      "Mr", "é", "É",
                                   "\xFF", "\xE3\x80", "(",  ")",  "\u3000", "-"};
  RandomStream stream(seed, 0, 0);
  std::string text;
  for (int i = 0; i < 60; ++i) text += parts[stream.bits() % std::size(parts)];
  return text;
}

TEST(SentenceSplitter, LosesNoByteOfAnyText) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const std::string text = random_text(seed);
    ASSERT_EQ(joined(text), text) << "seed " << seed;
    for (const pipelines::Sentence& sentence : pipelines::split_sentences(text)) {
      ASSERT_EQ(sentence.text.find_first_of("\r\n"), std::string_view::npos) << "seed " << seed;
    }
  }
}

double seconds_for(const std::string& text) {
  double least = 1e9;
  for (int run = 0; run < 3; ++run) {
    timespec begin{}, end{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    EXPECT_EQ(joined(text), text);
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    least = std::min(least, static_cast<double>(end.tv_sec - begin.tv_sec) +
                                static_cast<double>(end.tv_nsec - begin.tv_nsec) * 1e-9);
  }
  return least;
}

// 2 MiB where a quadratic way would take minutes.
TEST(SentenceSplitter, TakesLinearTime) {
  for (const char* const unit : {".", "?!", ". ", "\"", ") ", "a.", "A. ", "1.", "…", "。",
                                 "\u00A0", " ", "\n", "\xFF", "\xE3", "Mr. ", "www."}) {
    std::string text;
    while (text.size() < std::size_t{2} << 20) text += unit;
    EXPECT_LT(seconds_for(text), 10.0) << unit;
  }
}

}  // namespace
}  // namespace eigenformer::test
