// SPDX-License-Identifier: MIT
// verify DIR...: each folder's model against the golden files in it, which
// tools/record_golden.py records from transformers. Exit status 1: something differs; 2: usage.
#include <cstdio>
#include <cstring>

#include "support/golden_folder.hpp"
#include "support/isa.hpp"

int main(int count, char** arguments) {
  if (count < 2 || std::strcmp(arguments[1], "--help") == 0) {
    std::puts(
        "verify DIR...: models in their hub's layout, with golden.safetensors and golden.json");
    return count < 2 ? 2 : 0;
  }
  int passed = 0, failed = 0;
  for (int i = 1; i < count; ++i) {
    std::printf("%s\n", arguments[i]);
    try {
      eigenformer::Context context = eigenformer::make_context(chosen_isa());
      golden::Folder(arguments[i]).run(context, [&](const golden::Check& check) {
        ++(check.passed() ? passed : failed);
        std::printf("  %-44s %9.2e of %.2e%s\n", check.name.c_str(), check.difference,
                    check.tolerance, check.passed() ? "" : "  FAILED");
      });
    } catch (const eigenformer::Error& error) {
      ++failed;
      std::printf("  %s: %s  FAILED\n", name(error.code()), error.what());
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
