// SPDX-License-Identifier: MIT
/// What the machine can do, for a profile to compare with.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <string>
#include <vector>

#include "eigenformer/core/profile.hpp"
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/kernels/dispatch.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/pipelines/translation.hpp"

namespace program {

using eigenformer::Index;
using eigenformer::Profile;
using eigenformer::Storage;

/// What one thread of the machine does at best while the others do the same, measured by the
/// kernels themselves. Bytes and operations a nanosecond are 10^9 a second.
struct MachineRates {
  Index weight_bytes = 0;  ///< of the weights that `memory` was measured on
  double memory = 0;       ///< bytes of such weights, read by products of one row
  double cache = 0;        ///< bytes of rows of 1,024 floats that are added
  std::array<double, std::size(eigenformer::all_storages)> operations{};  ///< 0: storage not used

  /// The least time that the work takes, in nanoseconds.
  double least(const Profile::Work& work, Storage storage) const {
    const double peak = operations[static_cast<std::size_t>(storage)];
    return std::max({static_cast<double>(work.memory) / memory,
                     static_cast<double>(work.activations) / cache,
                     peak > 0 ? static_cast<double>(work.operations) / peak : 0.0});
  }
};

namespace detail {

using Clock = std::chrono::steady_clock;

inline double nanoseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

/// The best rate of a function that does `amount`, in about `milliseconds`.
template <class Function>
double best_rate(double amount, int milliseconds, Function function) {
  const auto begin = Clock::now();
  double best = 0;
  do {
    const auto call = Clock::now();
    function();
    best = std::max(best, amount / nanoseconds_since(call));
  } while (Clock::now() - begin < std::chrono::milliseconds(milliseconds));
  return best;
}

/// The mean of rate(), called on each thread of the pool at once.
template <class Rate>
double mean_rate(eigenformer::ThreadPool& pool, Rate rate) {
  std::vector<double> rates(static_cast<std::size_t>(pool.workers()));
  pool.run(pool.workers(), [&](Index thread, Index) {
    const eigenformer::FloatingPointGuard guard;
    rates[static_cast<std::size_t>(thread)] = rate();
  });
  double sum = 0;
  for (const double of_thread : rates) sum += of_thread;
  return sum / static_cast<double>(rates.size());
}

/// Calls a second, in 10^9, of a product of `rows` rows and `weight`.
inline double product_rate(eigenformer::Isa isa, Index rows,
                           const eigenformer::WeightMatrix<float>& weight, int milliseconds) {
  using namespace eigenformer;
  Context context = make_context(isa);
  const Matrix<float> x = Matrix<float>::Ones(rows, weight.inputs());
  Matrix<float> y(rows, weight.outputs());
  const Rows<float> in = kernels::with_twin(context, x, weight.storage());
  return best_rate(1.0, milliseconds, [&] { kernels::matmul(context, in, weight, nullptr, y); });
}

/// Bytes a nanosecond, read and written, of rows that are added.
inline double add_rate(eigenformer::Isa isa) {
  constexpr Index features = 1024, calls = 100;
  std::vector<float> x(features), y(features);
  const auto add = eigenformer::kernels::best_table(isa).add;
  return best_rate(double{calls * 3 * features * sizeof(float)}, 10, [&] {
    for (Index i = 0; i < calls; ++i) add(y.data(), x.data(), y.data(), features);
  });
}

/// Bytes of memory that a call of each pass of that name has to read, all passes within it
/// included.
inline Index memory_of_a_call(const Profile& profile, const std::string& name) {
  const auto& passes = profile.passes();
  std::vector<Index> memory(passes.size());
  Index bytes = 0, calls = 0;
  for (std::size_t p = passes.size(); p-- > 0;) {
    memory[p] += passes[p].work.memory;
    if (passes[p].parent >= 0) memory[static_cast<std::size_t>(passes[p].parent)] += memory[p];
    if (name != passes[p].name) continue;
    bytes += memory[p];
    calls += passes[p].calls;
  }
  return bytes / std::max<Index>(calls, 1);
}

}  // namespace detail

/// Measured in 0.2 s or so. The weights are as many as a step of decoding reads, up to 64 MB, so
/// that they come from where the model's come from.
inline MachineRates measure_machine(const Profile& profile,
                                    const eigenformer::TranslatorOptions& options) {
  using namespace eigenformer;
  constexpr Index inputs = 512, row_bytes = inputs * Index{sizeof(float)}, rows = 96;
  const Isa isa = options.isa;
  ThreadPool pool(options.threads);
  const Index step =
      detail::memory_of_a_call(profile, "decoder") + detail::memory_of_a_call(profile, "output");
  const Index outputs = std::clamp<Index>(step, 1 << 20, 64'000'000) / row_bytes / lanes * lanes;
  const WeightMatrix<float> weights(outputs, inputs);
  MachineRates out{outputs * row_bytes};
  out.memory = static_cast<double>(out.weight_bytes) *
               detail::mean_rate(pool, [&] { return detail::product_rate(isa, 1, weights, 60); });
  out.cache = detail::mean_rate(pool, [&] { return detail::add_rate(isa); });
  for (const Storage storage : all_storages) {
    const bool used = storage == Storage::f32 ||
                      std::any_of(profile.passes().begin(), profile.passes().end(),
                                  [&](const auto& pass) { return pass.storage == storage; });
    if (!used) continue;
    const WeightMatrix<float> weight(512, inputs, storage);
    out.operations[static_cast<std::size_t>(storage)] =
        2.0 * rows * inputs * 512 *
        detail::mean_rate(pool, [&] { return detail::product_rate(isa, rows, weight, 25); });
  }
  return out;
}

}  // namespace program
