// SPDX-License-Identifier: MIT
// quantize IN OUT: a model's folder with its weights in another storage, int8 if nothing else is
// asked for; docs/int8.md has the format. Exit status 1: it cannot be done; 2: usage.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/io/atomic_file.hpp"
#include "eigenformer/io/file.hpp"
#include "support/command_line.hpp"
#include "support/new_folder.hpp"
#include "support/storage_word.hpp"

namespace {

using namespace eigenformer;

/// What goes along, where it is there: what this library reads beside the weights, and what other
/// folders of a hub have.
constexpr const char* companions[] = {
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "vocab.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "source.spm",
    "target.spm",
    "target_vocab.json",
    "tokenizer.json",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "spiece.model",
    "vocab.txt",
    "merges.txt",
    "README.md",
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
    "NOTICE",
};

struct Options {
  std::string in, out;
  ModelOptions model;
};

void copy(const std::string& from, const std::string& to) {
  const io::ByteBuffer content = io::read_file(from, io::LoadLimits().memory_bytes);
  io::AtomicFile file(to);
  file.write(content.span());
  file.commit();
}

/// The weights come last: without them the folder is no model.
void quantize(const Options& options) {
  program::NewFolder out(options.out);
  for (const char* const name : companions) {
    const std::string from = options.in + "/" + name;
    if (std::filesystem::is_regular_file(from)) copy(from, out.file(name));
  }
  convert_model(options.in, out.file("model.safetensors"), options.model);
  out.commit();
}

void run(int count, char** arguments) {
  Options options;
  options.model.storage = Storage::int8;
  CLI::App app("Writes a model's folder again with its weights in another storage.", "quantize");
  app.footer(
      "Files beside the weights are copied; docs/int8.md has the format of int8.\n"
      "Exit status: 0; 1 it cannot be done, and nothing is left; 2 usage, or OUT is in use.\n"
      "Killed, it leaves OUT.PID.tmp.");
  app.add_option("IN", options.in, "folder of the model, as a hub has it")->required();
  app.add_option("OUT", options.out, "folder to make, which is not there or empty")->required();
  program::add_weights(app, options.model.storage, "how weights are stored; default: int8");
  if (const auto answer = program::parse(app, count, arguments)) return program::print(*answer);
  quantize(options);
}

}  // namespace

int main(int count, char** arguments) {
  const auto data = [](const Error&) { return program::ExitStatus::data; };
  return program::run_to_status(
      "quantize", [&] { run(count, arguments); }, data);
}
