// SPDX-License-Identifier: MIT
#include "eigenformer/layers/embedding.hpp"

#include "support/matrices.hpp"

namespace eigenformer::test {
namespace {

TEST(Embedding, LooksUpAndScales) {
  Embedding<float> embedding({.vocab = 3, .d_model = 2, .scale = 10});
  embedding.set("weight", Matrix<float>{{1, 2}, {3, 4}, {5, 6}});
  Context context = make_context();
  Matrix<float> x(4, 2);
  embedding(std::vector<TokenId>{2, 0, 2, 1}, context, x);
  EXPECT_EQ(x, (Matrix<float>{{50, 60}, {10, 20}, {50, 60}, {30, 40}}));
}

TEST(Embedding, NarrowRowsAreWidenedExactly) {
  for (const Storage storage : {Storage::f16, Storage::bf16, Storage::int8}) {
    Embedding<float> embedding({.vocab = 37, .d_model = 5, .storage = storage});
    randomize(embedding, 4);
    const Matrix<float> table = embedding.get("weight");
    Context context = make_context();
    Matrix<float> x(2, 5);
    embedding(std::vector<TokenId>{36, 17}, context, x);
    EXPECT_EQ(x.row(0), table.row(36));
    EXPECT_EQ(x.row(1), table.row(17));
  }
}

TEST(Embedding, IdsBeyondTheVocabularyAreErrors) {
  Embedding<float> embedding({.vocab = 3, .d_model = 2});
  Context context = make_context();
  Matrix<float> x(2, 2);
  for (const TokenId id : {-1, 3, 2147483647}) {
    try {
      embedding(std::vector<TokenId>{0, id}, context, x);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::out_of_range);
      EXPECT_EQ(error.what(),
                "Embedding: token 1: expected an id in [0, 3), got " + std::to_string(id));
    }
  }
}

}  // namespace
}  // namespace eigenformer::test
