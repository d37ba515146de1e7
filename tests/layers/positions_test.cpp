// SPDX-License-Identifier: MIT
#include "eigenformer/layers/positions.hpp"

#include "support/golden.hpp"
#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

/// d_model 4: angles p and p / 100.
TEST(SinusoidalPositions, ByHand) {
  const SinusoidalPositions<double> paper({.positions = 3, .d_model = 4});
  const SinusoidalPositions<double> marian(
      {.positions = 3, .d_model = 4, .layout = SinusoidLayout::half_split});
  EXPECT_EQ(paper.table().row(0), (Matrix<double>{{0, 1, 0, 1}}));
  EXPECT_EQ(marian.table().row(0), (Matrix<double>{{0, 0, 1, 1}}));
  const double sin2 = 0.9092974268256817, cos2 = -0.4161468365471424;
  const double sin002 = 0.01999866669333308, cos002 = 0.9998000066665778;
  EXPECT_LT(largest_difference(paper.table().row(2), Matrix<double>{{sin2, cos2, sin002, cos002}}),
            1e-15);
  EXPECT_LT(largest_difference(marian.table().row(2), Matrix<double>{{sin2, sin002, cos2, cos002}}),
            1e-15);
}

TEST(SinusoidalPositions, InterleavedLikeThePaper) {
  const Golden golden("ops/ops");
  for (const Index d_model : {16, 32, 512}) {
    const auto expected = golden.matrix<double>("sinusoid.interleaved." + std::to_string(d_model));
    const SinusoidalPositions<double> positions({.positions = expected.rows(), .d_model = d_model});
    EXPECT_LT(largest_difference(positions.table(), expected), 1e-14);
  }
}

/// Bit for bit what the reference implementation calculates in double and rounds to float.
TEST(SinusoidalPositions, HalfSplitLikeMarian) {
  const Golden golden("ops/ops");
  for (const Index d_model : {16, 32, 33, 512}) {
    const auto expected = golden.matrix<float>("sinusoid.marian." + std::to_string(d_model));
    const SinusoidalPositions<float> positions(
        {.positions = expected.rows(), .d_model = d_model, .layout = SinusoidLayout::half_split});
    EXPECT_TRUE(same_bits(expected, positions.table())) << d_model;
  }
}

/// The reference implementation calculates angles in float, where an ulp of the rate is worth
/// position x 6e-8.
TEST(SinusoidalPositions, ShiftedLikeM2m100) {
  const Golden golden("ops/ops");
  for (const Index d_model : {16, 32, 33, 512}) {
    Matrix<float> expected = golden.matrix<float>("sinusoid.m2m_100." + std::to_string(d_model));
    const SinusoidalPositions<float> positions({.positions = expected.rows() - 2,
                                                .d_model = d_model,
                                                .offset = 2,
                                                .layout = SinusoidLayout::shifted});
    Matrix<float> table = positions.table();
    table.row(1).setZero();  // the padding row, which nobody looks up
    EXPECT_LT(largest_difference(expected, table), 4e-6) << d_model;
  }
}

TEST(SinusoidalPositions, AddsFromTheFirstTokenOfEachSequence) {
  const SinusoidalPositions<float> positions({.positions = 3, .d_model = 2});
  Context context = make_context();
  Matrix<float> x(5, 2);
  positions(Batch{2, 3}, context, x);
  const Matrix<float>& table = positions.table();
  EXPECT_EQ(x.topRows(2), table.topRows(2));
  EXPECT_EQ(x.bottomRows(3), table);
}

TEST(SinusoidalPositions, TooLongIsAnError) {
  const SinusoidalPositions<float> positions({.positions = 3, .d_model = 2});
  Context context = make_context();
  Matrix<float> x(5, 2);
  try {
    positions(Batch{1, 4}, context, x);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::out_of_range);
    EXPECT_STREQ(error.what(), "positions: sequence 1: expected at most 3 tokens, got 4");
  }
}

TEST(SinusoidalPositions, ConfigsThatCannotBe) {
  EXPECT_THROW(SinusoidalPositions<float>({.positions = 0, .d_model = 4}), Error);
  EXPECT_THROW(SinusoidalPositions<float>({.positions = 10, .d_model = 4, .offset = -3}), Error);
  EXPECT_THROW(LearnedPositions<float>({.positions = 10, .d_model = 4, .offset = -3}), Error);
  EXPECT_THROW(
      SinusoidalPositions<float>({.positions = 1, .d_model = 3, .layout = SinusoidLayout::shifted}),
      Error);
}

TEST(LearnedPositions, WithOffset) {
  LearnedPositions<float> positions({.positions = 2, .d_model = 1, .offset = 2});
  positions.set("weight", Matrix<float>{{1}, {2}, {3}, {4}});
  Context context = make_context();
  Matrix<float> x{{10}, {20}, {30}};
  positions(Batch{2, 1}, context, x);
  EXPECT_EQ(x, (Matrix<float>{{13}, {24}, {33}}));
}

}  // namespace
}  // namespace eigenformer::test
