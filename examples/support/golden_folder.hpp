// SPDX-License-Identifier: MIT
/// A model's folder against what the reference implementation answered: golden.safetensors and
/// golden.json (and beams.json), as tools/record_golden.py writes them.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "eigenformer/architectures/generation_config.hpp"
#include "eigenformer/architectures/open_model.hpp"
#include "eigenformer/architectures/storage.hpp"
#include "eigenformer/generation/generate.hpp"
#include "eigenformer/io/checkpoint.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/io/tensor_values.hpp"
#include "eigenformer/kernels/dispatch.hpp"
#include "golden_check.hpp"

namespace golden {

using namespace eigenformer;

class Folder {
 public:
  /// In another storage than the file's, and in int8, bars are wider: share_of(). Throws what
  /// open_model() and the readers throw.
  Folder(const std::string& path, const ModelOptions& options = {})
      : opened_(open_model(path, options)),
        share_(share_of(storage_asked(path, options))),
        golden_path_(golden_path(path)),
        json_(io::read_json(golden_path_ + "/golden.json")),
        tensors_(io::read_safetensors(golden_path_ + "/golden.safetensors")) {}

  const OpenedModel& opened() const { return opened_; }
  /// The recorded inputs.
  std::vector<std::vector<TokenId>> inputs() const { return lists(json_.at("input_ids")); }

  /// Every tensor and every `generate` case. `report` is called with each check.
  void run(Context& context, const std::function<void(const Check&)>& report) const {
    const auto sources = inputs();
    const io::Json targets = json_.at("decoder_input_ids");
    if (targets.elements().size() != sources.size()) {
      throw targets.expected("a list for each of input_ids");
    }
    for (std::size_t i = 0; i < sources.size(); ++i) check_sequence(context, sources[i], i, report);
    if (tensors_.find("batch.input_ids")) check_batch(context, sources, report);
    for (const io::Json& one : json_.at("generate").elements()) check_case(context, one, report);
    const auto beams = io::read_json_if_there(golden_path_ + "/beams.json");
    if (beams) check_beams(context, *beams, report);
  }

  /// What generate() gives for sources with the arguments of a case.
  std::vector<Generated> generate(Context& context,
                                  const std::vector<std::vector<TokenId>>& sources,
                                  const io::Json& arguments) const {
    std::vector<TokenId> source, prompts;
    Batch batch, prompt_batch;
    const std::vector<TokenId> prompt = prompt_of(arguments);
    for (const auto& one : sources) {
      source.insert(source.end(), one.begin(), one.end());
      batch.add(static_cast<Index>(one.size()));
      prompts.insert(prompts.end(), prompt.begin(), prompt.end());
      prompt_batch.add(static_cast<Index>(prompt.size()));
    }
    const auto session = opened_.model->start(source, batch, context);
    return eigenformer::generate(*session, {prompts, prompt_batch}, options_of(arguments));
  }

 private:
  using Report = std::function<void(const Check&)>;

  /// That of the options; else int8 where the file is; else f32, for what a file of halves holds is
  /// what was recorded.
  static Storage storage_asked(const std::string& path, const ModelOptions& options) {
    if (options.storage) return *options.storage;
    const io::Tensors tensors = io::open_checkpoint(path, options.load);
    return storage_of(tensors) == Storage::int8 ? Storage::int8 : Storage::f32;
  }
  /// The folder that has the goldens: another one, for the same weights in another form.
  static std::string golden_path(const std::string& path) {
    const io::Json json = io::read_json(path + "/golden.json");
    const auto same = json.find("same_outputs_as");
    return same ? path + "/../" + std::string(same->string()) : path;
  }
  static std::vector<TokenId> ids(const io::Json& list) {
    std::vector<TokenId> out;
    for (const io::Json& id : list.elements()) {
      out.push_back(static_cast<TokenId>(id.integer(0, 1 << 30)));
    }
    return out;
  }
  /// An argument that is null takes the folder's setting away.
  GenerationOptions options_of(const io::Json& arguments) const {
    GenerationOptions options = read_generation_config(arguments, opened_.model->target_vocab());
    for (const io::Json& argument : arguments.members()) {
      if (argument.kind() != io::JsonKind::null) continue;
      if (argument.key() != "forced_eos_token_id") throw argument.expected("a value");
      options.forced_eos_tokens.emplace();
    }
    return options.or_from(opened_.defaults);
  }
  /// The start token, and what the target has to begin with.
  std::vector<TokenId> prompt_of(const io::Json& arguments) const {
    const TokenId start = opened_.defaults.start_token.value();
    const auto given = arguments.find("decoder_input_ids");
    std::vector<TokenId> prompt = given ? ids(given->elements()[0]) : std::vector<TokenId>{start};
    if (prompt[0] != start) prompt.insert(prompt.begin(), start);
    return prompt;
  }
  static std::vector<std::vector<TokenId>> lists(const io::Json& list) {
    std::vector<std::vector<TokenId>> out;
    for (const io::Json& one : list.elements()) out.push_back(ids(one));
    return out;
  }

  /// As far from the record as the reference's float32 is from its float64, four times; or a share
  /// of its largest magnitude.
  double tolerance(const std::string& tensor) const {
    double largest = 0;
    if (share_ > 0) {
      for (const double x : io::values<double>(tensors_, tensor)) {
        largest = std::max(largest, std::abs(x));
      }
    }
    const bool of_encoder = tensor.find("encoder_last") != std::string::npos ||
                            tensor.find(".encoder_") != std::string::npos;
    const auto known = json_.at("max_abs_diff_float32_float64");
    const io::Json recorded = known.at(of_encoder ? "encoder_last_hidden_state" : "logits");
    return std::max({1e-5, 4 * recorded.number(0, 1), share_ * largest});
  }

  /// The larger of two differences; NaN is infinite.
  static double larger(double difference, double other) {
    if (std::isnan(other)) return HUGE_VAL;
    return std::max(difference, std::abs(other));
  }

  template <class Value>
  void compare(const std::string& name, const std::vector<Value>& got, const Report& report) const {
    const auto expected = io::values<double>(tensors_, name);
    double difference = expected.size() == got.size() ? 0.0 : HUGE_VAL;
    for (std::size_t i = 0; i < got.size() && difference < HUGE_VAL; ++i) {
      difference = larger(difference, static_cast<double>(got[i]) - expected[i]);
    }
    report({name, difference, tolerance(name), true});
  }

  void check_sequence(Context& context, const std::vector<TokenId>& source, std::size_t i,
                      const Report& report) const {
    const std::string prefix = "seq." + std::to_string(i) + ".";
    const auto target = ids(json_.at("decoder_input_ids").elements()[i]);
    const Batch batch(static_cast<Index>(source.size()));
    Recorder recorder;
    context.watch(recorder);
    Matrix<float> states(batch.tokens(), opened_.model->d_model());
    opened_.model->encode(source, batch, context, states);
    const Batch target_batch(static_cast<Index>(target.size()));
    opened_.model->start(states.view(), batch, context)->advance(target, target_batch);
    context.unwatch();
    compare(prefix + "encoder_last_hidden_state",
            std::vector<float>(states.data(), states.data() + states.size()), report);
    for (const auto& [name, values] : recorder.tensors()) {
      if (tensors_.find(prefix + name)) compare(prefix + name, values, report);
    }
    const auto session = opened_.model->start(states.view(), batch, context);
    const Matrix<float> got = logits(*session, {target}, target_batch);
    compare(prefix + "logits", std::vector<float>(got.data(), got.data() + got.size()), report);
  }

  /// All sources in one batch, which the reference padded: only what is not padding counts.
  void check_batch(Context& context, const std::vector<std::vector<TokenId>>& sources,
                   const Report& report) const {
    std::vector<TokenId> all;
    Batch batch;
    for (const auto& source : sources) {
      all.insert(all.end(), source.begin(), source.end());
      batch.add(static_cast<Index>(source.size()));
    }
    Matrix<float> states(batch.tokens(), opened_.model->d_model());
    opened_.model->encode(all, batch, context, states);
    compare_rows("batch.encoder_last_hidden_state", states, batch, report);
    const auto targets = lists(json_.at("decoder_input_ids"));
    Batch target_batch;
    for (const auto& target : targets) target_batch.add(static_cast<Index>(target.size()));
    const auto session = opened_.model->start(states.view(), batch, context);
    compare_rows("batch.logits", logits(*session, targets, target_batch), target_batch, report);
  }

  /// Rows of sequences against a record that is padded behind each.
  void compare_rows(const std::string& name, const Matrix<float>& got, const Batch& batch,
                    const Report& report) const {
    const auto expected = io::values<double>(tensors_, name);
    const Index longest = tensors_.at(name).shape[1], width = got.cols();
    double difference = 0;
    for (Index s = 0; s < batch.sequences(); ++s) {
      for (Index t = 0; t < batch.length(s); ++t) {
        for (Index c = 0; c < width; ++c) {
          const auto at = static_cast<std::size_t>((s * longest + t) * width + c);
          difference = larger(difference, double{got(batch.begin(s) + t, c)} - expected[at]);
        }
      }
    }
    report({name, difference, tolerance(name), true});
  }

  void check_case(Context& context, const io::Json& one, const Report& report) const {
    const auto sources = inputs();
    const std::string name = "generate." + std::string(one.at("name").string());
    if (one.find("batch")) {
      const auto answers = this->generate(context, sources, one.at("args"));
      return report(check_answers(name, answers, one, one.at("args")));
    }
    for (const io::Json& output : one.at("outputs").elements()) {
      const auto input = output.at("input").integer(0, static_cast<Index>(sources.size()) - 1);
      const auto answer =
          this->generate(context, {sources[static_cast<std::size_t>(input)]}, one.at("args"));
      report(check_answers(name + "." + std::to_string(input), answer, output, one.at("args")));
    }
  }

  void check_beams(Context& context, const io::Json& json, const Report& report) const {
    for (const char* const kind : {"stopping", "repetition"}) {
      const io::Json settings = json.at(kind).at("settings"), cases = json.at(kind).at("cases");
      for (std::size_t c = 0; c < cases.elements().size(); ++c) {
        const io::Json one = cases.elements()[c];
        for (std::size_t s = 0; s < settings.elements().size(); ++s) {
          const std::string name =
              "beams." + std::string(kind) + "." + std::to_string(c) + "." + std::to_string(s);
          const io::Json setting = settings.elements()[s];
          const auto answer = this->generate(context, {ids(one.at("input_ids"))}, setting);
          report(check_answers(name, answer, one.at("outputs").elements()[s], setting));
        }
      }
    }
  }

  /// Ids must be equal: the difference is infinite where one is not. Else it is the scores'.
  Check check_answers(const std::string& name, const std::vector<Generated>& answers,
                      const io::Json& recorded, const io::Json& arguments) const {
    const auto expected = lists(recorded.at("sequences"));
    const std::vector<TokenId> prompt = prompt_of(arguments);
    std::vector<const Hypothesis*> got;
    for (const Generated& answer : answers) {
      for (const Hypothesis& hypothesis : answer.hypotheses) got.push_back(&hypothesis);
    }
    Check check{name, got.size() == expected.size() ? 0.0 : HUGE_VAL, std::max(1e-4, share_),
                share_ == 0};
    const auto scores = recorded.find("sequences_scores");
    for (std::size_t i = 0; i < got.size() && check.passed(); ++i) {
      std::vector<TokenId> whole = prompt;
      whole.insert(whole.end(), got[i]->tokens.begin(), got[i]->tokens.end());
      if (!equal(whole, expected[i])) check.difference = HUGE_VAL;
      if (!scores || !check.passed()) continue;
      const double score = scores->elements()[i].number(-1e9, 1e9);
      check.difference = std::max(check.difference, std::abs(double{got[i]->score} - score));
    }
    return check;
  }
  /// `expected` has padding behind.
  bool equal(const std::vector<TokenId>& got, const std::vector<TokenId>& expected) const {
    const TokenId pad = static_cast<TokenId>(json_.at("pad_token_id").integer(0, 1 << 30));
    if (expected.size() < got.size()) return false;
    const auto end = expected.begin() + static_cast<std::ptrdiff_t>(got.size());
    return std::equal(got.begin(), got.end(), expected.begin()) &&
           std::all_of(end, expected.end(), [&](TokenId id) { return id == pad; });
  }

  OpenedModel opened_;
  double share_;
  std::string golden_path_;
  io::Json json_;
  io::Tensors tensors_;
};

}  // namespace golden
