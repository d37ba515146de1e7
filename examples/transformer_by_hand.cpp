// SPDX-License-Identifier: MIT
// transformer_by_hand [--model DIR] [--layer L] [--head H] SENTENCE: "Attention is all you need" on
// one sentence, with every formula written out, in double. docs/transformer_by_hand.md walks along.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <eigenformer/eigenformer.hpp>
#include <numeric>

#include "eigenformer/io/checkpoint.hpp"
#include "eigenformer/io/json.hpp"
#include "support/command_line.hpp"
#include "support/paper_transformer.hpp"
#include "support/terminal_tables.hpp"

namespace {

using namespace eigenformer;
using Labels = std::vector<std::string>;
using paper::M;

struct Options {
  std::string model = "models/fr-en-small", sentence;
  Index layer = 0, head = 0;
};

void show(const paper::EncoderTrace& trace, const Labels& tokens, Index head) {
  using program::print_rows;
  const paper::Head& shown = trace.heads[static_cast<std::size_t>(head)];
  print_rows("queries Q", tokens, shown.queries);
  print_rows("keys K", tokens, shown.keys);
  print_rows("values V", tokens, shown.values);
  print_rows("scores Q K^T / sqrt(d_head)", tokens, shown.scores);
  program::print_shares("weights, their softmax: a row looks at the columns", tokens, tokens,
                        shown.weights);
  print_rows("the head: weights times V", tokens, shown.output);
  print_rows("all heads beside each other, times W_O", tokens, trace.joined);
  print_rows("added to what came in, and normed", tokens, trace.attended);
  print_rows("feed-forward network, inside", tokens, trace.inner);
  print_rows("back to d_model, added, normed: what the layer gives", tokens, trace.out);
}

/// A vocabulary may be padded with ids that have no piece.
std::string text_of(TokenId id, const MarianTokenizer& tokenizer) {
  try {
    return std::string(tokenizer.piece_text(id));
  } catch (const Error&) {
    return "(none)";
  }
}

/// The five likeliest tokens, and what a temperature makes of them. Returns the likeliest.
TokenId choose(const M& logits, const MarianTokenizer& tokenizer) {
  std::vector<TokenId> order(static_cast<std::size_t>(logits.cols()));
  std::iota(order.begin(), order.end(), 0);
  const std::size_t shown = std::min<std::size_t>(5, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<Index>(shown), order.end(),
                    [&](TokenId a, TokenId b) { return logits(0, a) > logits(0, b); });
  const M half = paper::softmax(logits / 0.5), whole = paper::softmax(logits),
          more = paper::softmax(logits / 1.5);
  std::printf("  %-10s %8s %12s %8s\n", "next", "p", "T = 0.5", "T = 1.5");
  for (std::size_t i = 0; i < shown; ++i) {
    const std::string piece = text_of(order[i], tokenizer);
    std::printf("  %s %8.4f %12.4f %8.4f\n", program::in_columns(piece, 10).c_str(),
                whole(0, order[i]), half(0, order[i]), more(0, order[i]));
  }
  return order[0];
}

/// Pieces, embeddings, positions -> [tokens, d_model].
M embed(const paper::Transformer& formulas, std::span<const TokenId> ids, const Labels& pieces) {
  std::printf("1 Pieces and their ids\n");
  for (std::size_t t = 0; t < ids.size(); ++t) {
    std::printf("  %s %7d\n", program::in_columns(pieces[t], 10).c_str(), ids[t]);
  }
  std::printf("\n2 Embeddings\n");
  const M embedded = formulas.embed_source(ids), positions = formulas.positions(embedded.rows());
  program::print_rows("rows of a table, times sqrt(d_model)", pieces, embedded);
  std::printf("\n3 Positions\n");
  std::printf("sines on the left, cosines on the right, a row a position, every 4th feature\n");
  program::print_picture(formulas.positions(16), 4);
  M x = embedded + positions;
  program::print_rows("embeddings and positions, added", pieces, x);
  return x;
}

/// x [tokens, d_model] -> the encoder's output.
M encode(const paper::Transformer& formulas, M x, const Labels& pieces, const Options& options) {
  std::printf("\n4 Encoder, layer %td, head %td\n", options.layer, options.head);
  for (Index layer = 0; layer < formulas.config().encoder_layers; ++layer) {
    const paper::EncoderTrace trace = formulas.encoder_layer(x, layer);
    if (layer == options.layer) show(trace, pieces, options.head);
    x = trace.out;
  }
  program::print_rows("after all layers: the encoder's output", pieces, x);
  return x;
}

/// The translation's tokens, the likeliest one at a time.
std::vector<TokenId> decode(const paper::Transformer& formulas, const M& memory,
                            const Labels& pieces, const Translator& translator) {
  const MarianTokenizer& tokenizer = translator.tokenizer();
  std::printf("\n5 Decoder\n");
  std::vector<TokenId> target{*translator.defaults().start_token};
  do {
    M cross;
    M logits = formulas.decode(target, memory, cross);
    if (tokenizer.padding() < logits.cols()) logits(0, tokenizer.padding()) = -INFINITY;  // never
    std::printf("\nafter %s\n", std::string(tokenizer.piece_text(target.back())).c_str());
    program::print_shares("the last layer looks at", Labels{""}, pieces, cross);
    target.push_back(choose(logits, tokenizer));
  } while (target.back() != tokenizer.end() && target.size() < 2 * pieces.size() + 8);
  target.erase(target.begin());
  return target;
}

void walk(const Options& options) {
  const TransformerConfig config =
      read_marian_config(io::read_json(options.model + "/config.json"));
  expect_range(options.layer, 0, config.encoder_layers - 1, "--layer");
  expect_range(options.head, 0, config.heads - 1, "--head");
  const auto model = make_marian<double>(config, io::open_checkpoint(options.model));
  const paper::Transformer formulas(config, model);
  const auto translator =
      Translator::load(options.model, {.split = Split::none});  // the text is one sentence
  const MarianTokenizer& tokenizer = translator.tokenizer();
  const std::string sentence = pipelines::repair_utf8(options.sentence).text;
  const std::vector<TokenId> ids = tokenizer.encode_source(sentence);
  const auto count = static_cast<Index>(ids.size());
  expect_range(count, 2, translator.model().longest(), "SENTENCE: pieces, with the end");
  Labels pieces;
  for (const TokenId id : ids) pieces.emplace_back(tokenizer.source_piece_text(id));
  Context context = make_context();
  M own(count, config.d_model);
  model.encode(ids, Batch(count), context, own);  // which refuses what does not fit

  const M memory = encode(formulas, embed(formulas, ids, pieces), pieces, options);
  std::printf("The library's own encoder gives %s.\n",
              (memory - own).cwiseAbs().maxCoeff() < 1e-9 ? "the same" : "something else");
  const std::vector<TokenId> target = decode(formulas, memory, pieces, translator);
  std::printf("\n%s\nTranslator, greedy: %s\n", tokenizer.decode_target(target).c_str(),
              translator(sentence, {.beam_size = 1}).c_str());
}

void run(int count, char** arguments) {
  Options options;
  CLI::App app("A sentence's way through a Transformer, number by number.", "transformer_by_hand");
  app.footer("docs/transformer_by_hand.md walks along. Exit status: 0; 1 an error; 2 usage.");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("SENTENCE", options.sentence, "what to translate")->required();
  app.add_option("-m,--model", options.model, "a MarianMT folder")
      ->check(program::folder())
      ->type_name("DIR")
      ->capture_default_str();
  program::add_index(app, "--layer", options.layer, "of the encoder, from 0")
      ->capture_default_str();
  program::add_index(app, "--head", options.head, "of that layer, from 0")->capture_default_str();
  if (const auto answer = program::parse(app, count, arguments)) return program::print(*answer);
  walk(options);
  program::expect_printed();
}

}  // namespace

int main(int count, char** arguments) {
  return program::run_to_status(
      "transformer_by_hand", [&] { run(count, arguments); }, program::usage_or_data);
}
