// SPDX-License-Identifier: MIT
// verify [--weights STORAGE] DIR...: each folder's model against the golden files in it, which
// tools/record_golden.py records from transformers. Exit status 1: something differs that must not;
// 2: usage.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "support/command_line.hpp"
#include "support/golden_folder.hpp"
#include "support/isa.hpp"
#include "support/storage_word.hpp"

namespace {

struct Options {
  std::vector<std::string> folders;
  eigenformer::ModelOptions model;
  eigenformer::Isa isa = eigenformer::fastest_isa;
};

struct Counts {
  int passed = 0, failed = 0, told = 0;
};

void verify(const std::string& folder, const Options& options, Counts& counts) {
  std::printf("%s\n", folder.c_str());
  eigenformer::Context context = eigenformer::make_context(options.isa);
  golden::Folder(folder, options.model).run(context, [&](const golden::Check& check) {
    const bool told = !check.passed() && !check.binding;
    ++(check.passed() ? counts.passed : told ? counts.told : counts.failed);
    std::printf("  %-44s %9.2e of %.2e%s\n", check.name.c_str(), check.difference, check.tolerance,
                check.passed() ? ""
                : told         ? "  differs"
                               : "  FAILED");
  });
}

void run(int count, char** arguments) {
  Options options;
  CLI::App app(
      "Models in their hub's layout, with golden.safetensors and golden.json, against "
      "these.\nWith other weights than the file's, tensors may be further away, and "
      "generated ids may differ.",
      "verify");
  app.add_option("DIR", options.folders, "a MarianMT or vaswani folder, with the golden files")
      ->required();
  program::add_weights(app, options.model.storage, "default: the file's");
  app.footer("Exit status: 0; 1 something differs that must not, or cannot be read; 2 usage.");
  if (const auto answer = program::parse(app, count, arguments)) return program::print(*answer);
  options.isa = program::chosen_isa();
  Counts counts;
  for (const std::string& folder : options.folders) {
    try {
      verify(folder, options, counts);
    } catch (const std::exception& error) {
      ++counts.failed;
      std::printf("  %s  FAILED\n", error.what());
    }
  }
  std::printf("%d passed, %d failed, %d may differ and do\n", counts.passed, counts.failed,
              counts.told);
  program::expect_printed();
  if (counts.failed > 0) throw program::Failure(program::ExitStatus::data, "");
}

}  // namespace

int main(int count, char** arguments) {
  return program::run_to_status(
      "verify", [&] { run(count, arguments); }, program::usage_or_data);
}
