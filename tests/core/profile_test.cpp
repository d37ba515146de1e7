// SPDX-License-Identifier: MIT
#include "eigenformer/core/profile.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace eigenformer::test {
namespace {

std::string path(const Profile& profile, Index pass) {
  const Profile::Pass& of = profile.passes().at(std::size_t(pass));
  std::string name = of.name;
  if (of.number != Profile::none) name += std::to_string(of.number);
  return of.parent == Profile::none ? name : path(profile, of.parent) + "/" + name;
}

/// "a 1, a/b 2": every pass and its calls.
std::string calls(const Profile& profile) {
  std::string out;
  for (std::size_t p = 0; p < profile.passes().size(); ++p) {
    out += (p > 0 ? ", " : "") + path(profile, Index(p)) + " " +
           std::to_string(profile.passes()[p].calls);
  }
  return out;
}

/// Two layers of two passes each, and something after them.
void step(Profile& profile) {
  const Profile::Scope model(&profile, {"model"});
  for (Index number = 0; number < 2; ++number) {
    const Profile::Scope layer(&profile, {"layer", number});
    for (int i = 0; i < 3; ++i) {
      const Profile::Scope product(&profile, {.name = "product", .storage = Storage::int8});
      product.work({.memory = 100, .activations = 10, .operations = 1});
    }
    const Profile::Scope norm(&profile, {"norm"});
  }
  const Profile::Scope norm(&profile, {"norm"});
}

TEST(Profile, PassesAreWithinPasses) {
  Profile profile;
  step(profile);
  EXPECT_EQ(calls(profile),
            "model 1, model/layer0 1, model/layer0/product 3, model/layer0/norm 1, "
            "model/layer1 1, model/layer1/product 3, model/layer1/norm 1, model/norm 1");
  step(profile);
  EXPECT_EQ(profile.passes().size(), 8u);
  EXPECT_EQ(profile.passes()[2].calls, 6);
}

TEST(Profile, WorkIsThePassesOwn) {
  Profile profile;
  step(profile);
  const Profile::Pass& product = profile.passes()[2];
  EXPECT_EQ(product.storage, Storage::int8);
  EXPECT_EQ(product.work.memory, 300);
  EXPECT_EQ(product.work.activations, 30);
  EXPECT_EQ(product.work.operations, 3);
  EXPECT_EQ(profile.passes()[0].work.memory, 0);
}

TEST(Profile, ANameIsItsTextNumberAndStorage) {
  Profile profile;
  const char one[] = "product", same[] = "product";
  const Profile::Name names[] = {
      {one}, {same}, {same, 0}, {.name = one, .storage = Storage::bf16}, {"norm"}};
  for (const Profile::Name& name : names) const Profile::Scope scope(&profile, name);
  EXPECT_EQ(calls(profile), "product 2, product0 1, product 1, norm 1");
}

TEST(Profile, TimeIsThatOfThePassesWithinAndItsOwn) {
  Profile profile;
  {
    const Profile::Scope outer(&profile, {"outer"});
    ::usleep(3000);
    for (int i = 0; i < 2; ++i) {
      const Profile::Scope inner(&profile, {"inner"});
      ::usleep(2000);
    }
    const Profile::Scope other(&profile, {"other"});
  }
  const auto& passes = profile.passes();
  EXPECT_GE(passes[0].nanoseconds, 7'000'000);
  EXPECT_GE(passes[1].nanoseconds, 4'000'000);
  EXPECT_GE(passes[2].nanoseconds, 0);
  EXPECT_EQ(profile.self_nanoseconds(1), passes[1].nanoseconds);
  EXPECT_EQ(profile.self_nanoseconds(0),
            passes[0].nanoseconds - passes[1].nanoseconds - passes[2].nanoseconds);
  EXPECT_GE(profile.self_nanoseconds(0), 3'000'000);
}

TEST(Profile, AnExceptionEndsItsPasses) {
  Profile profile;
  try {
    const Profile::Scope outer(&profile, {"outer"});
    const Profile::Scope inner(&profile, {"inner"});
    throw 1;
  } catch (int) {
  }
  const Profile::Scope after(&profile, {"after"});
  EXPECT_EQ(calls(profile), "outer 1, outer/inner 1, after 0");
}

TEST(Profile, OffIsNothing) {
  const Profile::Scope scope(nullptr, {"pass"});
  EXPECT_FALSE(scope);
  scope.work({.memory = 1});
  Profile profile;
  EXPECT_TRUE(Profile::Scope(&profile, {"pass"}));
}

TEST(Profile, MergesByNames) {
  Profile all, first, second;
  step(first);
  {
    const Profile::Scope encoder(&second, {"encoder"});
    const Profile::Scope product(&second, {"product"});
  }
  step(second);
  const Index time = first.passes()[0].nanoseconds, more = second.passes()[2].nanoseconds;
  all.merge(first);
  EXPECT_EQ(calls(all), calls(first));
  EXPECT_EQ(all.passes()[0].nanoseconds, time);
  all.merge(second, 3);
  EXPECT_EQ(calls(all),
            "model 2, model/layer0 2, model/layer0/product 6, model/layer0/norm 2, "
            "model/layer1 2, model/layer1/product 6, model/layer1/norm 2, model/norm 2, "
            "encoder 1, encoder/product 1");
  EXPECT_EQ(all.passes()[0].nanoseconds, time + 3 * more);
  EXPECT_EQ(all.passes()[2].work.memory, 600);
}

TEST(Profile, ClearsAndGrowsNoMore) {
  Profile profile;
  step(profile);
  const Profile::Pass* const memory = profile.passes().data();
  profile.clear();
  EXPECT_TRUE(profile.passes().empty());
  for (int i = 0; i < 3; ++i) step(profile);
  EXPECT_EQ(profile.passes()[0].calls, 3);
  EXPECT_EQ(profile.passes().data(), memory);
}

}  // namespace
}  // namespace eigenformer::test
