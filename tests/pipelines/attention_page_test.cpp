// SPDX-License-Identifier: MIT
#include "eigenformer/pipelines/attention_page.hpp"

#include <gtest/gtest.h>

#include "eigenformer/pipelines/attention_svg.hpp"
#include "eigenformer/pipelines/translator.hpp"

namespace eigenformer::test {
namespace {

/// Two source words, one of two pieces; one word of translation; the heads of `count` layers.
TranslatedSentence small_sentence(Index layers = 2, Index heads = 2) {
  TranslatedSentence out;
  out.source = "ab c";
  out.source_pieces = {"\u2581a", "b", "\u2581c", "</s>"};
  out.source_words = {{"ab", 0, 2, false}, {"c", 2, 1, false}, {"</s>", 3, 1, true}};
  out.alternatives.push_back({"xy", {"\u2581x", "y", "</s>"}, {}, 0.0f, FinishReason::stop});
  out.words = {{"xy", 0, 2, false}, {"</s>", 2, 1, true}};
  for (Index layer = 0; layer < layers; ++layer) {
    for (Index head = 0; head < heads; ++head) {
      Matrix<double> weights(3, 4);
      weights.setConstant(0.25 * double(head));
      weights(0, 1) = double(layer);
      out.attention.push_back({{AttentionKind::cross, layer}, head, weights});
    }
  }
  return out;
}

std::string refusal(const TranslatedSentence& sentence, const AttentionChoice& choice) {
  try {
    chosen_attention(sentence, choice);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.what();
  }
  return "none";
}

std::string base64(std::string_view text) {
  std::string out;
  detail::append_base64(out, {reinterpret_cast<const unsigned char*>(text.data()), text.size()});
  return out;
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(AttentionChoice, IsTheLastLayersMeanUnlessItSaysMore) {
  const TranslatedSentence sentence = small_sentence();
  EXPECT_EQ(chosen_attention(sentence, {})(1, 1), 0.125);
  EXPECT_EQ(chosen_attention(sentence, {})(0, 1), 1.0);
  EXPECT_EQ(chosen_attention(sentence, {.layer = 0})(0, 1), 0.0);
  EXPECT_EQ(chosen_attention(sentence, {.head = 1})(2, 3), 0.25);
}

TEST(AttentionChoice, RefusesWhatWasNotKept) {
  const TranslatedSentence sentence = small_sentence();
  EXPECT_EQ(refusal(sentence, {.kind = AttentionKind::encoder}),
            "encoder attention: no layer of that kind was kept (TranslationOptions::attention)");
  EXPECT_EQ(refusal(sentence, {.layer = 2, .head = 0}),
            "cross attention, layer 2, head 0: was not kept, layer 1 is the last one that was "
            "(TranslationOptions::attention)");
  EXPECT_EQ(refusal(sentence, {.head = 2}),
            "cross attention, head 2: that head was not kept (TranslationOptions::attention)");
  EXPECT_NE(refusal(sentence, {.head = -1}), "none");
}

TEST(AttentionChoice, DecoderSeesTheStartAndWhatCameBefore) {
  const AttentionTokens keys = attention_keys(small_sentence(), AttentionKind::decoder);
  EXPECT_EQ(keys.pieces, (std::vector<std::string>{"start", "\u2581x", "y"}));
  ASSERT_EQ(keys.words.size(), 2u);  // the end is seen by nobody
  EXPECT_EQ(keys.words[1].text, "xy");
  EXPECT_EQ(keys.words[1].first, 1);
  EXPECT_EQ(keys.words[1].count, 2);
}

TEST(AttentionPage, WritesBase64) {  // RFC 4648, section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(AttentionPage, HasTheWeightsInBytes) {
  TranslatedSentence sentence = small_sentence(1, 1);
  sentence.attention[0].weights(0, 0) = 1.0;
  sentence.attention[0].weights(0, 1) = std::nan("");
  sentence.attention[0].weights(0, 2) = 0.5;
  const std::string page = attention_page(std::span(&sentence, 1));
  EXPECT_NE(page.find("\"layers\":[[\"/wCAAAAAAAAAAAAA\"]]"), page.npos);
  EXPECT_NE(page.find(R"("first":{"kind":"cross","layer":0,"head":-1})"), page.npos);
}

TEST(AttentionPage, SaysWhichHeadsWereNotKept) {
  TranslatedSentence sentence = small_sentence();
  sentence.attention.erase(sentence.attention.begin() + 2);  // layer 1, head 0
  const std::string page = attention_page(std::span(&sentence, 1));
  EXPECT_NE(page.find("[null,\""), page.npos);
}

TEST(AttentionPage, LeavesOutSentencesWithoutTranslation) {
  std::vector<TranslatedSentence> sentences{small_sentence(), small_sentence()};
  const std::string alone = attention_page(std::span(sentences).first(1));
  sentences[1].alternatives[0].pieces.clear();
  sentences[1].attention.clear();
  EXPECT_EQ(attention_page(sentences), alone);
}

TEST(AttentionPage, RefusesNothing) {
  TranslatedSentence sentence = small_sentence();
  EXPECT_THROW(attention_page({}), Error);
  EXPECT_THROW(attention_page(std::span(&sentence, 1), {.layer = 7}), Error);
  sentence.alternatives.clear();
  EXPECT_THROW(attention_page(std::span(&sentence, 1)), Error);
}

TEST(AttentionPage, IsSmallForAllHeadsOfTwentyWords) {
  TranslatedSentence sentence = small_sentence(0, 0);
  sentence.source_pieces.assign(26, "\u2581parole");
  sentence.alternatives[0].pieces.assign(26, "\u2581parole");
  sentence.source_words.assign(20, {"parole", 0, 1, false});
  sentence.words = sentence.source_words;
  for (const auto kind : {AttentionKind::encoder, AttentionKind::decoder, AttentionKind::cross}) {
    for (Index layer = 0; layer < 6; ++layer) {
      for (Index head = 0; head < 8; ++head) {
        sentence.attention.push_back({{kind, layer}, head, Matrix<double>(26, 26)});
      }
    }
  }
  EXPECT_LT(attention_page(std::span(&sentence, 1)).size(), 300000u);
}

TEST(AttentionPage, KeepsTextText) {
  TranslatedSentence sentence = small_sentence();
  sentence.source = "</title><script>alert(1)</script>&\"\x01\xff\uFFFF";
  sentence.source_words[0].text = "</script><!--<script>";
  sentence.alternatives[0].text = "]]>\u2028";
  const std::string page = attention_page(std::span(&sentence, 1));
  EXPECT_EQ(count_of(page, "<script"), 2u);
  EXPECT_EQ(count_of(page, "</script"), 2u);
  EXPECT_EQ(count_of(page, "<!--"), 0u);
  EXPECT_NE(page.find("<title>Attention: &lt;/title&gt;&lt;script&gt;"), page.npos);
  EXPECT_EQ(page.find('\x01'), page.npos);
  EXPECT_EQ(page.find("\uFFFF"), page.npos);
  EXPECT_TRUE(io::is_utf8(page));
}

TEST(AttentionPage, AsksForNothingFromOutside) {
  const TranslatedSentence sentence = small_sentence();
  const std::string page = attention_page(std::span(&sentence, 1));
  for (const char* const reference : {"http:", "https:", "url(", " src=", "@import", "fetch("}) {
    EXPECT_EQ(page.find(reference), page.npos) << reference;
  }
}

TEST(AttentionSvg, DrawsASquareForEachPairOfWords) {
  const TranslatedSentence sentence = small_sentence();
  const std::string svg = attention_svg(sentence, {.layer = 0, .head = 1});
  EXPECT_EQ(count_of(svg, "<rect class=\"ink\""), 6u);
  EXPECT_NE(svg.find("<title>cross attention, layer 0, head 1, in per cent</title>"), svg.npos);
  // Row "xy": the mean of its pieces' weights on "ab", 0.25 and 0, and 0.25 twice.
  EXPECT_NE(svg.find(">38</text>"), svg.npos);
}

TEST(AttentionSvg, KeepsTextText) {
  TranslatedSentence sentence = small_sentence();
  sentence.source_words[0].text = "<&>\x02";
  const std::string svg = attention_svg(sentence);
  EXPECT_NE(svg.find(">&lt;&amp;&gt;\uFFFD</text>"), svg.npos);
}

std::vector<std::string> source_words(const TranslatedSentence& sentence) {
  std::vector<std::string> out;
  for (const Word& word : sentence.source_words) out.push_back(word.text);
  return out;
}

TEST(AttentionPage, SpellsWordsThatTheVocabularyLacks) {
  const auto translate = Translator::load(EIGENFORMER_TEST_DATA "/../../models/fr-en-small");
  const Translation translation = translate.translate_full("Il dit 😀 à שלום.", {.alignment = true});
  EXPECT_EQ(source_words(translation.sentences[0]),
            (std::vector<std::string>{"Il", "dit", "😀", "à", "שלום.", "</s>"}));
}

TEST(AttentionPage, SpellsLanguagesThatTheVocabularyLacks) {
  const auto translate = Translator::load(EIGENFORMER_TEST_DATA "/../../models/fr-en-small");
  const std::string texts[] = {">>fr<<>>猫<< le 猫", ">>fr<< Bonjour. >>Oui<<, dit 猫."};
  const auto translations = translate.translate_full(texts, {.alignment = true});
  EXPECT_EQ(source_words(translations[0].sentences[0]),
            (std::vector<std::string>{">>fr<<", ">>猫<<", "le", "猫", "</s>"}));
  EXPECT_EQ(source_words(translations[1].sentences.back()),
            (std::vector<std::string>{">>fr<<", ">>Oui<<,", "dit", "猫.", "</s>"}));
}

}  // namespace
}  // namespace eigenformer::test
