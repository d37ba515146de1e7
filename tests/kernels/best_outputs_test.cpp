// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/best_outputs.hpp"

#include <algorithm>

#include "eigenformer/core/thread_pool.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

struct Answer {
  std::vector<Candidate> best;
  std::vector<kernels::LogSumExp> totals;
  std::vector<float> listed;
};

Answer ask(Context& context, const Matrix<float>& x, const WeightMatrix<float>& weight,
           const float* bias, const BestQuery& query) {
  Answer answer{std::vector<Candidate>(std::size_t(x.rows() * query.k)),
                std::vector<kernels::LogSumExp>(std::size_t(x.rows())),
                std::vector<float>(query.listed.size())};
  kernels::best_outputs(context, x.view(), weight, bias, query,
                        {answer.best, answer.totals, answer.listed});
  return answer;
}

/// What matmul() and log_sum_exp() give, sorted.
void expect_like_all_logits(Context& context, const Matrix<float>& x,
                            const WeightMatrix<float>& weight, const float* bias,
                            const BestQuery& query) {
  const Answer answer = ask(context, x, weight, bias, query);
  Matrix<float> logits(x.rows(), weight.outputs());
  kernels::matmul(context, x.view(), weight, bias, logits);
  for (Index r = 0; r < x.rows(); ++r) {
    const float* const row = logits.data() + r * logits.cols();
    const auto total = context.kernels().log_sum_exp(row, logits.cols());
    EXPECT_TRUE(same_bits(total.max, answer.totals[std::size_t(r)].max));
    EXPECT_TRUE(same_bits(total.log_sum, answer.totals[std::size_t(r)].log_sum));
    const auto listed = query.listed.subspan(std::size_t(query.listed_of_row.begin(r)),
                                             std::size_t(query.listed_of_row.length(r)));
    for (std::size_t i = 0; i < listed.size(); ++i) {
      EXPECT_TRUE(
          same_bits(row[listed[i]], answer.listed[std::size_t(query.listed_of_row.begin(r)) + i]));
    }
    std::vector<Candidate> sorted;
    for (Index token = 0; token < logits.cols(); ++token) {
      const bool absent = !(row[token] > -HUGE_VALF);
      if (absent || std::count(listed.begin(), listed.end(), TokenId(token)) > 0) continue;
      sorted.push_back({row[token], TokenId(token)});
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const Candidate& a, const Candidate& b) { return a.before(b); });
    sorted.resize(std::size_t(query.k), Candidate{-HUGE_VALF, -1});
    for (Index i = 0; i < query.k; ++i) {
      const Candidate got = answer.best[std::size_t(r * query.k + i)];
      EXPECT_EQ(got.token, sorted[std::size_t(i)].token) << "row " << r << ", place " << i;
      EXPECT_TRUE(same_bits(got.logit, sorted[std::size_t(i)].logit));
    }
  }
}

class BestOutputs : public ::testing::TestWithParam<Isa> {};

TEST_P(BestOutputs, EqualAllLogitsSorted) {
  Context context = make_context(GetParam());
  for (const Index vocab : {1, 15, 1000, 1024, 1025, 2500}) {
    for (const Index rows : {1, 3, 97}) {
      const auto x = random_matrix<float>(rows, 9, std::uint64_t(vocab + rows));
      const auto dense = random_matrix<float>(vocab, 9, std::uint64_t(vocab));
      const auto bias = random_floats(vocab, 4);
      Batch per_row;
      std::vector<TokenId> listed;
      for (Index r = 0; r < rows; ++r) {
        const auto before = listed.size();
        for (TokenId token = TokenId(r % 3); token < vocab; token += 401) listed.push_back(token);
        per_row.add(Index(listed.size() - before));
      }
      for (const Storage storage : all_storages) {
        const WeightMatrix<float> weight(dense.view(), storage);
        for (const Index k : {1, 7, 1030}) {
          if (k > 7 && rows > 3) continue;
          expect_like_all_logits(context, x, weight, bias.data(), {k, per_row, listed});
        }
      }
    }
  }
}

TEST_P(BestOutputs, TiesGoToTheLowerTokenAndOddNumbersToNobody) {
  Context context = make_context(GetParam());
  const auto x = Matrix<float>{{1}, {0}};
  Matrix<float> dense(3000, 1);
  for (Index i = 0; i < dense.rows(); ++i) dense(i, 0) = float(i % 7);
  dense(5, 0) = -HUGE_VALF;
  Batch none{0, 0};
  const WeightMatrix<float> weight(dense.view());
  const Answer answer = ask(context, x, weight, nullptr, {4, none, {}});
  for (Index i = 0; i < 4; ++i) {
    EXPECT_EQ(answer.best[std::size_t(i)].token, 6 + 7 * i);
  }
  EXPECT_TRUE(std::isnan(answer.totals[1].log_sum));  // 0 times infinity
  EXPECT_EQ(answer.best[4].token, 0);                 // which all the same is no candidate
}

INSTANTIATE_TEST_SUITE_P(Isas, BestOutputs, ::testing::ValuesIn([] {
                           std::vector<Isa> isas = exact_isas();
                           isas.push_back(Isa::reference);
                           isas.push_back(Isa::portable);
                           return isas;
                         }()),
                         ::testing::PrintToStringParamName());

TEST(BestOutputsThreads, ChangeNothing) {
  const auto x = random_matrix<float>(130, 20, 1);
  const WeightMatrix<float> weight(random_matrix<float>(5000, 20, 2).view());
  Batch none;
  for (Index r = 0; r < x.rows(); ++r) none.add(0);
  Context alone = make_context();
  const Answer expected = ask(alone, x, weight, nullptr, {3, none, {}});
  for (const Index threads : {2, 4}) {
    ThreadPool pool(threads);
    Context context = make_context(pool);
    const Answer got = ask(context, x, weight, nullptr, {3, none, {}});
    for (std::size_t i = 0; i < got.best.size(); ++i) {
      EXPECT_EQ(got.best[i].token, expected.best[i].token);
      EXPECT_TRUE(same_bits(got.best[i].logit, expected.best[i].logit));
    }
    for (std::size_t i = 0; i < got.totals.size(); ++i) {
      EXPECT_TRUE(same_bits(got.totals[i].log_sum, expected.totals[i].log_sum));
    }
  }
}

}  // namespace
}  // namespace eigenformer::test
