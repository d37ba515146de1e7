// SPDX-License-Identifier: MIT
/// Compares SentencePiece with libsentencepiece (Debian's libsentencepiece-dev) on real text and on
/// random strings: ids, pieces and decoded text of every model must be equal.
///
/// Debian 12 has 0.1.97, which adds a piece's score to a sum in double, and compares that with a
/// sum rounded to float. 0.2.3 has floats on both sides, and so has the library: the recorded
/// outputs are of both, and agree. Where two ways have the same sum but for this rounding
/// ("......." is "...." and "..." in either order), 0.1.97 may take the other one. Such ties are
/// counted, and must be rare.
///
///     libsentencepiece TESTS_DATA MODELS [RANDOM_STRINGS]
#include <sentencepiece_processor.h>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "eigenformer/tokenizers/sentence_piece.hpp"
#include "tokenizers/reference/tricky_text.hpp"

namespace {

using eigenformer::SentencePiece;
using eigenformer::TokenId;

std::vector<std::string> lines(const std::string& path) {
  std::vector<std::string> out;
  std::ifstream file(path, std::ios::binary);
  for (std::string line; std::getline(file, line);) out.push_back(line);
  if (out.empty()) {
    std::fprintf(stderr, "%s: no text\n", path.c_str());
    std::exit(2);
  }
  return out;
}

/// One model, in both implementations.
class Pair {
 public:
  explicit Pair(const std::string& path) : path_(path), ours_(SentencePiece::load(path)) {
    if (!theirs_.Load(path).ok()) {
      std::fprintf(stderr, "%s: libsentencepiece does not load it\n", path.c_str());
      std::exit(2);
    }
  }

  void compare(const std::string& text) {
    ++texts_;
    const std::vector<TokenId> ids = ours_.encode_ids(text);
    std::vector<std::string> pieces, their_pieces;
    for (const auto& piece : ours_.encode(text)) pieces.push_back(piece.text);
    std::vector<int> their_ids;
    std::string their_text;
    const bool ok = theirs_.Encode(text, &their_ids).ok() &&
                    theirs_.Encode(text, &their_pieces).ok() &&
                    theirs_.Decode(their_ids, &their_text).ok();
    const bool same_text = ok && ours_.decode(ids) == their_text;
    if (same_text && ids == their_ids && pieces == their_pieces) return;
    if (same_text && is_tie(ids, their_ids)) {
      ++ties_;
      return;
    }
    if (++differences_ <= 3) report(text, ids, their_ids, ours_.decode(ids), their_text);
  }

  std::size_t finish() const {
    std::printf("%s: %zu texts, %zu differences, %zu ties\n", path_.c_str(), texts_, differences_,
                ties_);
    return differences_ + (ties_ * 1000 > texts_ ? ties_ : 0);
  }

 private:
  /// Whether both have the same number of unknown pieces, and the same sum but for rounding.
  bool is_tie(const std::vector<TokenId>& ids, const std::vector<int>& theirs) const {
    double difference = 0, size = 0;
    std::ptrdiff_t unknown = 0;
    const auto add = [&](int id, int sign) {
      difference += sign * static_cast<double>(theirs_.GetScore(id));
      size += std::abs(static_cast<double>(theirs_.GetScore(id)));
      unknown += theirs_.IsUnknown(id) ? sign : 0;
    };
    for (const TokenId id : ids) add(id, 1);
    for (const int id : theirs) add(id, -1);
    return unknown == 0 && std::abs(difference) < 1e-6 * size;
  }

  static void report(const std::string& text, const std::vector<TokenId>& ids,
                     const std::vector<int>& theirs, const std::string& decoded,
                     const std::string& their_decoded) {
    std::printf("text    %s\nours   ", eigenformer::io::json_quoted(text).c_str());
    for (const TokenId id : ids) std::printf(" %d", id);
    std::printf("\ntheirs ");
    for (const int id : theirs) std::printf(" %d", id);
    std::printf("\nours    %s\ntheirs  %s\n", eigenformer::io::json_quoted(decoded).c_str(),
                eigenformer::io::json_quoted(their_decoded).c_str());
  }

  std::string path_;
  SentencePiece ours_;
  sentencepiece::SentencePieceProcessor theirs_;
  std::size_t texts_ = 0;
  std::size_t differences_ = 0;
  std::size_t ties_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const std::string data = arguments[1];
  const std::string models = arguments[2];
  const int random_strings = count > 3 ? std::atoi(arguments[3]) : 100'000;
  std::vector<std::string> texts;
  for (const char* name : {"/tokenizers/sentencepiece/botchan.txt",
                           "/testsets/fr-en/tatoeba-dev.fr", "/testsets/fr-en/flores-dev.fr"}) {
    const std::vector<std::string> more = lines(data + name);
    texts.insert(texts.end(), more.begin(), more.end());
  }
  std::size_t differences = 0;
  for (const std::string& path :
       {data + "/tokenizers/opus-mt-tc-big-fr-en/source.spm",
        data + "/tokenizers/firefox/vocab.deen.spm",
        data + "/tokenizers/sentencepiece/test_model.model", data + "/tokenizers/phi-3/phi-3.spm",
        models + "/fr-en-small/source.spm"}) {
    Pair pair(path);
    for (const std::string& text : texts) pair.compare(text);
    tokenizers_test::TrickyText tricky(1);
    for (int i = 0; i < random_strings; ++i) pair.compare(tricky.next());
    differences += pair.finish();
  }
  return differences == 0 ? 0 : 1;
}
