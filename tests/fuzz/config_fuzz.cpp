// SPDX-License-Identifier: MIT
// Any bytes as JSON, and that as each of the files that say what a model is: refused, or numbers
// within their limits.
#include "eigenformer/architectures/generation_config.hpp"
#include "eigenformer/architectures/marian.hpp"
#include "eigenformer/architectures/vaswani.hpp"
#include "eigenformer/io/json.hpp"
#include "fuzz.hpp"

using namespace eigenformer;

namespace {

void check(const TransformerConfig& config) {
  const io::LoadLimits limits;
  fuzz::require(config.d_model >= 1 && config.d_model <= limits.hidden, "d_model is in its range");
  fuzz::require(config.heads >= 1 && config.d_model % config.heads == 0, "heads divide d_model");
  fuzz::require(config.encoder_layers <= limits.layers && config.decoder_layers <= limits.layers,
                "layers are in their range");
  fuzz::require(config.vocab <= limits.vocabulary, "the vocabulary is in its range");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::expect_file_errors([&] {
    const io::Json json = io::parse_json(fuzz::text_of(data, size), "config.json");
    fuzz::expect_file_errors([&] { check(read_marian_config(json)); });
    fuzz::expect_file_errors([&] { check(read_vaswani_config(json).transformer); });
    fuzz::expect_file_errors([&] {
      const GenerationOptions options = read_generation_config(json, 100);
      for (const TokenId id : options.stop_tokens.value_or(std::vector<TokenId>())) {
        fuzz::require(id >= 0 && id < 100, "a token is in the vocabulary");
      }
    });
  });
  return 0;
}
