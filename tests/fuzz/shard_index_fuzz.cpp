// SPDX-License-Identifier: MIT
// Any bytes as the index of a checkpoint in shards: refused, or names of files in its folder.
#include "eigenformer/io/shard_index.hpp"

#include "eigenformer/io/json.hpp"
#include "fuzz.hpp"

namespace {

using namespace eigenformer;
using namespace eigenformer::fuzz;

void check_index(std::string_view text) {
  const io::LoadLimits limits = io::detail::shard_index_limits({});
  const auto index = expect_only({ErrorCode::format}, [&] {
    return io::detail::shard_index_of(io::parse_json(text, "f"), "folder/f", limits);
  });
  if (!index) return;
  require(!index->shards.empty(), "an index has a shard");
  const std::string* before = nullptr;
  for (const io::Shard& shard : index->shards) {
    require(before == nullptr || *before < shard.file, "shards are ordered by name");
    before = &shard.file;
    require(index->beside(shard.file) == "folder/" + shard.file, "a shard is beside its index");
    require(shard.file != ".." && shard.file.find('/') == std::string::npos,
            "a shard's name is bare");
    require(is_message(shard.file), "a shard's name is fit for a message");
    require(!shard.tensors.empty() && std::is_sorted(shard.tensors.begin(), shard.tensors.end()),
            "a shard has tensors, in order");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_index(text_of(data, size));
  return 0;
}
