// SPDX-License-Identifier: MIT
#include "eigenformer/kernels/dispatch.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace eigenformer::test {
namespace {

using kernels::KernelTable;

TEST(Dispatch, NamesGoBothWays) {
  EXPECT_STREQ(name(Isa::avx2), "avx2");
  for (const Isa isa : all_isas) EXPECT_EQ(isa_from_name(name(isa)), isa);
  for (const char* const word : {"", "avx", "AVX2", "avx2 ", "avx1024", "unknown"}) {
    EXPECT_EQ(isa_from_name(word), std::nullopt) << word;
  }
}

TEST(Dispatch, TheDefinitionIsAlwaysThere) {
  ASSERT_NE(kernels::find_table(Isa::reference), nullptr);
  ASSERT_NE(kernels::find_table(Isa::portable), nullptr);
}

TEST(Dispatch, ATableIsThereWhereItRuns) {
  for (const Isa isa : all_isas) {
    const KernelTable* const table = kernels::find_table(isa);
    EXPECT_EQ(table != nullptr, kernels::runs_here(isa)) << name(isa);
    if (table) {
      EXPECT_EQ(table->isa, isa);
    }
  }
}

TEST(Dispatch, TheBestIsTheFastestThatIsAllowed) {
  for (const Isa most : all_isas) {
    const Isa best = kernels::best_table(most).isa;
    EXPECT_TRUE(kernels::allowed(best, most)) << name(most);
    for (const Isa isa : all_isas) {
      if (kernels::allowed(isa, most) && kernels::find_table(isa)) {
        EXPECT_GE(best, isa) << name(most);
      }
    }
  }
  EXPECT_EQ(kernels::best_table().isa, kernels::best_table(fastest_isa).isa);
  EXPECT_EQ(kernels::best_table(Isa::reference).isa, Isa::reference);
}

TEST(Dispatch, AnotherArchitecturesIsaIsNoLimit) {
  const bool arm = EIGENFORMER_AARCH64;
  for (const Isa foreign : arm ? std::vector{Isa::avx2, Isa::avxvnni, Isa::avx512, Isa::amx}
                               : std::vector{Isa::neon, Isa::neondot}) {
    EXPECT_EQ(kernels::find_table(foreign), nullptr) << name(foreign);
    EXPECT_EQ(kernels::best_table(foreign).isa, kernels::best_table().isa) << name(foreign);
  }
  EXPECT_TRUE(kernels::allowed(Isa::portable, Isa::portable));
  EXPECT_FALSE(kernels::allowed(Isa::portable, Isa::reference));
  EXPECT_EQ(kernels::allowed(Isa::avx512, Isa::avx2), arm);
  EXPECT_EQ(kernels::allowed(Isa::neondot, Isa::neon), !arm);
}

TEST(Dispatch, TablesAreComplete) {
  for (const Isa isa : all_isas) {
    const KernelTable* const t = kernels::find_table(isa);
    if (!t) continue;
    SCOPED_TRACE(name(isa));
    for (const auto function : t->product) EXPECT_NE(function, nullptr);
    for (const auto function : t->activation) EXPECT_NE(function, nullptr);
    EXPECT_TRUE(t->quantize && t->pack_block && t->attention && t->layer_norm && t->rms_norm);
    EXPECT_TRUE(t->softmax && t->log_sum_exp && t->log_softmax && t->exp && t->erf);
    EXPECT_TRUE(t->add && t->multiply && t->scale && t->scale_add);
    EXPECT_TRUE(t->widen_half && t->widen_bfloat16 && t->narrow_half && t->narrow_bfloat16);
  }
}

TEST(Dispatch, AContextHasTheBestKernels) {
  EXPECT_EQ(make_context().kernels().isa, kernels::best_table().isa);
  EXPECT_EQ(make_context(Isa::portable).kernels().isa, Isa::portable);
  InlineExecutor executor;
  Context context = make_context(executor, Isa::reference);
  EXPECT_EQ(context.kernels().isa, Isa::reference);
  EXPECT_EQ(&context.executor(), &executor);
}

}  // namespace
}  // namespace eigenformer::test
