// SPDX-License-Identifier: MIT
#include "eigenformer/io/shard_index.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigenformer/io/safetensors.hpp"
#include "eigenformer/io/safetensors_writer.hpp"
#include "io/support.hpp"
#include "io/tensors.hpp"

namespace {

using namespace eigenformer::io;
using eigenformer::Error;
using io_test::bytes_of;
using io_test::ErrorCode;
using io_test::expect_error;

/// A folder "model" with the shards that tests/data/malformed/index is about: "one" with a and b,
/// "two" with c, and what a name should better not lead to.
class ShardIndexTest : public io_test::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    std::filesystem::create_directory(path("model"));
    shard("model/one.safetensors", {"a", "b"});
    shard("model/two.safetensors", {"c"});
  }

  /// A file with these tensors, each of which holds its own name.
  void shard(const std::string& file, const std::vector<std::string>& names) const {
    std::vector<NamedTensor> tensors;
    for (const std::string& name : names) {
      const auto size = static_cast<std::int64_t>(name.size());
      tensors.push_back({name, {DataType::u8, {size}, bytes_of(name)}});
    }
    write_safetensors(path(file), tensors, {{"shard", file}});
  }

  void link(const std::string& target, const std::string& name) const {
    std::filesystem::create_symlink(target, path(name));
  }

  /// The index of that text.
  ShardIndex index(std::string_view text, const LoadLimits& limits = {}) const {
    return read_shard_index(write("model/model.safetensors.index.json", text), limits);
  }

  /// The tensors of the shards of an index.
  static Tensors open(const ShardIndex& index) {
    return open_shards(index, find_shards(index),
                       [](const std::string& file) { return read_safetensors(file); });
  }

  /// What the error says; empty where there is none.
  std::string refusal(std::string_view text) const {
    try {
      open(index(text));
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
};

constexpr std::string_view good =
    R"({"metadata":{"total_size":3},"weight_map":)"
    R"({"a":"one.safetensors","c":"two.safetensors","b":"one.safetensors"}})";

TEST_F(ShardIndexTest, ListsTheShardsInOrder) {
  const ShardIndex read = index(good);
  EXPECT_EQ(read.path, path("model/model.safetensors.index.json"));
  ASSERT_EQ(read.shards.size(), 2u);
  EXPECT_EQ(read.shards[0].file, "one.safetensors");
  EXPECT_EQ(read.shards[0].tensors, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read.shards[1].file, "two.safetensors");
  EXPECT_EQ(read.shards[1].tensors, std::vector<std::string>{"c"});
  const ShardFiles files = find_shards(read);
  EXPECT_EQ(files.paths, (std::vector<std::string>{path("model/one.safetensors"),
                                                   path("model/two.safetensors")}));
  EXPECT_EQ(files.bytes, std::filesystem::file_size(path("model/one.safetensors")) +
                             std::filesystem::file_size(path("model/two.safetensors")));
}

TEST_F(ShardIndexTest, MakesOneOfTheShards) {
  const Tensors tensors = open(index(good));
  EXPECT_EQ(tensors.names(), (std::vector<std::string_view>{"a", "b", "c"}));
  for (const NamedTensor& entry : tensors) EXPECT_EQ(io_test::content_of(entry.tensor), entry.name);
  EXPECT_EQ(tensors.file(), path("model/model.safetensors.index.json"));
  EXPECT_EQ(tensors.metadata(), (Metadata{{"shard", "model/one.safetensors"}}));
}

// Nothing there depends on it, and published indices have all of these.
TEST_F(ShardIndexTest, TakesMetadataAsItIsPublished) {
  for (const char* const metadata :
       {R"({"total_size":1})", R"({"total_size":-1})", R"({"total_size":14483464192.0})",
        R"({"total_size":123456789012345678901234567890})", R"({"total_size":null})", "{}", "null",
        R"({"total_size":3,"total_parameters":3,"x":[{"y":"z"}]})"}) {
    const std::string text = std::string(R"({"metadata":)") + metadata +
                             R"(,"weight_map":{"c":"two.safetensors"},"more":1})";
    EXPECT_EQ(refusal(text), "") << text;
  }
  EXPECT_EQ(refusal(R"({"weight_map":{"c":"two.safetensors"}})"), "");
}

TEST_F(ShardIndexTest, TakesAnyBareName) {
  for (const std::string name :
       {"x", "..x", "x..safetensors", ".hidden", "-rf", "a b", "caf\xC3\xA9", "C:x", "%2e%2e%2f",
        "~", "model-00001-of-00002.safetensors"}) {
    shard("model/" + name, {"t"});
    EXPECT_EQ(refusal(R"({"weight_map":{"t":")" + name + R"("}})"), "") << name;
  }
}

// All that is wrong in one error, a line for each shard and each kind of trouble.
TEST_F(ShardIndexTest, SaysEverythingThatIsWrong) {
  EXPECT_EQ(refusal(R"({"weight_map":{"a":"two.safetensors","b":"one.safetensors",)"
                    R"("c":"one.safetensors","d":"one.safetensors"}})"),
            path("model/model.safetensors.index.json") +
                ": the shards are not as it says:\n"
                "  \"one.safetensors\" lacks \"c\", \"d\"\n"
                "  \"one.safetensors\" has what it does not put there: \"a\"\n"
                "  \"two.safetensors\" lacks \"a\"\n"
                "  \"two.safetensors\" has what it does not put there: \"c\"");
}

TEST_F(ShardIndexTest, SaysNotMuchMoreThanThat) {
  std::vector<std::string> names;
  for (int i = 10; i < 99; ++i) names.push_back("n" + std::to_string(i));
  shard("model/many.safetensors", names);
  const std::string said = refusal(R"({"weight_map":{"n10":"many.safetensors"}})");
  EXPECT_NE(said.find(R"("n11", "n12")"), std::string::npos) << said;
  EXPECT_NE(said.find(R"("n26" and 72 more)"), std::string::npos) << said;
}

TEST_F(ShardIndexTest, NamesAMissingShardAndTheIndex) {
  std::filesystem::remove(path("model/two.safetensors"));
  EXPECT_EQ(refusal(good), path("model/two.safetensors") + ": cannot open, though " +
                               path("model/model.safetensors.index.json") +
                               " names it: No such file or directory");
}

TEST_F(ShardIndexTest, FindsTheShardsOfAnIndexInTheCurrentFolder) {
  index(good);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(path("model"));
  EXPECT_EQ(open(read_shard_index("model.safetensors.index.json")).size(), 3u);
  std::filesystem::current_path(before);
}

TEST_F(ShardIndexTest, RefusesAShardItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is forbidden to root";
  ASSERT_EQ(::chmod(path("model/two.safetensors").c_str(), 0), 0);
  expect_error(ErrorCode::io, path("model/two.safetensors") + ": cannot open: Permission denied",
               [&] { open(index(good)); });
}

TEST_F(ShardIndexTest, HoldsTheLimits) {
  LoadLimits limits;
  limits.tensors = 3;
  EXPECT_EQ(index(good, limits).shards.size(), 2u);
  limits.tensors = 2;
  expect_error(ErrorCode::format,
               "index.json: /weight_map: more than 2 tensors (LoadLimits::tensors)",
               [&] { index(good, limits); });
  // No more values than such an index takes.
  std::string many = R"({"metadata":{"x":[0)";
  for (int i = 0; i < 100; ++i) many += ",0";
  limits.metadata = 20;
  expect_error(ErrorCode::format, "index.json: more than 30 values",
               [&] { index(many + "]}}", limits); });
  limits = {};
  limits.memory_bytes = good.size() - 1;
  expect_error(ErrorCode::out_of_memory, "index.json: needs ", [&] { index(good, limits); });
}

TEST_F(ShardIndexTest, AddsSizesThatAreHoles) {
  for (const char* const name : {"model/one.safetensors", "model/two.safetensors"}) {
    std::filesystem::resize_file(path(name), std::uintmax_t{1} << 43);
  }
  EXPECT_EQ(find_shards(index(good)).bytes, std::uint64_t{1} << 44);
}

// Links: the hub's cache is made of them, and a hostile folder can be.
class ShardLinkTest : public ShardIndexTest {
 protected:
  /// The index that has c in the shard of that name.
  ShardIndex with(const std::string& name) const {
    return index(R"({"weight_map":{"c":")" + name + R"("}})");
  }
};

TEST_F(ShardLinkTest, MayLeadToBelowTheFolder) {
  link("two.safetensors", "model/link");
  EXPECT_EQ(open(with("link")).size(), 1u);
  std::filesystem::create_directory(path("model/sub"));
  shard("model/sub/c.safetensors", {"c"});
  link("sub/c.safetensors", "model/below");
  EXPECT_EQ(open(with("below")).size(), 1u);
  link(path("model/two.safetensors"), "model/absolute");
  EXPECT_EQ(open(with("absolute")).size(), 1u);
  link("../model/two.safetensors", "model/around");
  EXPECT_EQ(open(with("around")).size(), 1u);
}

TEST_F(ShardLinkTest, MayNotLeaveTheFolder) {
  shard("outside.safetensors", {"c"});
  // A folder whose name begins as the model's does.
  std::filesystem::create_directory(path("model2"));
  shard("model2/c.safetensors", {"c"});
  link("../outside.safetensors", "model/out");
  link("out", "model/out_twice");
  link("../model2/c.safetensors", "model/beside");
  link("..", "model/up");
  link("up/outside.safetensors", "model/through");
  for (const char* const name : {"out", "out_twice", "beside", "through"}) {
    expect_error(ErrorCode::format, path("model/") + name + ": leads to \"",
                 [&] { find_shards(with(name)); });
    expect_error(ErrorCode::format, ", expected a file in the folder of ",
                 [&] { find_shards(with(name)); });
  }
}

TEST_F(ShardLinkTest, ServesAFolderThatIsALinkItself) {
  index(good);
  link("model", "elsewhere");
  EXPECT_EQ(open(read_shard_index(path("elsewhere/model.safetensors.index.json"))).size(), 3u);
}

/// models--x/{blobs, snapshots/REVISION}, as the hub's libraries keep what they have fetched.
class HubCacheTest : public ShardLinkTest {
 protected:
  void SetUp() override {
    ShardLinkTest::SetUp();
    std::filesystem::create_directories(path("cache/blobs"));
    std::filesystem::create_directories(path(snapshot) + "/text_encoder");
    shard("cache/blobs/5ca1ab1e", {"a", "b"});
    shard("cache/blobs/deadbeef", {"c"});
    write("cache/blobs/0123", good);
  }

  const std::string snapshot = "cache/snapshots/f00d";
};

TEST_F(HubCacheTest, IsOpened) {
  link("../../blobs/5ca1ab1e", snapshot + "/one.safetensors");
  link("../../blobs/deadbeef", snapshot + "/two.safetensors");
  link("../../blobs/0123", snapshot + "/model.safetensors.index.json");
  EXPECT_EQ(open(read_shard_index(path(snapshot) + "/model.safetensors.index.json")).size(), 3u);
}

TEST_F(HubCacheTest, IsOpenedInASubfolder) {
  const std::string folder = snapshot + "/text_encoder";
  link("../../../blobs/5ca1ab1e", folder + "/one.safetensors");
  link("../../../blobs/deadbeef", folder + "/two.safetensors");
  write(folder + "/index.json", good);
  EXPECT_EQ(open(read_shard_index(path(folder) + "/index.json")).size(), 3u);
}

TEST_F(HubCacheTest, IsLeftByNoLink) {
  shard("cache/outside", {"c"});
  std::filesystem::create_directories(path("cache/blobs2"));
  shard("cache/blobs2/deadbeef", {"c"});
  std::filesystem::create_directories(path("cache/snapshots/blobs"));
  shard("cache/snapshots/blobs/deadbeef", {"c"});
  link("../outside", "cache/blobs/link");
  for (const char* const target : {"../../outside", "../../blobs2/deadbeef", "../blobs/deadbeef",
                                   "../../blobs/link", "/dev/null", "../../blobs"}) {
    std::filesystem::remove(path(snapshot) + "/two.safetensors");
    link(target, snapshot + "/two.safetensors");
    write(snapshot + "/index.json", R"({"weight_map":{"c":"two.safetensors"}})");
    expect_error(ErrorCode::format, "two.safetensors: leads to ",
                 [&] { find_shards(read_shard_index(path(snapshot) + "/index.json")); });
  }
}

// A folder of blobs is one only beside the snapshots that this folder is in.
TEST_F(HubCacheTest, IsNotAnyFolderWithBlobs) {
  link("../cache/blobs/deadbeef", "model/two");
  expect_error(ErrorCode::format, "model/two: leads to ", [&] { find_shards(with("two")); });
  std::filesystem::create_directories(path("blobs"));
  shard("blobs/deadbeef", {"c"});
  link("../blobs/deadbeef", "model/three");
  expect_error(ErrorCode::format, "model/three: leads to ", [&] { find_shards(with("three")); });
  std::filesystem::create_directories(path("cache/revisions/f00d"));
  link("../../blobs/deadbeef", "cache/revisions/f00d/two.safetensors");
  write("cache/revisions/f00d/index.json", R"({"weight_map":{"c":"two.safetensors"}})");
  expect_error(ErrorCode::format, "two.safetensors: leads to ",
               [&] { find_shards(read_shard_index(path("cache/revisions/f00d/index.json"))); });
}

// Blobs that are elsewhere themselves are none.
TEST_F(HubCacheTest, HasNoBlobsBehindALink) {
  std::filesystem::create_directories(path("fake/snapshots/r"));
  std::filesystem::create_directories(path("private"));
  shard("private/secret", {"c"});
  link("../private", "fake/blobs");
  link("../../blobs/secret", "fake/snapshots/r/two.safetensors");
  write("fake/snapshots/r/index.json", R"({"weight_map":{"c":"two.safetensors"}})");
  expect_error(ErrorCode::format, "two.safetensors: leads to ",
               [&] { find_shards(read_shard_index(path("fake/snapshots/r/index.json"))); });
}

class MalformedIndexTest : public ShardIndexTest,
                           public testing::WithParamInterface<io_test::Malformed> {
 protected:
  void SetUp() override {
    ShardIndexTest::SetUp();
    shard("model/again.safetensors", {"a", "a2"});
    shard("outside.safetensors", {"c"});
    const std::string whole = io_test::content_of(path("model/two.safetensors"));
    write("model/cut.safetensors", std::string_view(whole).substr(0, whole.size() - 1));
    write("model/empty.safetensors", "");
    std::filesystem::create_directory(path("model/folder.safetensors"));
    ASSERT_EQ(::mkfifo(path("model/pipe.safetensors").c_str(), 0600), 0);
    link("two.safetensors", "model/link.safetensors");
    link("none", "model/dangling.safetensors");
    link("loop.safetensors", "model/loop.safetensors");
    link("../outside.safetensors", "model/out.safetensors");
    link("out.safetensors", "model/out_twice.safetensors");
    link("/dev/null", "model/null.safetensors");
  }
};

TEST_P(MalformedIndexTest, IsRefused) {
  const std::string text =
      io_test::content_of(io_test::data_folder / "malformed" / "index" / GetParam().file);
  expect_error(GetParam().code, GetParam().part, [&] { open(index(text)); });
  expect_error(GetParam().code, path("model/"), [&] { open(index(text)); });
}

INSTANTIATE_TEST_SUITE_P(Files, MalformedIndexTest,
                         testing::ValuesIn(io_test::malformed_files("index")), io_test::test_name);

TEST(MalformedIndexTable, IsComplete) { io_test::expect_complete_table("index"); }

TEST(JoinedTensorsTest, HoldAllPartsAndTheirMetadata) {
  const std::string_view letters = "xyz";
  const auto part = [&](const char* name, std::size_t letter, Metadata metadata) {
    ByteBuffer bytes(1);
    bytes.data()[0] = bytes_of(letters)[letter];
    const std::span<const std::byte> view = std::as_const(bytes).span();
    return Tensors("part", {{name, {DataType::u8, {1}, view}}}, std::move(bytes),
                   std::move(metadata));
  };
  std::vector<Tensors> parts;
  parts.push_back(part("c", 2, {{"format", "pt"}, {"k", "1"}}));
  parts.push_back(part("a", 0, {{"k", "2"}, {"l", "3"}}));
  parts.push_back(Tensors("none", {}, nullptr));
  const Tensors all("all", std::move(parts));
  EXPECT_EQ(all.names(), (std::vector<std::string_view>{"a", "c"}));
  EXPECT_EQ(io_test::content_of(all.at("a")), "x");
  EXPECT_EQ(io_test::content_of(all.at("c")), "z");
  EXPECT_EQ(all.metadata(), (Metadata{{"format", "pt"}, {"k", "1"}, {"l", "3"}}));
  expect_error(ErrorCode::missing_tensor, "all: tensor \"b\" is missing among 2",
               [&] { all.at("b"); });
  const Tensors copy = all;
  EXPECT_EQ(copy.at("a").bytes.place(), all.at("a").bytes.place());
}

TEST(JoinedTensorsTest, HaveDifferentNames) {
  const auto part = [] { return Tensors("part", {{"a", {DataType::u8, {0}, {}}}}, nullptr); };
  std::vector<Tensors> parts;
  parts.push_back(part());
  parts.push_back(part());
  expect_error(ErrorCode::format, "all: tensor \"a\" occurs twice",
               [&] { Tensors("all", std::move(parts)); });
}

}  // namespace
