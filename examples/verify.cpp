// SPDX-License-Identifier: MIT
// verify [--weights STORAGE] DIR...: each folder's model against the golden files in it, which
// tools/record_golden.py records from transformers. Exit status 1: something differs that must not;
// 2: usage.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "support/golden_folder.hpp"
#include "support/isa.hpp"

namespace {

struct Options {
  std::vector<std::string> folders;
  eigenformer::ModelOptions model;
};

struct Counts {
  int passed = 0, failed = 0, told = 0;
};

void verify(const std::string& folder, const eigenformer::ModelOptions& options, Counts& counts) {
  std::printf("%s\n", folder.c_str());
  eigenformer::Context context = eigenformer::make_context(chosen_isa());
  golden::Folder(folder, options).run(context, [&](const golden::Check& check) {
    const bool told = !check.passed() && !check.binding;
    ++(check.passed() ? counts.passed : told ? counts.told : counts.failed);
    std::printf("  %-44s %9.2e of %.2e%s\n", check.name.c_str(), check.difference, check.tolerance,
                check.passed() ? ""
                : told         ? "  differs"
                               : "  FAILED");
  });
}

int run(int count, char** arguments) {
  Options options;
  CLI::App app(
      "Models in their hub's layout, with golden.safetensors and golden.json, against "
      "these.\nWith other weights than the file's, tensors may be further away, and "
      "generated ids may differ.",
      "verify");
  app.add_option("DIR", options.folders)->required();
  std::vector<std::pair<std::string, eigenformer::Storage>> weights;
  for (const auto storage : eigenformer::all_storages) weights.emplace_back(name(storage), storage);
  app.add_option("--weights", options.model.storage, "f32, f16, bf16 or int8; default: the file's")
      ->transform(CLI::CheckedTransformer(weights));
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  Counts counts;
  for (const std::string& folder : options.folders) {
    try {
      verify(folder, options.model, counts);
    } catch (const eigenformer::Error& error) {
      ++counts.failed;
      std::printf("  %s: %s  FAILED\n", name(error.code()), error.what());
    }
  }
  std::printf("%d passed, %d failed, %d may differ and do\n", counts.passed, counts.failed,
              counts.told);
  return counts.failed == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) { return run(count, arguments); }
