// SPDX-License-Identifier: MIT
// Prints one line a kernel: its name, and a hash of the bits that it computes from fixed inputs.
// The lines are the same for every instruction set that runs here (or the program says which
// differs and fails), for every compiler and flag that it is built with, and on every machine:
// CMakeLists.txt builds it in many ways, expected.txt has the lines.
//
//     fingerprint [operations]    only what is entered through kernels/operations.hpp
//
// Headers alone, never eigenformer::compiled: the flags are to reach the kernels.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "eigenformer/core/aligned_buffer.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/kernels/attention.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/kernels/reference/math64.hpp"
#include "harness.hpp"

#if defined(FINGERPRINT_FLUSHES)
extern "C" void fingerprint_load_fast_math();
#endif

namespace fingerprint {
namespace {

/// y = kernel(x) of all kinds and sizes.
template <class Kernel>
void map_all(Hash& hash, Kernel kernel) {
  for (const Kind kind : kinds) {
    for (const Index n : sizes) {
      const Floats x = floats(kind, static_cast<std::uint64_t>(n), n);
      Floats y(x.size());
      kernel(x.data(), y.data(), n);
      hash.add_all(y);
    }
  }
}

/// And of one float in 262,139.
template <class Kernel>
void map_walk(Hash& hash, Kernel kernel) {
  Floats x, y;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 262139) {
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  y.resize(x.size());
  kernel(x.data(), y.data(), static_cast<Index>(x.size()));
  hash.add_all(y);
  map_all(hash, kernel);
}

void functions(Report& report) {
  for (int a = 0; a < activations; ++a) {
    report.kernel(name(static_cast<Activation>(a)), [a](Hash& hash, const KernelTable& table) {
      map_walk(hash, table.activation[a]);
    });
  }
  report.kernel("exp", [](Hash& hash, const KernelTable& t) { map_walk(hash, t.exp); });
  report.kernel("erf", [](Hash& hash, const KernelTable& t) { map_walk(hash, t.erf); });
}

void element_by_element(Report& report) {
  const auto other = [](Index n) { return floats(Kind::special, 99, n); };
  report.kernel("add", [&](Hash& hash, const KernelTable& t) {
    map_all(hash, [&](const float* x, float* y, Index n) { t.add(x, other(n).data(), y, n); });
  });
  report.kernel("multiply", [&](Hash& hash, const KernelTable& t) {
    map_all(hash, [&](const float* x, float* y, Index n) { t.multiply(x, other(n).data(), y, n); });
  });
  report.kernel("scale", [](Hash& hash, const KernelTable& t) {
    map_all(hash, [&](const float* x, float* y, Index n) { t.scale(x, 1.7f, y, n); });
  });
  report.kernel("scale_add", [&](Hash& hash, const KernelTable& t) {
    map_all(hash, [&](const float* x, float* y, Index n) {
      t.scale_add(x, 1.7f, other(n).data(), y, n);
    });
  });
}

template <class Narrow>
void widen_all(Hash& hash, void (*widen)(const Narrow*, float*, Index)) {
  std::vector<Narrow> x(65536);
  for (std::size_t i = 0; i < x.size(); ++i) x[i].bits = static_cast<std::uint16_t>(i);
  for (const Index n : {65536, 65533}) {
    Floats y(static_cast<std::size_t>(n));
    widen(x.data(), y.data(), n);
    hash.add_all(y);
  }
}

template <class Narrow>
void narrow_all(Hash& hash, void (*narrow)(const float*, Narrow*, Index)) {
  map_walk(hash, [narrow](const float* x, float* y, Index n) {
    std::vector<Narrow> narrowed(static_cast<std::size_t>(n));
    narrow(x, narrowed.data(), n);
    std::transform(narrowed.begin(), narrowed.end(), y, [](Narrow h) { return to_float(h); });
  });
}

void conversions(Report& report) {
  report.kernel("widen_half",
                [](Hash& hash, const KernelTable& t) { widen_all(hash, t.widen_half); });
  report.kernel("widen_bfloat16",
                [](Hash& hash, const KernelTable& t) { widen_all(hash, t.widen_bfloat16); });
  report.kernel("narrow_half",
                [](Hash& hash, const KernelTable& t) { narrow_all(hash, t.narrow_half); });
  report.kernel("narrow_bfloat16",
                [](Hash& hash, const KernelTable& t) { narrow_all(hash, t.narrow_bfloat16); });
}

void rows(Report& report) {
  const auto norm = [](auto kernel) {
    return [kernel](Hash& hash, const KernelTable& t) {
      map_all(hash, [&](const float* x, float* y, Index n) {
        const Floats weight = floats(Kind::plain, 1, n), bias = floats(Kind::plain, 2, n);
        (t.*kernel)({x, weight.data(), n % 2 ? bias.data() : nullptr, 1e-5f, y, n});
      });
    };
  };
  report.kernel("layer_norm", norm(&KernelTable::layer_norm));
  report.kernel("rms_norm", norm(&KernelTable::rms_norm));
  report.kernel("softmax", [](Hash& hash, const KernelTable& t) { map_all(hash, t.softmax); });
  report.kernel("log_softmax",
                [](Hash& hash, const KernelTable& t) { map_all(hash, t.log_softmax); });
  report.kernel("log_sum_exp", [](Hash& hash, const KernelTable& t) {
    map_all(hash, [&](const float* x, float* y, Index n) {
      const kernels::LogSumExp sum = t.log_sum_exp(x, n);
      std::fill(y, y + n, sum.max);
      y[0] = sum.log_sum;
    });
  });
}

/// [outputs, inputs] of numbers, packed.
WeightMatrix<float> weights(Kind kind, Index outputs, Index inputs, Storage storage) {
  const Floats w = floats(kind, 5, outputs * inputs);
  return WeightMatrix<float>(MatrixView<const float>(w.data(), outputs, inputs), storage);
}

void products(Report& report) {
  for (const Storage storage : {Storage::f32, Storage::f16, Storage::bf16}) {
    const auto compute = [storage](Hash& hash, const KernelTable& table) {
      const auto product = [&](Kind kind, Index count, Index inputs, Index outputs) {
        const WeightMatrix<float> weight = weights(kind, outputs, inputs, storage);
        const Floats x = floats(kind, 6, count * inputs), bias = floats(kind, 7, outputs);
        Floats out(static_cast<std::size_t>(count * outputs));
        table.product[static_cast<int>(storage)]({x.data(), inputs, count, inputs, weight.panel(0),
                                                  inputs % 2 ? bias.data() : nullptr, outputs,
                                                  out.data(), outputs});
        hash.add_all(out);
      };
      for (const Kind kind : kinds) {
        for (const Index count : {1, 2, 3, 5, 6, 7, 13}) {
          for (const Index inputs : {1, 2, 16, 33}) product(kind, count, inputs, 70);
          for (const Index outputs : {1, 15, 16, 17, 64, 150}) product(kind, count, 19, outputs);
        }
        product(kind, 4, 300, 40);
      }
    };
    report.kernel(std::string("product_") + name(storage), compute);
  }
}

/// One head, and how it is attended to.
struct Head {
  Index queries, keys, d_head;
  AttentionScope scope = AttentionScope::all();
  bool with_bias = false;
};
constexpr Head heads[] = {{1, 1, 1},
                          {5, 17, 8, AttentionScope::causal()},
                          {6, 64, 16},
                          {7, 65, 20, AttentionScope::window(40), true},
                          {13, 130, 33, AttentionScope::causal(), true},
                          {48, 200, 64},
                          {20, 130, 16, {.back = 5, .ahead = 70}}};

void add_attention(Hash& hash, const KernelTable& table, Kind kind, const Head& head) {
  const Index d = head.d_head;
  const Floats q = floats(kind, 8, head.queries * d), k = floats(kind, 9, head.keys * d);
  const Floats v = floats(kind, 10, head.keys * d), bias = floats(Kind::plain, 11, 801);
  std::vector<AlignedBuffer<float>> blocks;
  std::vector<const float*> pointers;
  for (Index key = 0; key < head.keys; key += lanes) {
    blocks.emplace_back(kernels::block_floats(d));
    table.pack_block({k.data() + key * d, d, v.data() + key * d, d,
                      std::min(lanes, head.keys - key), d, blocks.back().data()});
    hash.add_all(blocks.back());
  }
  for (const auto& block : blocks) pointers.push_back(block.data());
  AlignedBuffer<float> scratch(kernels::attention_scratch(d)), out(head.queries * d);
  std::vector<kernels::AttentionStatistics> statistics(static_cast<std::size_t>(head.queries));
  kernels::AttentionTile tile{};
  tile.query = q.data();
  tile.query_stride = tile.out_stride = tile.d_head = d;
  tile.queries = head.queries;
  tile.blocks = pointers.data();
  tile.keys = head.keys;
  tile.first_position = std::max<Index>(0, head.keys - head.queries);
  tile.back = head.scope.back;
  tile.ahead = head.scope.ahead;
  tile.scale = 0.7f;
  tile.bias = head.with_bias ? bias.data() + 400 : nullptr;
  tile.out = out.data();
  tile.statistics = statistics.data();
  tile.scratch = scratch.data();
  table.attention(tile);
  hash.add_all(out);
  for (const auto& s : statistics) {
    hash.add(s.max);
    hash.add(s.sum);
  }
}

void attention(Report& report) {
  report.kernel("attention", [](Hash& hash, const KernelTable& table) {
    for (const Kind kind : kinds) {
      for (const Head& head : heads) add_attention(hash, table, kind, head);
    }
  });
}

/// sum(function(x)), all within one function, as in a caller whose compiler has inlined it: where
/// the function ends in a product, the compiler may fuse that with the sum and round once.
template <class Number, class Function, class Sum>
__attribute__((flatten)) void add_sums(Hash& hash, const std::vector<Number>& x, Function function,
                                       Sum sum) {
  std::vector<Number> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = sum(function(x[i]));
  hash.add_all(y);
}

template <class Number, class Function>
void add_function(Hash& hash, const std::vector<Number>& x, Function function) {
  // The least denormal changes which neighbour is the even one where a denormal result is a tie.
  constexpr Number least = std::numeric_limits<Number>::denorm_min();
  add_sums(hash, x, function, [](Number y) { return y; });
  add_sums(hash, x, function, [](Number y) { return y + least; });
  add_sums(hash, x, function, [](Number y) { return 1 - y; });
}

/// Of all sizes, up to 1,000, and those for which exp is denormal.
std::vector<double> doubles() {
  RandomStream stream(12, 0, 0);
  std::vector<double> any, moderate, low;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t high = stream.bits();
    const std::uint64_t bits = (high << 32) | stream.bits();
    const double unit = static_cast<double>(bits >> 11) * 0x1p-53;
    any.push_back(std::bit_cast<double>(bits));
    moderate.push_back(unit * 1000.0);
    low.push_back(std::fma(unit, -38.0, -708.0));
  }
  for (const auto& more : {moderate, low}) any.insert(any.end(), more.begin(), more.end());
  return any;
}

/// All kinds, and those for which exp is denormal.
Floats singles() {
  Floats all;
  for (const Kind kind : kinds) {
    const Floats more = floats(kind, 13, 500);
    all.insert(all.end(), more.begin(), more.end());
  }
  for (const float x : floats(Kind::spread, 14, 500)) all.push_back(std::fma(x, 0.16f, -87.0f));
  return all;
}

void math(Report& report) {
  namespace reference = kernels::reference;
  const std::vector<double> x = doubles();
  const Floats x32 = singles();
  const auto of = [&](const char* name, auto function) {
    report.function(std::string("math64.") + name,
                    [&](Hash& hash) { add_function(hash, x, function); });
  };
  of("log", [](double v) { return reference::log(v); });
  of("exp", [](double v) { return reference::exp(v); });
  of("sin", [](double v) { return reference::sin(v); });
  of("cos", [](double v) { return reference::cos(v); });
  of("pow", [](double v) { return reference::pow(v, 0.37) + reference::pow(10000.0, v); });
  const auto of_float = [&](const char* name, auto function) {
    report.function(std::string("math.") + name,
                    [&](Hash& hash) { add_function(hash, x32, function); });
  };
  of_float("log", [](float v) { return reference::log(v); });
  of_float("sin", [](float v) { return reference::sin(v); });
  of_float("cos", [](float v) { return reference::cos(v); });
  of_float("pow", [](float v) { return reference::pow(10000.0f, v); });
  of_float("exp", [](float v) { return reference::exp(v); });
  of_float("erf", [](float v) { return reference::erf(v); });
  for (int a = 0; a < activations; ++a) {
    const auto activation = static_cast<Activation>(a);
    of_float(name(activation), [=](float v) { return reference::activate(activation, v); });
  }
}

/// operation(context, x) of matrices of all kinds, in place.
template <class Operation>
auto in_place(Operation operation) {
  return [operation](Hash& hash, Context& context) {
    for (const Kind kind : kinds) {
      Matrix<float> x = matrix(kind, 14, 70, 45);
      operation(context, x.view());
      hash.add_all(x);
    }
  };
}

struct WeightsHash final : AttentionObserver {
  explicit WeightsHash(Hash& all) : hash(all) {}
  bool wants(AttentionPlace, Index) const override { return true; }
  void observe(const AttentionRecord& record) override {
    for (Index q = 0; q < record.weights.rows(); ++q) {
      for (Index k = 0; k < record.weights.cols(); ++k) hash.add(record.weights(q, k));
    }
  }
  Hash& hash;
};

void add_ragged_attention(Hash& hash, Context& context, Kind kind) {
  const Batch queries{5, 70, 1}, keys{9, 70, 64};
  const Matrix<float> q = matrix(kind, 15, queries.tokens(), 4 * 12);
  const Matrix<float> k = matrix(kind, 16, keys.tokens(), 2 * 12);
  const Matrix<float> v = matrix(Kind::denormal, 17, keys.tokens(), 2 * 12);
  Matrix<float> out(queries.tokens(), 4 * 12);
  const kernels::Attention<float> in{.queries = q.view(),
                                     .keys = k.view(),
                                     .values = v.view(),
                                     .query_batch = queries,
                                     .key_batch = keys,
                                     .heads = 4,
                                     .kv_heads = 2,
                                     .scope = AttentionScope::causal(),
                                     .scale = 0.7f};
  WeightsHash watcher(hash);
  context.watch(watcher);
  kernels::attention(context, in, out);
  context.unwatch();
  hash.add_all(out);
}

/// Entered as programs enter the kernels: whatever the thread's floating-point modes are.
void operations(Report& report) {
  static const Floats gain = floats(Kind::plain, 18, 45), offset = floats(Kind::denormal, 19, 45);
  for (const Storage storage : all_storages) {
    report.operation(std::string("matmul_") + name(storage), [=](Hash& hash, Context& context) {
      for (const Kind kind : kinds) {
        const Matrix<float> x = matrix(kind, 20, 100, 9);
        Matrix<float> w = matrix(Kind::plain, 21, 270, 9), out(100, 270);
        w.middleRows(90, 90) = matrix(Kind::denormal, 22, 90, 9);
        kernels::matmul(context, x.view(), WeightMatrix<float>(w, storage), nullptr, out);
        hash.add_all(out);
      }
    });
  }
  using View = MatrixView<float>;
  report.operation("layer_norm", in_place([](Context& c, View x) {
                     kernels::layer_norm(c, x, {gain.data(), offset.data(), 1e-5f}, x);
                   }));
  report.operation("rms_norm", in_place([](Context& c, View x) {
                     kernels::rms_norm(c, x, {gain.data(), nullptr, 1e-38f}, x);
                   }));
  for (int a = 0; a < activations; ++a) {
    const auto activation = static_cast<Activation>(a);
    report.operation(name(activation), in_place([activation](Context& c, View x) {
                       kernels::activate(c, activation, x);
                     }));
  }
  report.operation("softmax", in_place([](Context& c, View x) { kernels::softmax(c, x); }));
  report.operation("log_softmax", in_place([](Context& c, View x) { kernels::log_softmax(c, x); }));
  report.operation("add", in_place([](Context& c, View x) { kernels::add(c, x, x); }));
  report.operation("multiply", in_place([](Context& c, View x) { kernels::multiply(c, x, x); }));
  report.operation("scale", in_place([](Context& c, View x) { kernels::scale(c, x, 1e-38f, x); }));
  report.operation("add_scaled",
                   in_place([](Context& c, View x) { kernels::add_scaled(c, x, 1e-38f, x); }));
  report.operation("attention", [](Hash& hash, Context& context) {
    for (const Kind kind : kinds) add_ragged_attention(hash, context, kind);
  });
}

/// Whether this thread's arithmetic makes zeros of denormals.
bool flushes_denormals() {
  const volatile float small = 0x1p-100f;
  const volatile float product = small * 0x1p-30f;
  return product == 0.0f;
}

}  // namespace
}  // namespace fingerprint

int main(int count, char** arguments) {
  using namespace fingerprint;
#if defined(FINGERPRINT_FLUSHES)
  fingerprint_load_fast_math();
  if (!flushes_denormals()) {
    std::cerr << "the shared object did not set the modes that this is about\n";
    return 1;
  }
#endif
  Report report;
  const bool all = count < 2 || std::string_view(arguments[1]) != "operations";
  std::cerr << "up to " << report.fastest()
            << (flushes_denormals() ? "; denormals are flushed to zero\n" : "\n");
  if (all) {
    functions(report);
    element_by_element(report);
    conversions(report);
    rows(report);
    products(report);
    attention(report);
    math(report);
  }
  operations(report);
  return report.failures() == 0 ? 0 : 1;
}
