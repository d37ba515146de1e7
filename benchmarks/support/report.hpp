// SPDX-License-Identifier: MIT
/// What a benchmark tells: rates, shares of a peak, ratios to a peer, the results' bits; and
/// main().
///
/// Google Benchmark names, filters, repeats and prints; the timing is a Contest's.
#pragma once

#include <benchmark/benchmark.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "contest.hpp"
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/core/random.hpp"

namespace eigenformer::bench {

/// Uniform in [-1, 1), the same for the same seed.
inline Matrix<float> random_matrix(Index rows, Index cols, std::uint64_t seed) {
  RandomStream stream(seed, 0, 0);
  Matrix<float> matrix(rows, cols);
  for (Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = 2.0f * stream.uniform() - 1.0f;
  return matrix;
}

/// A hash of the numbers' bits (FNV-1a): equal results, equal text.
inline std::string bits_of(MatrixView<const float> numbers) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (Index r = 0; r < numbers.rows(); ++r) {
    for (Index c = 0; c < numbers.cols(); ++c) {
      hash = (hash ^ std::bit_cast<std::uint32_t>(numbers(r, c))) * 0x100000001b3u;
    }
  }
  char text[24];
  std::snprintf(text, sizeof text, "bits %08x", static_cast<unsigned>(hash ^ (hash >> 32)));
  return text;
}

/// One benchmark: what ours does, against what, and how much work that is.
class Trial {
 public:
  /// `isa`: whose kernels ours are.
  Trial(benchmark::State& state, Isa isa, std::function<void()> ours, Clock clock = Clock::thread)
      : state_(state), isa_(isa), contest_(std::move(ours), clock) {}

  /// Ours does `amount` of something in a call: a rate of that name.
  void work(const char* name, double amount) { counts_.push_back({name, amount}); }

  /// Ours does `flops` operations in a call: FLOP, and, unless it is the reference, peak%.
  void flops(double flops) { share_of("FLOP", flops, fma_probe(isa_)); }
  /// The same of integers: OP.
  void integer_operations(double operations) {
    share_of("OP", operations, integer_dot_probe(isa_));
  }

  /// Ours reads `memory` in a call: B, the level that holds it, and peak%, the share of the rate at
  /// which these very bytes can be read, by all of the executor's threads at once.
  void reads(std::vector<std::span<const std::byte>> memory, Executor& executor) {
    Index bytes = 0;
    for (const auto part : memory) bytes += static_cast<Index>(part.size());
    work("B", static_cast<double>(bytes));
    label(level_of(bytes).name);
    const Index passes = passes_over(bytes);
    for (const Reader read : readers(isa_)) {
      peaks_.push_back({contest_.add([read, memory, passes, &executor] {
                          for (const auto part : memory) {
                            read_by_all(executor, read, part, passes);
                          }
                        }),
                        1.0 / static_cast<double>(passes)});
    }
  }

  /// Ours treats `elements` in a call: the time of one.
  void elements(Index elements) { elements_ = static_cast<double>(elements); }

  /// How many times faster ours is than `peer`, counter `name`. A peer is compiled for this
  /// machine, so only the fastest kernels that run here are compared with it.
  void peer(const char* name, std::function<void()> peer) {
    if (isa_ != kernels::best_table().isa) return;
    peers_.push_back({name, contest_.add(std::move(peer))});
  }

  /// Behind the benchmark's figures.
  void label(const std::string& text) { label_ += (label_.empty() ? "" : ", ") + text; }

  /// Runs everything, at least `rounds` times, and tells the state.
  void run(int rounds = 1) {
    for (auto _ : state_) {
      contest_.run(rounds);
      state_.SetIterationTime(contest_.seconds());
    }
    using benchmark::Counter;
    for (const auto& [name, amount] : counts_) {
      state_.counters[name] = Counter(amount, Counter::kIsRate);
    }
    if (elements_ > 0) state_.counters["ns/element"] = contest_.seconds() * 1e9 / elements_;
    double share = peaks_.empty() ? 0 : 1e9;
    for (const auto& [contestant, calls] : peaks_) {
      share = std::min(share, calls * contest_.times_ours(contestant));
    }
    if (share > 0) state_.counters["peak%"] = 100 * share;
    for (const auto& [name, contestant] : peers_) {
      state_.counters[name] = contest_.times_ours(contestant);
    }
  }
  /// The results' bits go behind the figures as well; after run().
  void result(MatrixView<const float> numbers) { label(bits_of(numbers)); }

  ~Trial() { state_.SetLabel(label_); }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

 private:
  struct Count {
    const char* name;
    double amount;
  };
  struct PeakOf {
    std::size_t contestant;
    double calls;  ///< of the contestant, that are as much work as one of ours
  };
  struct Peer {
    const char* name;
    std::size_t contestant;
  };

  void share_of(const char* name, double amount, const std::optional<Probe>& peak) {
    work(name, amount);
    if (!peak) return;
    const auto rounds = static_cast<Index>(2e7 / peak->operations);
    peaks_.push_back({contest_.add([run = peak->run, rounds] { run(rounds); }),
                      amount / (peak->operations * static_cast<double>(rounds))});
  }

  benchmark::State& state_;
  Isa isa_;
  Contest contest_;
  std::vector<Count> counts_;
  std::vector<PeakOf> peaks_;
  std::vector<Peer> peers_;
  double elements_ = 0;
  std::string label_;
};

/// A benchmark by name, "what/isa/shape".
template <class Function>
void add(const std::string& name, Function function) {
  benchmark::RegisterBenchmark(name.c_str(), function)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

/// The sets of kernels that run here, none faster than `most`, fastest first.
inline std::vector<Isa> isas_up_to(Isa most) {
  std::vector<Isa> isas;
  for (auto isa = std::rbegin(all_isas); isa != std::rend(all_isas); ++isa) {
    if (kernels::allowed(*isa, most) && kernels::find_table(*isa)) isas.push_back(*isa);
  }
  return isas;
}

/// What EIGENFORMER_ISA says, or the fastest; ends the program at an unknown word.
inline Isa isa_from_environment() {
  const char* const word = std::getenv("EIGENFORMER_ISA");
  if (!word || !*word) return fastest_isa;
  if (const auto isa = isa_from_name(word)) return *isa;
  std::string words;
  for (const Isa isa : all_isas) words += (words.empty() ? "" : ", ") + std::string(name(isa));
  std::fprintf(stderr, "EIGENFORMER_ISA: expected one of %s, got \"%s\"\n", words.c_str(), word);
  std::exit(2);
}

/// "143.1 GFLOP/s".
inline std::string rate_text(double rate, const char* unit) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g G%s/s", rate * 1e-9, unit);
  return text;
}

/// Measures the machine, for the head of the report, and warns if it is busy.
inline void describe_machine(Isa most) {
  using benchmark::AddCustomContext;
  std::string flags, caches, fma, dot, reading;
  for (const char* const flag : {"avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni",
                                 "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16", "asimd"}) {
    if (has_cpu_flag(flag)) flags += std::string(flags.empty() ? "" : " ") + flag;
  }
  const auto append = [](std::string& line, const std::string& name, const std::string& value) {
    line += (line.empty() ? "" : ", ") + name + " " + value;
  };
  double jitter = 0;
  for (const Isa isa : isas_up_to(most)) {
    const auto probe = fma_probe(isa);
    if (!probe) continue;
    const Peak peak = measure(*probe);
    jitter = std::max(jitter, peak.jitter);
    append(fma, probe->name, rate_text(peak.rate, "FLOP"));
  }
  for (const Probe& probe : integer_dot_probes()) {
    append(dot, probe.name, rate_text(measure(probe).rate, "OP"));
  }
  const Isa isa = kernels::best_table(most).isa;
  for (std::size_t level = 0; level < 3; ++level) {  // behind them, bench_peak looks
    append(caches, levels()[level].name, std::to_string(levels()[level].bytes >> 10) + "K");
    append(reading, levels()[level].name, rate_text(read_rate(isa, level, Pages::huge), "B"));
  }
  AddCustomContext("cpu", cpu_info("model name") + ": " + flags);
  AddCustomContext("caches", caches);
  AddCustomContext("kernels", name(isa));
  AddCustomContext("peaks of one thread, multiply-add", fma);
  AddCustomContext("peaks of one thread, int8 dot", dot);
  AddCustomContext("peaks of one thread, reading (huge pages)", reading);
  if (load_per_core() > 0.5 || jitter > 0.05) {
    std::fprintf(
        stderr,
        "***WARNING*** The machine is busy (load %.2f a core, %.0f %% jitter): trust ratios, "
        "not times, and repeat.\n",
        load_per_core(), 100 * jitter);
  }
}

/// What main() of a benchmark program does; `register_all(isa)` adds the benchmarks.
inline int run(int argc, char** argv, void (*register_all)(Isa most)) {
  const Isa most = isa_from_environment();
  // A Trial repeats by itself, so the time to spend is told to it, and 0 to Google Benchmark.
  const std::string option = "--benchmark_min_time=";
  std::string once = option + "0";
  std::vector<char*> arguments;
  for (int i = 0; i < argc; ++i) {
    if (std::string(argv[i]).rfind(option, 0) == 0) {
      seconds_each = std::atof(argv[i] + option.size());
    } else {
      arguments.push_back(argv[i]);
    }
  }
  arguments.push_back(once.data());
  argc = static_cast<int>(arguments.size());
  benchmark::Initialize(&argc, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(argc, arguments.data())) return 1;
  describe_machine(most);
  register_all(most);
  const std::size_t ran = benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ran > 0 ? 0 : 1;
}

}  // namespace eigenformer::bench
