// SPDX-License-Identifier: MIT
// mpi_translate: a file's translation on many machines. Rank 0 reads lines, deals them in blocks to
// whoever asks, and writes what comes back in their order; all other ranks translate. The bytes are
// those of `translate`. docs/scaling.md says when to take it.
#include <mpi.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eigenformer/pipelines/translator.hpp"
#include "support/command_line.hpp"
#include "support/failure.hpp"
#include "support/mpi_dealer.hpp"
#include "support/mpi_parcel.hpp"
#include "support/storage_word.hpp"
#include "support/translate_text.hpp"

namespace program {
namespace {

using namespace eigenformer;

void describe(CLI::App& app, Job& job) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.footer(
      "For example: mpirun -n 5 --hostfile machines mpi_translate -i text.fr -o text.en\n"
      "Files by name only: mpirun does not say when it cannot write what it is given to write.\n"
      "Exit status: 0; 1 data that cannot be read, translated or written; 2 usage; 3 no good "
      "model;\n"
      "another one where MPI ends the run.");
  app.add_option("-i,--input", job.input, "file to translate, which rank 0 reads")
      ->type_name("FILE")
      ->required();
  app.add_option("-o,--output", job.output, "file to write, by rank 0")
      ->type_name("FILE")
      ->required();
  app.add_flag("--resume", job.resume, "go on where a run that ended early stopped writing it");
  app.add_option("-m,--model", job.model, "folder of the model, on every machine")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("-b,--beam-size", job.generation.beam_size, "default: what the folder says")
      ->transform(whole(Index{1}, Index{1024}))
      ->type_name("N");
  add_weights(app, job.translator.weights, "default: as in the file");
  app.add_option("-j,--threads", job.translator.threads, "of each process")
      ->transform(whole(Index{1}, Index{1024}))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--block-size", job.block_bytes, "bytes of lines dealt at a time, for each thread")
      ->transform(whole(Index{1}, Index{1} << 19))
      ->type_name("N")
      ->capture_default_str();
}

/// Appends the lines' translations, up to one that fails, which is then named.
void translate(const Translator& translator, TranslationOptions asked,
               std::span<const std::string> lines, Parcel& out) {
  const auto fail = [&out](const std::string& why) {
    out.status = ExitStatus::data;
    out.message = "line " + std::to_string(out.end + 1) + ": " + why;
  };
  asked.first_number = out.end;
  std::vector<Translation> translations;
  try {
    translations = translator.translate_full(lines, asked);
  } catch (const Error& error) {
    if (lines.size() == 1) return fail(error.what());
    // One by one, to find out which it is.
    for (std::size_t l = 0; l < lines.size() && out.message.empty(); ++l) {
      translate(translator, asked, lines.subspan(l, 1), out);
    }
    return;
  }
  for (std::size_t l = 0; l < translations.size(); ++l, ++out.end) {
    for (const TranslatedSentence& sentence : translations[l].sentences) {
      const Alternative* const best = sentence.alternative(0);
      if (best == nullptr || best->finish != FinishReason::not_a_number) continue;
      return fail("the model computes what is not a number");
    }
    append_text(out.text, {out.end, lines[l], translations[l]}, {});
    out.replaced += translations[l].replaced;
  }
}

/// Translates what rank 0 deals, until it deals nothing. Throws what it throws.
void work(const Job& job) {
  TranslationOptions asked;
  asked.generation = job.generation;
  const Translator translator = Translator::load(job.model, job.translator);
  translator.translate_full({}, asked);  // what the folder says of decoding may be wrong, too
  for (Parcel out;;) {
    send(out, 0);
    const Parcel block = receive().first;
    if (block.begin == block.end) return;
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < block.text.size();) {
      const std::size_t end = block.text.find('\n', begin);
      lines.push_back(block.text.substr(begin, end - begin));
      begin = end + 1;
    }
    out = {block.begin, block.begin};
    translate(translator, asked, lines, out);
    out.end = block.end;
  }
}

/// All ranks but 0. What goes wrong is for rank 0 to say, which then ends this process, too.
void work_or_report(const Job& job) {
  Parcel failed;
  failed.status = ExitStatus::model;
  try {
    return work(job);
  } catch (const Error& error) {
    failed.message = error.what();
  } catch (const std::exception& error) {
    failed.status = ExitStatus::data;
    failed.message = error.what();
  }
  std::string host(MPI_MAX_PROCESSOR_NAME, '\0');
  int length = 0;
  MPI_Get_processor_name(host.data(), &length);
  host.resize(static_cast<std::size_t>(length));
  failed.message = "on " + host + ": " + failed.message;
  send(failed, 0);
  receive();
}

/// Gives the exit status.
int run(const Job& job, int rank, int ranks) {
  const auto part = [&] { rank == 0 ? Dealer(job, ranks).run() : work_or_report(job); };
  return run_to_status("mpi_translate", part, [](const Error&) { return ExitStatus::data; });
}

/// What every rank is to do, or the exit status, which is one for all: none waits for another that
/// has not understood its arguments. The first such rank says why.
std::optional<int> parse_everywhere(CLI::App& app, std::span<char*> arguments, int rank) {
  constexpr int nobody = std::numeric_limits<int>::max();
  std::optional<int> own;
  std::string message;
  try {
    if (const auto answer = parse(app, static_cast<int>(arguments.size()), arguments.data())) {
      own = 0;
      message = *answer;
    }
  } catch (const Failure& failure) {
    own = static_cast<int>(failure.status());
    message = "mpi_translate: " + std::string(failure.what()) + "\n";
  }
  int first = own ? rank : nobody, status = own.value_or(0);
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  MPI_Allreduce(MPI_IN_PLACE, &status, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (first == nobody) return std::nullopt;
  if (first == rank) std::fputs(message.c_str(), status == 0 ? stdout : stderr);
  return status;
}

}  // namespace
}  // namespace program

int main(int count, char** arguments) {
  int rank = 0, ranks = 0, provided = 0;
  MPI_Init_thread(&count, &arguments, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  program::Job job;
  CLI::App app("Translates lines, as translate does, on all processes that mpirun starts.",
               "mpi_translate");
  program::describe(app, job);
  std::optional<int> status =
      program::parse_everywhere(app, {arguments, static_cast<std::size_t>(count)}, rank);
  if (!status) {
    status = program::run(job, rank, ranks);
    if (*status != 0) MPI_Abort(MPI_COMM_WORLD, *status);  // others wait, or are at work
  }
  MPI_Finalize();
  return *status;
}
