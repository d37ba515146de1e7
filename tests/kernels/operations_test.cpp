// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/operations.hpp"

#include <cfenv>
#include <string>

#include "eigenformer/core/thread_pool.hpp"
#include "eigenformer/kernels/attention.hpp"
#include "support/bits.hpp"

namespace eigenformer::test {
namespace {

/// [rows, cols] of random numbers.
Matrix<float> random_matrix(Index rows, Index cols, std::uint64_t seed) {
  const auto values = random_floats(rows * cols, seed);
  return Matrix<float>(MatrixView<const float>(values.data(), rows, cols));
}

bool equal(const Matrix<float>& a, const Matrix<float>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         same_bits(a.data(), b.data(), static_cast<Index>(a.size()));
}

/// The executors that must not matter, and the kernels with which.
class OperationsThreads : public ::testing::Test {
 protected:
  /// compute(context) gives the same bits on 1, 2, 3 and 4 threads.
  template <class Compute>
  void expect_equal(Compute compute, const std::string& what) {
    Context alone = make_context();
    const Matrix<float> expected = compute(alone);
    for (ThreadPool* const pool : {&two_, &three_, &four_}) {
      Context context = make_context(*pool);
      ASSERT_TRUE(equal(compute(context), expected)) << what << ", " << pool->workers();
    }
  }

 private:
  ThreadPool two_{2}, three_{3}, four_{4};
};

TEST_F(OperationsThreads, Matmul) {
  for (const Storage storage : all_storages) {
    for (const Index rows : {0, 1, 2, 5, 33, 95, 96, 97, 200}) {
      for (const Index outputs : {1, 16, 17, 255, 256, 257, 600}) {
        const Index inputs = 3 + (rows * 7 + outputs) % 40;
        const Matrix<float> x = random_matrix(rows, inputs, 1);
        const WeightMatrix<float> weight(random_matrix(outputs, inputs, 2), storage);
        const auto bias = random_floats(outputs, 3);
        expect_equal(
            [&](Context& context) {
              Matrix<float> out(rows, outputs);
              kernels::matmul(context, x.view(), weight, bias.data(), out);
              return out;
            },
            std::to_string(rows) + " x " + std::to_string(outputs));
      }
    }
  }
}

TEST_F(OperationsThreads, RowByRow) {
  using Operation = void (*)(Context&, MatrixView<float>);
  static const auto weight = random_floats(50, 4), bias = random_floats(50, 5);
  static const Matrix<float> other = random_matrix(100, 50, 6);
  const Operation operations[] = {
      [](Context& c, MatrixView<float> x) {
        kernels::layer_norm(c, x, {weight.data(), bias.data(), 1e-5f}, x);
      },
      [](Context& c, MatrixView<float> x) {
        kernels::rms_norm(c, x, {weight.data(), nullptr, 1e-5f}, x);
      },
      [](Context& c, MatrixView<float> x) { kernels::activate(c, Activation::gelu, x); },
      [](Context& c, MatrixView<float> x) { kernels::softmax(c, x); },
      [](Context& c, MatrixView<float> x) { kernels::log_softmax(c, x); },
      [](Context& c, MatrixView<float> x) {
        kernels::add(c, other.view().middle_rows(0, x.rows()), x);
      },
      [](Context& c, MatrixView<float> x) {
        kernels::multiply(c, other.view().middle_rows(0, x.rows()), x);
      },
  };
  for (std::size_t i = 0; i < std::size(operations); ++i) {
    for (const Index rows : {0, 1, 31, 32, 33, 64, 100}) {
      expect_equal(
          [&](Context& context) {
            Matrix<float> x = random_matrix(rows, 50, 7);
            operations[i](context, x);
            return x;
          },
          "operation " + std::to_string(i) + ", rows " + std::to_string(rows));
    }
  }
}

/// Queries, keys and values of a ragged batch, and how they are attended.
struct RaggedBatch {
  Batch queries, keys;
  Index heads = 4, kv_heads = 2, d_head = 12;
  AttentionScope scope = AttentionScope::all();
  bool with_bias = false;

  Matrix<float> q = random_matrix(queries.tokens(), heads* d_head, 20);
  Matrix<float> k = random_matrix(keys.tokens(), kv_heads* d_head, 21);
  Matrix<float> v = random_matrix(keys.tokens(), kv_heads* d_head, 22);
  Matrix<float> bias = with_bias ? random_matrix(heads, 2 * 200 + 1, 23) : Matrix<float>();

  Matrix<float> attend(Context& context) const { return attend(context, q, k, v, queries, keys); }
  /// Sequence `s` as a batch of its own.
  Matrix<float> attend_alone(Context& context, Index s) const {
    return attend(context, q.view().middle_rows(queries.begin(s), queries.length(s)),
                  k.view().middle_rows(keys.begin(s), keys.length(s)),
                  v.view().middle_rows(keys.begin(s), keys.length(s)), Batch(queries.length(s)),
                  Batch(keys.length(s)));
  }
  Matrix<float> attend(Context& context, MatrixView<const float> some_q,
                       MatrixView<const float> some_k, MatrixView<const float> some_v,
                       const Batch& some_queries, const Batch& some_keys) const {
    Matrix<float> out(some_q.rows(), some_q.cols());
    const kernels::Attention<float> attention{.queries = some_q,
                                              .keys = some_k,
                                              .values = some_v,
                                              .query_batch = some_queries,
                                              .key_batch = some_keys,
                                              .heads = heads,
                                              .kv_heads = kv_heads,
                                              .scope = scope,
                                              .scale = 0.3f,
                                              .relative_bias = bias.view()};
    kernels::attention(context, attention, out);
    return out;
  }
};

/// Alike for every kind of attention that a model asks for.
std::vector<RaggedBatch> ragged_batches() {
  const Batch lengths{5, 1, 0, 70, 17, 100}, longer{9, 64, 3, 71, 17, 130};
  return {
      {.queries = lengths, .keys = lengths},
      {.queries = lengths, .keys = lengths, .scope = AttentionScope::causal()},
      {.queries = lengths, .keys = lengths, .scope = AttentionScope::window(13)},
      {.queries = lengths, .keys = longer},
      {.queries = lengths, .keys = longer, .scope = AttentionScope::causal()},
      {.queries = lengths, .keys = longer, .heads = 3, .kv_heads = 3, .with_bias = true},
      {.queries = lengths,
       .keys = lengths,
       .heads = 6,
       .kv_heads = 1,
       .d_head = 17,
       .scope = AttentionScope::causal(),
       .with_bias = true},
      // Cross-attention of a sequence with nothing to look at gives zeros.
      {.queries = Batch{3, 4}, .keys = Batch{0, 5}},
  };
}

TEST_F(OperationsThreads, Attention) {
  for (const RaggedBatch& batch : ragged_batches()) {
    expect_equal([&](Context& context) { return batch.attend(context); }, "attention");
  }
}

TEST(Operations, AttentionOfABatchIsThatOfEachSequence) {
  for (const Isa isa : {Isa::reference, fastest_isa}) {
    for (const RaggedBatch& batch : ragged_batches()) {
      Context context = make_context(isa);
      const Matrix<float> together = batch.attend(context);
      for (Index s = 0; s < batch.queries.sequences(); ++s) {
        const Matrix<float> alone = batch.attend_alone(context, s);
        EXPECT_TRUE(same_bits(alone.data(), together.data() + batch.queries.begin(s) * alone.cols(),
                              static_cast<Index>(alone.size())))
            << "sequence " << s;
      }
    }
  }
}

TEST(Operations, AttentionEqualsTheReference) {
  for (const RaggedBatch& batch : ragged_batches()) {
    Context reference = make_context(Isa::reference);
    const Matrix<float> expected = batch.attend(reference);
    for (const Isa isa : exact_isas()) {
      Context context = make_context(isa);
      EXPECT_TRUE(equal(batch.attend(context), expected)) << name(isa);
    }
  }
}

TEST(Operations, NothingToSeeGivesZeros) {
  const RaggedBatch batch{.queries = Batch{3}, .keys = Batch{0}};
  Context context = make_context();
  EXPECT_TRUE(equal(batch.attend(context), Matrix<float>(3, 48)));
}

struct Watcher final : AttentionObserver {
  bool wants(AttentionPlace, Index head) const override { return head != 1; }
  void observe(const AttentionRecord& record) override {
    EXPECT_NE(record.head, 1);
    ++records;
    for (Index q = 0; q < record.weights.rows(); ++q) {
      double sum = 0;
      for (Index k = 0; k < record.weights.cols(); ++k) sum += record.weights(q, k);
      EXPECT_NEAR(sum, 1.0, 1e-5);
    }
  }
  int records = 0;
};

TEST(Operations, WatchingChangesNothing) {
  const RaggedBatch batch{
      .queries = Batch{5, 70}, .keys = Batch{9, 70}, .scope = AttentionScope::causal()};
  Context context = make_context();
  const Matrix<float> expected = batch.attend(context);
  Watcher watcher;
  context.watch(watcher);
  EXPECT_TRUE(equal(batch.attend(context), expected));
  EXPECT_EQ(watcher.records, 2 * 3);
}

/// What a host program, or a library in it, has done to the rounding mode.
TEST_F(OperationsThreads, TheCallersRoundingModeDoesNotMatter) {
  const Matrix<float> x = random_matrix(130, 70, 1);
  const WeightMatrix<float> weight(random_matrix(50, 70, 2));
  const auto gain = random_floats(70, 3);
  const RaggedBatch batch{.queries = Batch{5, 70}, .keys = Batch{9, 70}};
  const auto compute = [&](Context& context) {
    Matrix<float> y = x, out(130, 50);
    kernels::rms_norm(context, y.view(), {gain.data(), nullptr, 1e-5f}, y.view());
    kernels::activate(context, Activation::silu, y);
    kernels::scale(context, y.view(), 1.1f, y.view());
    kernels::add_scaled(context, x, 1.1f, y.view());
    kernels::add(context, x, y);
    kernels::matmul(context, y.view(), weight, nullptr, out);
    kernels::softmax(context, out);
    const Matrix<float> attended = batch.attend(context);
    out.topLeftCorner(75, 48) = attended;
    return out;
  };
  Context context = make_context();
  const Matrix<float> expected = compute(context);
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    ASSERT_EQ(std::fesetround(mode), 0);
    const Matrix<float> alone = compute(context);
    expect_equal(compute, "mode " + std::to_string(mode));
    ASSERT_EQ(std::fesetround(FE_TONEAREST), 0);
    EXPECT_TRUE(equal(alone, expected));
  }
}

TEST(Operations, MatmulByHand) {
  Context context = make_context();
  const Matrix<float> x{{1, 0, -1}, {2, 2, 2}};
  const WeightMatrix<float> weight(Matrix<float>{{1, 2, 3}, {4, 5, 6}});
  const float bias[] = {10, 20};
  Matrix<float> out(2, 2);
  kernels::matmul(context, x.view(), weight, bias, out);
  EXPECT_EQ(out, (Matrix<float>{{8, 18}, {22, 50}}));
  kernels::matmul(context, x.view(), weight, nullptr, out);
  EXPECT_EQ(out, (Matrix<float>{{-2, -2}, {12, 30}}));
}

/// A token's product does not depend on the tokens beside it, or on the columns that a view skips.
TEST(Operations, RowsOfABatchAreIndependent) {
  Context context = make_context();
  const Matrix<float> wide = random_matrix(203, 75, 1);
  const MatrixView<const float> x = wide.view().middle_cols(3, 70);
  const WeightMatrix<float> weight(random_matrix(300, 70, 2), Storage::bf16);
  Matrix<float> wide_out(203, 310);
  const MatrixView<float> out = wide_out.view().middle_cols(5, 300);
  kernels::matmul(context, x, weight, nullptr, out);
  for (const Index row : {0, 1, 95, 96, 202}) {
    Matrix<float> alone(1, 300);
    kernels::matmul(context, x.middle_rows(row, 1), weight, nullptr, alone);
    EXPECT_TRUE(same_bits(alone.data(), out.row(row), 300)) << "row " << row;
  }
  EXPECT_EQ(wide_out.leftCols(5).cwiseAbs().maxCoeff(), 0);
  EXPECT_EQ(wide_out.rightCols(5).cwiseAbs().maxCoeff(), 0);
}

TEST(Operations, ElementByElementByHand) {
  Context context = make_context();
  const Matrix<float> x{{1, 2}, {3, 4}};
  Matrix<float> y{{10, 20}, {30, 40}};
  kernels::add(context, x, y);
  EXPECT_EQ(y, (Matrix<float>{{11, 22}, {33, 44}}));
  kernels::multiply(context, x, y);
  EXPECT_EQ(y, (Matrix<float>{{11, 44}, {99, 176}}));
  kernels::activate(context, Activation::relu, y.view().middle_cols(0, 1));
  EXPECT_EQ(y, (Matrix<float>{{11, 44}, {99, 176}}));
  kernels::scale(context, x, -2, y.view());
  EXPECT_EQ(y, (Matrix<float>{{-2, -4}, {-6, -8}}));
  kernels::activate(context, Activation::relu, y.view().middle_cols(0, 1));
  EXPECT_EQ(y, (Matrix<float>{{0, -4}, {0, -8}}));
  kernels::add_scaled(context, x, 10, y.view());
  EXPECT_EQ(y, (Matrix<float>{{10, 16}, {30, 32}}));
  Matrix<float> equal_scores{{7, 7, 7, 7}};
  kernels::softmax(context, equal_scores);
  EXPECT_EQ(equal_scores, (Matrix<float>{{0.25f, 0.25f, 0.25f, 0.25f}}));
}

}  // namespace
}  // namespace eigenformer::test
