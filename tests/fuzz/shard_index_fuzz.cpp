// SPDX-License-Identifier: MIT
// Any bytes as the index of a checkpoint in shards: refused, or names of files in its folder.
#include "eigenformer/io/shard_index.hpp"

#include "eigenformer/io/json.hpp"
#include "fuzz.hpp"

using namespace eigenformer;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::expect_file_errors([&] {
    const io::LoadLimits limits;
    const io::Json json = io::parse_json(fuzz::text_of(data, size), "folder/index.json",
                                         io::detail::shard_index_limits(limits));
    const auto index = io::detail::shard_index_of(json, "folder/index.json", limits);
    fuzz::require(!index.shards.empty(), "an index names a shard");
    for (const io::Shard& shard : index.shards) {
      fuzz::require(!shard.tensors.empty(), "a shard has a tensor");
      fuzz::require(shard.file.find('/') == std::string::npos && shard.file != "..",
                    "a shard lies beside its index");
    }
  });
  return 0;
}
