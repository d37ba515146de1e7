// SPDX-License-Identifier: MIT
/// `translate` for somebody at a terminal.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "eigenformer/core/error.hpp"
#include "eigenformer/pipelines/translator.hpp"
#include "files.hpp"
#include "translate_lines.hpp"
#include "translate_options.hpp"

namespace program {

/// Whether the options ask for text that can be shown while it comes. Draws depend on a line's
/// number, which a stream does not have.
inline bool can_stream(const Options& options, const eigenformer::Translator& translator) {
  const auto generation = options.generation.or_from(translator.defaults());
  const Format& format = options.format;
  return generation.beam_size.value_or(1) == 1 && !generation.sample.value_or(false) &&
         !format.jsonl && !format.n_best && !format.word_scores && !format.alignment &&
         !options.attention;
}

inline void stream_line(const std::string& line, const Options& options,
                        const eigenformer::Translator& translator, Writer& output) {
  const auto show = [&](std::string_view text) {
    std::string out;
    append_on_one_line(out, text);
    output.write(out);
    output.flush();
    return eigenformer::AfterStep::go_on;
  };
  translator.stream(line, show, options.generation);
  output.write("\n");
  output.flush();
}

/// Asks for lines until there are no more. What goes wrong with one is said, and the next is asked
/// for. Throws Failure where the terminal fails.
inline void run_interactive(LineReader& input, LineTranslator& lines, const Options& options,
                            const eigenformer::Translator& translator, Writer& output) {
  const bool streams = can_stream(options, translator);
  std::fprintf(stderr, "%s: write a line to have it translated; Ctrl-D ends.\n",
               options.model.c_str());
  for (;;) {
    std::fputs("> ", stderr);
    const std::optional<std::string> line = input.next();
    if (!line) break;
    try {
      if (streams) {
        stream_line(*line, options, translator, output);
      } else {
        lines.translate({&*line, 1});
      }
    } catch (const eigenformer::Error& error) {
      output.write("\n");  // after what the stream has shown
      output.flush();
      std::fprintf(stderr, "translate: %s\n", error.what());
    } catch (const Failure& failure) {
      if (failure.what()[0] == '\0') throw;
      std::fprintf(stderr, "translate: %s\n", failure.what());
      lines.skip();
    }
  }
  std::fputc('\n', stderr);
}

}  // namespace program
