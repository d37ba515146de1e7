// SPDX-License-Identifier: MIT
// A program that has threads already, those of oneTBB: the Translator computes on them, and makes
// none. Translates the lines of its input.
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <eigenformer/eigenformer.hpp>
#include <iostream>

class TbbExecutor final : public eigenformer::Executor {
 public:
  using Index = eigenformer::Index;

  Index workers() const override { return arena_.max_concurrency(); }

  void run(Index tasks, eigenformer::FunctionRef<void(Index, Index)> task) override {
    const auto one = [&](Index t) { task(t, tbb::this_task_arena::current_thread_index()); };
    arena_.execute([&] { tbb::parallel_for(Index{0}, tasks, one, tbb::static_partitioner{}); });
  }

 private:
  mutable tbb::task_arena arena_;
};

int main(int count, char** arguments) {
  TbbExecutor executor;
  eigenformer::TranslatorOptions options;
  options.executor = &executor;
  const std::string folder = count > 1 ? arguments[1] : "models/fr-en-small";
  const auto translate = eigenformer::Translator::load(folder, options);
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  for (const std::string& line : translate(lines)) std::cout << line << '\n';
}
