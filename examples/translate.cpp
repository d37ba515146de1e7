// SPDX-License-Identifier: MIT
// translate: a filter from lines to their translations; from a terminal it asks for lines.
// translate --help says what it takes, writes, and promises.
#include "eigenformer/pipelines/translator.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "eigenformer/generation/sampling.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/translate_filter.hpp"
#include "support/translate_interactive.hpp"
#include "support/translate_lines.hpp"
#include "support/translate_options.hpp"
#include "support/translate_profile.hpp"
#include "support/translate_progress.hpp"
#include "support/translate_resume.hpp"

namespace program {
namespace {

using namespace eigenformer;

Translator load(const Options& options) {
  try {
    Translator translator = Translator::load(options.model, options.translator);
    translator.translate_full({});  // what the folder says of decoding may be wrong, too
    return translator;
  } catch (const std::exception& error) {
    std::string message = error.what();
    std::error_code ignored;
    if (!std::filesystem::exists(options.model, ignored)) {
      message += " (--model DIR names the model's folder, which is looked for from here)";
    }
    throw Failure(ExitStatus::model, message);
  }
}

/// A message that begins with an option's name in the library, with its name and range here.
std::string on_command_line(std::string message) {
  constexpr std::pair<const char*, const char*> names[] = {
      {"hypotheses:", "--n-best:"},
      {"length_penalty:", "--length-penalty:"},
      {"temperature: expected a finite number above 0",
       "--temperature: expected a finite number, 0 or more"},
      {"top_p:", "--top-p:"}};
  for (const auto& [ours, theirs] : names) {
    if (message.starts_with(ours)) return message.replace(0, std::strlen(ours), theirs);
  }
  return message;
}

/// Completes the options by the model's, and checks them.
void settle(GenerationOptions& generation, const Options& options, const Translator& translator) {
  const Index beams = generation.beam_size.value_or(translator.defaults().beam_size.value_or(1));
  const Index n_best = options.n_best > 0 ? options.n_best : beams;
  generation.hypotheses = options.format.n_best ? n_best : 1;
  try {
    sampling::settings_of(generation);  // where --temperature 0 has nothing drawn, too
    TranslationOptions asked;
    asked.generation = generation;
    translator.translate_full({}, asked);
  } catch (const Error& error) {
    throw Failure(ExitStatus::usage, on_command_line(error.what()));
  }
}

/// On a terminal that shows lines, too, it would be among them.
bool shows_progress(When when, bool lines_at_terminal) {
  if (when == When::automatic) return ::isatty(STDERR_FILENO) == 1 && !lines_at_terminal;
  return when == When::always;
}

/// Before anything is opened for writing, and so emptied.
void refuse_to_overwrite(const File& input, const Options& options) {
  if (options.output ? input.is_at(*options.output) : input.is_also(STDOUT_FILENO)) {
    throw Failure(ExitStatus::usage, "the input and the output are the same file");
  }
  if (options.attention && input.is_at(*options.attention)) {
    throw Failure(ExitStatus::usage, "the input and --attention are the same file");
  }
}

void translate(Options options) {
  const File input = File::input(options.input);
  refuse_to_overwrite(input, options);
  Profile profile;
  if (options.profile) options.translator.profile = &profile;
  const Translator translator = load(options);
  settle(options.generation, options, translator);
  File output_file =
      options.resume ? File::open(*options.output, O_RDWR | O_CREAT) : File::output(options.output);
  if (options.attention && output_file.is_at(*options.attention)) {
    throw Failure(ExitStatus::usage, "the output and --attention are the same file");
  }
  const bool to_terminal = output_file.is_terminal(), from_terminal = input.is_terminal();
  const bool interactive =
      to_terminal && from_terminal && !options.input && !options.output && !options.flush;
  const std::optional<std::uint64_t> bytes_of_input = input.bytes_left();
  Written written;
  if (options.resume) written = read_written(output_file, options.format);
  Writer output(std::move(output_file), std::move(written.rest));
  LineTranslator lines(translator, options, output);
  LineReader reader(input, options.translator.load.limits.text_bytes);
  skip_written(written, reader);
  lines.skip(written.lines);
  if (interactive) {
    run_interactive(reader, lines, options, translator, output);
  } else {
    const bool at_terminal = to_terminal || from_terminal;
    const Flush flush = options.flush.value_or(at_terminal ? Flush::line : Flush::batch);
    std::optional<Progress> progress;
    if (shows_progress(options.progress, at_terminal)) {
      progress.emplace(bytes_of_input, reader.bytes());
    }
    run_filter(reader, lines, Window(options, flush), progress);
  }
  output.finish();
  lines.finish();
  if (options.profile) print_profile(profile, options, {lines.sentences(), lines.tokens()});
}

void run(int count, char** arguments) {
  CommandLine command_line = parse_command_line(count, arguments);
  if (!command_line.answer) return translate(std::move(command_line.options));
  print(*command_line.answer);
}

}  // namespace
}  // namespace program

int main(int count, char** arguments) {
  const auto run = [&] { program::run(count, arguments); };
  const auto usage = [](const eigenformer::Error&) { return program::ExitStatus::usage; };
  return program::run_to_status("translate", run, usage);
}
