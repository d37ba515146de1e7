// SPDX-License-Identifier: MIT
// Products y = x W^T + b, as the layers call them: many rows against the peak of multiply-adds, one
// row against the rate at which the weights can be read from where they are.
#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "support/eigen_peer.hpp"
#include "support/report.hpp"

namespace eigenformer::bench {
namespace {

/// rows x inputs x outputs, with `matrices` of that shape in turn: so many that they live where
/// they should.
struct Shape {
  Index rows, inputs, outputs, matrices = 1, threads = 1;

  std::string text() const {
    std::string shape =
        std::to_string(rows) + "x" + std::to_string(inputs) + "x" + std::to_string(outputs);
    if (matrices > 1) shape += "x" + std::to_string(matrices);
    return threads == 1 ? shape : shape + "/threads:" + std::to_string(threads);
  }
};

/// Kept from one benchmark to the next, which often wants the same.
const Matrix<float>& weights_for(const Shape& shape) {
  static Matrix<float> weights;
  if (weights.rows() != shape.outputs || weights.cols() != shape.inputs) {
    weights = random_matrix(shape.outputs, shape.inputs, 2);
  }
  return weights;
}

void product(benchmark::State& state, Isa isa, Storage storage, const Shape& shape) {
  const Matrix<float> x = random_matrix(shape.rows, shape.inputs, 1), &plain = weights_for(shape);
  const WeightMatrix<float> packed(plain, storage);
  if (!affordable(shape.matrices * static_cast<Index>(packed.bytes()))) {
    return state.SkipWithError("too little memory");
  }
  const std::vector<WeightMatrix<float>> weights(static_cast<std::size_t>(shape.matrices), packed);
  const Matrix<float> bias = random_matrix(1, shape.outputs, 3);
  Matrix<float> y(shape.rows, shape.outputs), peers(shape.rows, shape.outputs);
  ThreadPool pool(shape.threads);
  Context context = make_context(pool, isa);
  Trial trial(
      state, isa,
      [&] {
        for (const auto& weight : weights) {
          kernels::matmul(context, x.view(), weight, bias.data(), y);
        }
      },
      shape.threads == 1 ? Clock::thread : Clock::wall);

  const double flops = 2.0 * static_cast<double>(shape.matrices * plain.size() * shape.rows);
  if (shape.rows > 1 && storage == Storage::int8) {
    trial.integer_operations(flops);
  } else if (shape.rows > 1) {
    trial.flops(flops);
  } else {
    std::vector<std::span<const std::byte>> memory;
    for (const auto& weight : weights) {
      memory.push_back({weight.panel(0), weight.panel(weight.panels())});
    }
    trial.reads(memory, pool);
  }
  // Eigen has no product with 16-bit weights, and many plain matrices would not fit beside ours.
  if (storage == Storage::f32 && shape.matrices == 1 && shape.threads == 1) {
    const eigen_peer::Linear linear{x.data(),   plain.data(), bias.data(),  peers.data(),
                                    shape.rows, shape.inputs, shape.outputs};
    trial.peer("x_eigen", [linear] { eigen_peer::linear(linear); });
  }
  trial.run();
  trial.result(y);
}

void register_all(Isa most) {
  const std::vector<Shape> shapes = {
      // A layer's products for 256 tokens, for fewer, for the rows of a beam search.
      {256, 512, 512},
      {256, 512, 2048},
      {256, 2048, 512},
      {32, 512, 512},
      {6, 512, 512},
      {4, 512, 512},
      // One token: in L1, in L2, a layer's in L3, a vocabulary's.
      {1, 96, 96},
      {1, 512, 512},
      {1, 512, 2048, 8},
      {1, 512, 53017},
  };
  const Isa fastest = kernels::best_table(most).isa;
  for (const Isa isa : isas_up_to(most)) {
    for (const Shape& shape : shapes) {
      for (const Storage storage : all_storages) {
        // The slow ones are there to be equal: the smallest shape with several rows will do.
        const bool slow =
            isa <= Isa::portable && (isa == Isa::reference || storage != Storage::f32);
        if (slow && shape.rows != 6) continue;
        add(std::string("product/") + name(isa) + "/" + name(storage) + "/" + shape.text(),
            [=](auto& state) { product(state, isa, storage, shape); });
      }
    }
  }
  // Twice the last cache, so that every byte comes from memory.
  const Index bytes = 2 * levels()[2].bytes;
  for (const Storage storage : {Storage::f32, Storage::bf16, Storage::int8}) {
    const WeightMatrix<float> panel(16, 512, storage);
    const Index each = panel.panel_bytes() * divide_up(53017, 16);
    const Index matrices = divide_up(bytes, each), cores = usable_processors();
    std::vector<Shape> rows;
    if (matrices > 1) rows.push_back({1, 512, 53017, matrices});
    if (cores > 1) {  // all of them at once: 4 MB and more
      rows.push_back({1, 2048, 2048, 1, cores});
      rows.push_back({1, 512, 53017, 1, cores});
      if (matrices > 1) rows.push_back({1, 512, 53017, matrices, cores});
    }
    for (const Shape& shape : rows) {
      add(std::string("product/") + name(fastest) + "/" + name(storage) + "/" + shape.text(),
          [=](auto& state) { product(state, fastest, storage, shape); });
    }
  }
}

}  // namespace
}  // namespace eigenformer::bench

int main(int argc, char** argv) {
  return eigenformer::bench::run(argc, argv, eigenformer::bench::register_all);
}
