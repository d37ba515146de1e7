// SPDX-License-Identifier: MIT
// Any bytes as the input of `translate`: as many lines as there are, repaired, cut into sentences
// and put together again, and written as JSON that reads back.
#include <sys/mman.h>
#include <unistd.h>

#include "eigenformer/io/json.hpp"
#include "eigenformer/pipelines/sentence_splitter.hpp"
#include "eigenformer/pipelines/utf8_repair.hpp"
#include "examples/support/translate_json.hpp"
#include "fuzz.hpp"

using namespace eigenformer;

namespace {

void check_splitting(std::string_view text, const std::vector<pipelines::Sentence>& sentences) {
  std::string together;
  for (const pipelines::Sentence& sentence : sentences) {
    together += sentence.text;
    together += sentence.separator;
  }
  fuzz::require(together == text, "sentences and separators are the text");
}

void check_line(std::string_view line) {
  const std::string repaired = pipelines::repair_utf8(line).text;
  fuzz::require(io::is_utf8(repaired), "a repaired line is UTF-8");
  fuzz::require(pipelines::repair_utf8(repaired).replaced == 0, "it needs no repair again");
  if (io::is_utf8(line)) fuzz::require(repaired == line, "UTF-8 stays as it is");
  check_splitting(line, pipelines::split_sentences(line));
  check_splitting(line, pipelines::split_lines(line));
  program::JsonText json;
  json.raw("[").string(repaired).raw("]");
  const io::Json read = io::parse_json(json.text(), "line");
  fuzz::require(read.elements()[0].string() == repaired, "JSON reads back");
  fuzz::require(json.text().find('\n') == std::string::npos, "JSON stays on its line");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const program::File file(::memfd_create("lines", 0), "lines");
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::require(::ftruncate(file.descriptor(), 0) == 0 &&
                    ::pwrite(file.descriptor(), data, size, 0) == static_cast<ssize_t>(size) &&
                    ::lseek(file.descriptor(), 0, SEEK_SET) == 0,
                "the file is written");
  program::LineReader reader(file, std::size_t{1} << 20);
  while (const auto line = reader.next()) {
    fuzz::require(line->find('\n') == std::string::npos, "a line has no end in it");
    check_line(*line);
  }
  const auto ends = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  const bool rest = !text.empty() && text.back() != '\n';
  fuzz::require(reader.lines() == ends + (rest ? 1 : 0), "every line is a line");
  fuzz::require(reader.bytes() == size, "every byte is in a line");
  return 0;
}
