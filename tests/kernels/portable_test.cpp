// SPDX-License-Identifier: MIT
// The kernels without fused multiply-add against the reference: to a tolerance, the only ones of
// which no exact bits are promised.
#include <algorithm>

#include "eigenformer/core/aligned_buffer.hpp"
#include "eigenformer/core/attention_scope.hpp"
#include "eigenformer/core/weight_matrix.hpp"
#include "support/bits.hpp"
#include "support/ulps.hpp"

namespace eigenformer::test {
namespace {

using kernels::KernelTable;

const KernelTable& reference() { return *kernels::find_table(Isa::reference); }
const KernelTable& portable() { return *kernels::find_table(Isa::portable); }

/// Half an ulp of 1: what one rounding may change, relatively.
constexpr float rounding = 0x1p-24f;

::testing::AssertionResult close(float expected, float got, float allowed) {
  if (same_bits(expected, got) || std::fabs(got - expected) <= allowed) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << "expected " << expected << ", got " << got << ", allowed " << allowed;
}

using Function = void (*)(const float*, float*, Index);

/// One float in 9,973 through both, and f(x, expected, got).
template <class Check>
void over_all_floats(Function of_reference, Function of_portable, Check check) {
  std::vector<float> x;
  for_each_float(9973, [&](float value) { x.push_back(value); });
  std::vector<float> expected(x.size()), got(x.size());
  of_reference(x.data(), expected.data(), static_cast<Index>(x.size()));
  of_portable(x.data(), got.data(), static_cast<Index>(x.size()));
  for (std::size_t i = 0; i < x.size(); ++i) check(x[i], expected[i], got[i]);
}

TEST(Portable, ExpErfTanhSigmoid) {
  const auto within_ulps = [](float x, float expected, float got) {
    if (std::isnan(expected) && std::isnan(got)) return;
    // Where exp(-x) overflows, a sigmoid under 3e-39 is 0 or is not.
    if (x < -88.7f && x > -88.8f && got < 3e-39f && expected < 3e-39f) return;
    ASSERT_LE(ulps(got, expected), 4)
        << "x = " << x << ": expected " << expected << ", got " << got;
  };
  over_all_floats(reference().exp, portable().exp, within_ulps);
  over_all_floats(reference().erf, portable().erf, within_ulps);
  for (const Activation a : {Activation::tanh, Activation::sigmoid}) {
    const int i = static_cast<int>(a);
    over_all_floats(reference().activation[i], portable().activation[i], within_ulps);
  }
}

TEST(Portable, ActivationsThatMultiply) {
  for (const Activation a : {Activation::relu, Activation::gelu, Activation::gelu_tanh,
                             Activation::quick_gelu, Activation::silu}) {
    const int i = static_cast<int>(a);
    over_all_floats(reference().activation[i], portable().activation[i],
                    [a](float x, float expected, float got) {
                      ASSERT_TRUE(close(expected, got, 4 * rounding * std::fabs(x)))
                          << name(a) << " of " << x;
                    });
  }
}

/// The same for every size around the vector's, from a misaligned start, and nothing beyond.
TEST(Portable, FunctionsOfEverySize) {
  for (int a = 0; a < activations + 2; ++a) {
    const auto of = [a](const KernelTable& table) {
      return a < activations ? table.activation[a] : a == activations ? table.exp : table.erf;
    };
    for (const Index n : interesting_sizes()) {
      const auto x = random_floats(n + 1, 7, 3.0f);
      std::vector<float> expected(x.size() + 1, -7.0f), got(x.size() + 1, -7.0f);
      of(reference())(x.data() + 1, expected.data() + 1, n);
      of(portable())(x.data() + 1, got.data() + 1, n);
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_TRUE(close(expected[i], got[i], 1e-6f * std::max(1.0f, std::fabs(expected[i]))))
            << "function " << a << ", size " << n;
      }
    }
  }
}

TEST(Portable, AddMultiplyScaleAreExact) {
  for (const Index n : interesting_sizes()) {
    const auto a = mixed_floats(n, 1, 5), b = mixed_floats(n, 2, 7);
    std::vector<float> expected(a.size() + 1, 9.0f), got(a.size() + 1, 9.0f);
    reference().add(a.data(), b.data(), expected.data(), n);
    portable().add(a.data(), b.data(), got.data(), n);
    ASSERT_TRUE(same_bits(expected, got));
    reference().multiply(a.data(), b.data(), expected.data(), n);
    portable().multiply(a.data(), b.data(), got.data(), n);
    ASSERT_TRUE(same_bits(expected, got));
    reference().scale(a.data(), 1.7f, expected.data(), n);
    portable().scale(a.data(), 1.7f, got.data(), n);
    ASSERT_TRUE(same_bits(expected, got));
  }
}

TEST(Portable, ScaleAdd) {
  for (const Index n : interesting_sizes()) {
    const auto a = random_floats(n, 1), b = random_floats(n, 2);
    std::vector<float> expected(a.size() + 1, 9.0f), got(a.size() + 1, 9.0f);
    reference().scale_add(a.data(), 1.7f, b.data(), expected.data(), n);
    portable().scale_add(a.data(), 1.7f, b.data(), got.data(), n);
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_TRUE(
          close(expected[i], got[i], 2 * rounding * (std::fabs(a[i] * 1.7f) + std::fabs(b[i]))));
    }
    ASSERT_EQ(got.back(), 9.0f);
  }
}

TEST(Portable, Products) {
  for (const Storage storage : {Storage::f32, Storage::f16, Storage::bf16}) {
    const auto check = [storage](Index rows, Index inputs, Index outputs) {
      const auto w = random_floats(outputs * inputs, 1), x = random_floats(rows * inputs, 2);
      const auto bias = random_floats(outputs, 3);
      const WeightMatrix<float> weight(MatrixView<const float>(w.data(), outputs, inputs), storage);
      const auto run = [&](const KernelTable& table) {
        std::vector<float> out(static_cast<std::size_t>(rows * outputs + 1), 5.0f);
        table.product[static_cast<int>(storage)]({x.data(), inputs, rows, inputs, weight.panel(0),
                                                  bias.data(), outputs, out.data(), outputs});
        return out;
      };
      const auto expected = run(reference()), got = run(portable());
      for (Index r = 0; r < rows; ++r) {
        for (Index o = 0; o < outputs; ++o) {
          // A sum of n products rounds 2 n times instead of n times, no term above the sum of all.
          float size = std::fabs(bias[static_cast<std::size_t>(o)]);
          for (Index i = 0; i < inputs; ++i) {
            size += std::fabs(x[static_cast<std::size_t>(r * inputs + i)] * weight(o, i));
          }
          const auto at = static_cast<std::size_t>(r * outputs + o);
          const float roundings = 3.0f * static_cast<float>(inputs) + 2.0f;
          ASSERT_TRUE(close(expected[at], got[at], roundings * rounding * size))
              << rows << " x " << inputs << " x " << outputs << " " << name(storage);
        }
      }
      ASSERT_EQ(got.back(), 5.0f);
    };
    for (Index rows = 0; rows <= 6; ++rows) check(rows, 37, 70);
    for (Index outputs = 1; outputs <= 70; ++outputs) check(1 + outputs % 3, 11, outputs);
    for (const Index inputs : interesting_sizes()) check(3, inputs, 18);
  }
}

TEST(Portable, Norms) {
  for (const auto kernel : {&KernelTable::layer_norm, &KernelTable::rms_norm}) {
    for (const Index n : interesting_sizes()) {
      if (n == 0) continue;
      const auto x = random_floats(n, 5, 3.0f);
      const auto weight = random_floats(n, 6), bias = random_floats(n, 7);
      std::vector<float> expected(x.size() + 1, 9.0f), got(x.size() + 1, 9.0f);
      (reference().*kernel)({x.data(), weight.data(), bias.data(), 1e-5f, expected.data(), n});
      (portable().*kernel)({x.data(), weight.data(), bias.data(), 1e-5f, got.data(), n});
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_TRUE(close(expected[i], got[i], 2e-6f * std::max(1.0f, std::fabs(expected[i]))))
            << "features " << n;
      }
    }
  }
}

TEST(Portable, Softmax) {
  for (const Index n : interesting_sizes()) {
    const auto x = random_floats(n, 11, 4.0f);
    std::vector<float> expected(x.size() + 1, 9.0f), got(x.size() + 1, 9.0f);
    reference().softmax(x.data(), expected.data(), n);
    portable().softmax(x.data(), got.data(), n);
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(close(expected[i], got[i], 1e-6f * expected[i])) << "softmax of " << n;
    }
    reference().log_softmax(x.data(), expected.data(), n);
    portable().log_softmax(x.data(), got.data(), n);
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(close(expected[i], got[i], 1e-6f * std::max(1.0f, std::fabs(expected[i]))))
          << "log_softmax of " << n;
    }
    const auto one = reference().log_sum_exp(x.data(), n);
    const auto other = portable().log_sum_exp(x.data(), n);
    ASSERT_TRUE(same_bits(one.max, other.max));
    ASSERT_TRUE(close(one.log_sum, other.log_sum, 1e-6f * std::max(1.0f, one.log_sum)));
  }
}

/// A masked row, a NaN and an infinity come to the same.
TEST(Portable, SoftmaxOfSpecialValues) {
  for (const Index n : {1, 15, 16, 17, 40, 1025}) {
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float value : {-infinity, infinity, std::numeric_limits<float>::quiet_NaN()}) {
      for (const bool all : {true, false}) {
        std::vector<float> x(static_cast<std::size_t>(n), all ? value : 0.0f);
        x.back() = value;
        std::vector<float> expected(x.size()), got(x.size());
        reference().softmax(x.data(), expected.data(), n);
        portable().softmax(x.data(), got.data(), n);
        ASSERT_TRUE(same_bits(expected, got)) << n << " x " << value;
      }
    }
  }
}

/// One head: queries, keys, d_head, what they see.
struct Head {
  Index queries, keys, d_head;
  AttentionScope scope = AttentionScope::all();
};

std::vector<float> attend(const KernelTable& table, const Head& head) {
  const auto q = random_floats(head.queries * head.d_head, 20);
  const auto k = random_floats(head.keys * head.d_head, 21);
  const auto v = random_floats(head.keys * head.d_head, 22);
  const auto bias = random_floats(2 * (head.queries + head.keys) + 1, 23);
  std::vector<AlignedBuffer<float>> blocks;
  std::vector<const float*> pointers;
  for (Index key = 0; key < head.keys; key += lanes) {
    const Index at = key * head.d_head;
    blocks.emplace_back(kernels::block_floats(head.d_head));
    table.pack_block({k.data() + at, head.d_head, v.data() + at, head.d_head,
                      std::min(lanes, head.keys - key), head.d_head, blocks.back().data()});
  }
  for (const auto& block : blocks) pointers.push_back(block.data());
  std::vector<float> out(static_cast<std::size_t>(head.queries * head.d_head));
  AlignedBuffer<float> scratch(kernels::attention_scratch(head.d_head));
  kernels::AttentionTile tile{};
  tile.query = q.data();
  tile.query_stride = tile.out_stride = tile.d_head = head.d_head;
  tile.queries = head.queries;
  tile.blocks = pointers.data();
  tile.keys = head.keys;
  tile.first_position = std::max<Index>(0, head.keys - head.queries);
  tile.back = head.scope.back;
  tile.ahead = head.scope.ahead;
  tile.scale = 0.3f;
  tile.bias = bias.data() + bias.size() / 2;
  tile.out = out.data();
  tile.scratch = scratch.data();
  table.attention(tile);
  return out;
}

TEST(Portable, Attention) {
  const auto check = [](const Head& head) {
    const auto expected = attend(reference(), head), got = attend(portable(), head);
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(close(expected[i], got[i], 1e-5f))
          << head.queries << " queries, " << head.keys << " keys, d_head " << head.d_head;
    }
  };
  for (Index queries = 1; queries <= 7; ++queries) {
    for (const Index keys : {1, 15, 16, 17, 63, 64, 65, 130}) {
      check({queries, keys, 8});
      check({queries, keys, 21, AttentionScope::causal()});
      check({queries, keys, 5, AttentionScope::window(20)});
    }
  }
  for (Index d_head = 1; d_head <= 66; ++d_head) check({3, 70, d_head, AttentionScope::causal()});
  check({48, 200, 64, AttentionScope::causal()});
}

TEST(Portable, PacksBlocksExactly) {
  for (Index d_head = 1; d_head <= 40; ++d_head) {
    for (Index count = 0; count <= 16; ++count) {
      const auto k = random_floats(16 * d_head, 1), v = random_floats(16 * d_head, 2);
      AlignedBuffer<float> expected(kernels::block_floats(d_head)), got(expected);
      reference().pack_block({k.data(), d_head, v.data(), d_head, count, d_head, expected.data()});
      portable().pack_block({k.data(), d_head, v.data(), d_head, count, d_head, got.data()});
      ASSERT_TRUE(same_bits(expected.data(), got.data(), expected.size()));
    }
  }
}

}  // namespace
}  // namespace eigenformer::test
