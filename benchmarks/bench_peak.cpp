// SPDX-License-Identifier: MIT
// What this machine can do at best: the figures that the other programs' peak% refer to.
#include "support/report.hpp"

#include "eigenformer/core/thread_pool.hpp"

namespace eigenformer::bench {
namespace {

/// Multiply-adds, or dot products of bytes.
void arithmetic(benchmark::State& state, const Probe& probe) {
  const Index rounds = 20000;
  Trial trial(state, fastest_isa, [&] { probe.run(rounds); });
  trial.work("OP", probe.operations * static_cast<double>(rounds));
  trial.run();
}

/// Reading from a level again and again, from 1, 2, 4 or 8 places at a time.
void reading(benchmark::State& state, Reader read, std::size_t level, Pages pages) {
  const Index bytes = typical_bytes(level);
  if (!affordable(bytes)) return state.SkipWithError("too little memory");
  const PagedMemory memory(bytes, pages);
  const Index passes = passes_over(bytes);
  Trial trial(state, fastest_isa, [&] { read(memory.data(), bytes, passes); });
  trial.work("B", static_cast<double>(bytes * passes));
  trial.label(std::to_string(bytes >> 10) + " KiB");
  trial.run();
}

/// Reading what lies behind the caches, by all of a pool's threads at once.
void reading_together(benchmark::State& state, Reader read, Index threads) {
  const std::size_t memory_level = levels().size() - 1;
  const Index bytes = threads * typical_bytes(memory_level);
  if (!affordable(bytes)) return state.SkipWithError("too little memory");
  const PagedMemory memory(bytes, Pages::huge);
  ThreadPool pool(threads);
  Trial trial(
      state, fastest_isa,
      [&] {
        read_by_all(pool, read, {memory.data(), static_cast<std::size_t>(bytes)}, 1);
      },
      Clock::wall);
  trial.work("B", static_cast<double>(bytes));
  trial.run();
}

/// Giving every thread of a pool one empty task, and hearing of its end.
void fork_join(benchmark::State& state, Index threads) {
  ThreadPool pool(threads);
  Trial trial(
      state, fastest_isa, [&] { pool.run(threads, [](Index, Index) {}); }, Clock::wall);
  trial.run();
}

void register_all(Isa most) {
  for (const Isa isa : isas_up_to(most)) {
    const auto probe = fma_probe(isa);
    if (!probe) continue;
    add("multiply_add/" + probe->name, [=](auto& state) { arithmetic(state, *probe); });
  }
  for (const Probe& probe : integer_dot_probes()) {
    add("int8_dot/" + probe.name, [=](auto& state) { arithmetic(state, probe); });
  }
  const Isa isa = kernels::best_table(most).isa;
  for (std::size_t level = 0; level < levels().size(); ++level) {
    for (const Pages pages : {Pages::huge, Pages::small}) {
      for (std::size_t i = 0; i < readers(isa).size(); ++i) {
        add("read/" + levels()[level].name +
                (pages == Pages::huge ? "/huge_pages" : "/small_pages") +
                "/places:" + std::to_string(1 << i),
            [=, read = readers(isa)[i]](auto& state) { reading(state, read, level, pages); });
      }
    }
  }
  const Index cores = sysconf(_SC_NPROCESSORS_ONLN);
  for (Index threads = 2; threads <= cores; threads *= 2) {
    for (std::size_t i = 0; i < readers(isa).size(); ++i) {
      add("read/" + levels().back().name + "/places:" + std::to_string(1 << i) +
              "/threads:" + std::to_string(threads),
          [=, read = readers(isa)[i]](auto& state) { reading_together(state, read, threads); });
    }
  }
  for (Index threads = 1; threads <= cores; threads *= 2) {
    add("fork_join/threads:" + std::to_string(threads),
        [=](auto& state) { fork_join(state, threads); });
  }
}

}  // namespace
}  // namespace eigenformer::bench

int main(int argc, char** argv) {
  return eigenformer::bench::run(argc, argv, eigenformer::bench::register_all);
}
