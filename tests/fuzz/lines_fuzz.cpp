// SPDX-License-Identifier: MIT
// Any bytes as the input of `translate`: as many lines as there are, read in any pieces, repaired,
// cut into sentences, which are translated to themselves, and written in each format, at once or
// resumed. The input is a byte of the format, one of where reads end and an output was cut, and the
// lines.
#include <sys/socket.h>

#include <array>
#include <vector>

#include "eigenformer/io/json.hpp"
#include "eigenformer/pipelines/segments.hpp"
#include "examples/support/files.hpp"
#include "examples/support/json_text.hpp"
#include "examples/support/translate_filter.hpp"
#include "examples/support/translate_resume.hpp"
#include "examples/support/translate_text.hpp"
#include "fuzz.hpp"

namespace {

using namespace eigenformer;
using namespace eigenformer::fuzz;

/// A token a byte: segments get too long, and are cut further.
class Bytes final : public Tokenizer {
 public:
  std::vector<TokenId> encode(std::string_view text) const override {
    return std::vector<TokenId>(text.size() + 1);
  }
  std::string decode(std::span<const TokenId>) const override { return {}; }
  std::string_view piece_text(TokenId) const override { return {}; }
  bool begins_word(TokenId) const override { return false; }
  bool is_special(TokenId) const override { return false; }
};

/// A file whose reads end where packets do; an empty one is its end.
class Packets {
 public:
  Packets() : Packets(pair()) {}

  /// What is left of another input goes, and this one can be read in two pieces.
  void fill(std::string_view content, std::size_t cut) {
    char byte;
    while (::recv(file_.descriptor(), &byte, 1, MSG_DONTWAIT) >= 0) continue;
    for (const std::string_view part : {content.substr(0, cut), content.substr(cut)}) {
      if (!part.empty()) send(part);
    }
    for (int ends = 0; ends < 3; ++ends) send("");
  }
  const program::File& file() const { return file_; }

 private:
  explicit Packets(std::array<int, 2> ends) : file_(ends[0], "packets"), other_(ends[1], "other") {}

  static std::array<int, 2> pair() {
    std::array<int, 2> ends{};
    const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
    require(::socketpair(AF_UNIX, type, 0, ends.data()) == 0, "a pair of sockets can be made");
    return ends;
  }
  void send(std::string_view packet) {
    const ssize_t sent = ::send(other_.descriptor(), packet.data(), packet.size(), 0);
    require(sent == static_cast<ssize_t>(packet.size()), "a packet can be sent");
  }

  program::File file_, other_;
};

/// What run() returns, or nothing where it throws a Failure, which alone may leave it.
template <class Run>
auto permit_failure(Run run) -> std::optional<decltype(run())> {
  try {
    return run();
  } catch (const program::Failure& failure) {
    require(is_message(failure.what()), "a failure's text is fit for a terminal");
    return std::nullopt;
  }
}

/// What is between the ends of lines, "\n" or "\r\n"; the last one may have none.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    out.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

/// All lines, as run_filter reads them.
std::vector<std::string> read_lines(std::string_view text, std::size_t cut) {
  static Packets packets;
  packets.fill(text, std::min(cut, text.size()));
  program::LineReader reader(packets.file(), 1 << 20);
  program::Window window(program::Options(), program::Flush::batch);
  std::vector<std::string> out;
  for (bool more = true; more;) {
    more = window.fill(reader);
    out.insert(out.end(), window.content().begin(), window.content().end());
  }
  require(reader.lines() == out.size() && reader.bytes() == text.size(),
          "all is read, and counted");
  return out;
}

/// The line translated to itself, in `alternatives` ways.
Translation translate(std::string_view line, Split split, std::size_t alternatives) {
  static const Bytes tokenizer;
  Segmenter segmenter(tokenizer, split, 48);
  segmenter.add(line);
  Translation out;
  out.replaced = segmenter.replaced()[0];
  for (Segment& segment : segmenter.segments()) {
    TranslatedSentence& sentence = out.sentences.emplace_back();
    sentence.source = segment.source;
    sentence.separator = segment.separator;
    if (segment.source.empty()) continue;
    sentence.source_pieces = {segment.source, "</s>"};
    sentence.source_words = {{segment.source, 0, 1, false}, {"</s>", 1, 2, true}};
    sentence.words = sentence.source_words;
    sentence.alignment = {{0, 0}};
    const Alternative way{segment.source, sentence.source_pieces, {-0.5f, -1e-9f}, -0.25f, {}};
    sentence.alternatives.assign(alternatives, way);
  }
  return out;
}

/// What the program would write of all lines.
struct Format {
  program::Format format;
  Split split;
  std::size_t alternatives;

  explicit Format(unsigned flags)
      : format{(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0},
        split(static_cast<Split>((flags >> 4) % 3)),
        alternatives(format.n_best ? 1 + (flags >> 7) : 1) {}

  bool is_list() const { return format.n_best && !format.jsonl; }

  /// The lines of the output that are of one of the input.
  std::string write(std::uint64_t number, const std::string& line) const {
    const Translation translation = translate(line, split, alternatives);
    const program::TranslatedLine translated{number, line, translation};
    std::string out;
    if (format.jsonl) {
      append_json(out, translated, format);
    } else if (format.n_best) {
      append_n_best(out, translated, format);
    } else {
      append_text(out, translated, format);
    }
    check(out, translated);
    return out;
  }

 private:
  void check(std::string_view out, const program::TranslatedLine& line) const {
    const std::size_t count =
        is_list() ? std::max<std::size_t>(line.translation.alternatives(), 1) : 1;
    require(out.ends_with('\n') &&
                std::count(out.begin(), out.end(), '\n') == static_cast<std::ptrdiff_t>(count),
            "a line for each alternative");
    require(out.find_first_of("\v\f\r") == std::string_view::npos, "no other line break");
    require(io::is_utf8(out), "the output is UTF-8");
    if (format.jsonl && line.number == 0 && line.source.size() % 4 == 0) {  // the slowest of all
      check_json(out, line);
    }
    if (format.jsonl || format.n_best || format.alignment || format.word_scores) return;
    std::string expected;
    program::append_on_one_line(expected, pipelines::repair_utf8(line.source).text);
    // A code of the language is not translated, and sentences that touch may get a space.
    const std::string told = without_spaces(out), source = without_spaces(expected);
    require(source.ends_with(told), "what is translated to itself stays as it is");
    const std::string_view code = std::string_view(source).substr(0, source.size() - told.size());
    require(code.empty() || (code.starts_with(">>") && code.ends_with("<<")),
            "only a code is left out");
  }

  static std::string without_spaces(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c != ' ' && c != '\n') out += c;
    }
    return out;
  }

  static void check_json(std::string_view out, const program::TranslatedLine& line) {
    const io::Json json = io::parse_json(out.substr(0, out.size() - 1), "f");
    require(json.at("id").integer() == static_cast<std::int64_t>(line.number), "the line's number");
    require(json.at("source").string() == pipelines::repair_utf8(line.source).text, "its source");
    require(json.at("text").string() == line.translation.text(), "its translation");
    require((json.at("replaced").integer() > 0) == !io::is_utf8(line.source), "what was replaced");
  }
};

/// An output that was cut anywhere becomes the whole one again.
void check_resume(const Format& format, std::string_view input,
                  const std::vector<std::string>& outputs, std::size_t cut) {
  static MemoryFile source, target;
  std::string whole;
  for (const std::string& output : outputs) whole += output;
  source.fill(input);
  target.fill(std::string_view(whole).substr(0, cut % (whole.size() + 1)));
  program::File input_file(::dup(source.descriptor()), "input");
  program::File output_file(::dup(target.descriptor()), "output");
  program::Written written = program::read_written(output_file, format.format);
  program::Writer writer(std::move(output_file), std::move(written.rest));
  program::LineReader reader(input_file, 1 << 20);
  program::skip_written(written, reader);
  for (std::uint64_t number = written.lines; const auto line = reader.next(); ++number) {
    require(number < outputs.size(), "no line too many");
    writer.write(outputs[static_cast<std::size_t>(number)]);
  }
  writer.finish();
  const program::File result(::dup(target.descriptor()), "output");
  require(program::detail::read_bytes(result, 0, whole.size()) == whole,
          "the output is whole again");
}

/// Any output that another program left is refused, or gone on with.
void check_other_output(const Format& format, std::string_view output) {
  static MemoryFile target;
  target.fill(output);
  const program::File file(::dup(target.descriptor()), "output");
  const auto written = permit_failure([&] { return program::read_written(file, format.format); });
  if (!written) return;
  require(written->bytes + written->rest.size() == output.size(),
          "what is there is kept or compared");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  const Format format(take_byte(rest));
  const std::size_t cut = take_byte(rest);
  const std::vector<std::string> lines = read_lines(rest, cut);
  require(lines == lines_of(rest), "lines are what is between line ends");
  if (lines.size() > 4) return 0;  // fewer show as much, and are sooner done
  std::vector<std::string> outputs;
  for (const std::string& line : lines) outputs.push_back(format.write(outputs.size(), line));
  if (cut % 2 == 0) check_resume(format, rest, outputs, cut * 31);
  if (format.is_list()) check_other_output(format, rest);
  return 0;
}
