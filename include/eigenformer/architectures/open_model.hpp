// SPDX-License-Identifier: MIT
/// A model's folder, as a hub has it, opened by what its config.json says it is.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "eigenformer/core/weight_matrix.hpp"
#include "eigenformer/generation/options.hpp"
#include "eigenformer/io/limits.hpp"
#include "eigenformer/models/interfaces.hpp"
#if EIGENFORMER_DEFINES(EIGENFORMER_PART_ARCHITECTURES)
#include "eigenformer/architectures/generation_config.hpp"
#include "eigenformer/architectures/marian.hpp"
#include "eigenformer/architectures/module_file.hpp"
#include "eigenformer/architectures/storage.hpp"
#include "eigenformer/architectures/vaswani.hpp"
#include "eigenformer/io/checkpoint.hpp"
#include "eigenformer/io/json.hpp"
#include "eigenformer/models/transformer_session.hpp"
#endif

namespace eigenformer::inline v0 {

struct ModelOptions {
  io::LoadOptions load;
  std::optional<Storage> storage;  ///< of weight matrices; unset: as most of the file's numbers are
};

/// A model that translates ids, and how its folder wants it to decode.
struct OpenedModel {
  std::string model_type;  ///< as config.json has it
  std::unique_ptr<SequenceToSequenceModel> model;
  GenerationOptions defaults;
};

/// Opens a folder with config.json, weights as io::open_checkpoint() finds them, and perhaps
/// generation_config.json. Throws Error: io, format, unsupported, missing_tensor, shape_mismatch,
/// or out_of_memory, with a text that says where.
OpenedModel open_model(const std::string& folder, const ModelOptions& options = {});

/// Writes the weights of such a folder's model as a safetensors file, under the names of its
/// family, each tied table once: matrices in `options.storage` (int8: docs/int8.md), the rest in
/// f32. With a copy of the folder's other files around it, the model is the same, bit for bit, as
/// the folder opened with `options`. Throws what open_model() throws, Error(unsupported) where a
/// number is too large for f16, Error(not_a_number) where int8 cannot hold one.
void convert_model(const std::string& folder, const std::string& path, const ModelOptions& options);

#if EIGENFORMER_DEFINES(EIGENFORMER_PART_ARCHITECTURES)
namespace detail {

template <class Wiring>
std::unique_ptr<SequenceToSequenceModel> as_model(Transformer<float, Wiring> transformer) {
  return std::make_unique<TransformerModel<Wiring>>(std::move(transformer));
}

/// The storage that the options ask for, else the file.
inline Storage storage_for(const ModelOptions& options, const io::Tensors& tensors) {
  return options.storage ? *options.storage : storage_of(tensors);
}

inline TransformerConfig marian_config(const io::Json& json, const io::Tensors& tensors,
                                       const ModelOptions& options) {
  TransformerConfig config = read_marian_config(json, options.load.limits);
  config.storage = storage_for(options, tensors);
  return config;
}

inline OpenedModel open_marian(const io::Json& json, const io::Tensors& tensors,
                               const ModelOptions& options) {
  return {
      "marian", as_model(make_marian<float>(marian_config(json, tensors, options), tensors)), {}};
}

inline void save_marian(const io::Json& json, const io::Tensors& tensors,
                        const ModelOptions& options, const std::string& path) {
  const TransformerConfig config = marian_config(json, tensors, options);
  save(make_marian<float>(config, tensors), path, marian_names(config, tensors),
       tensors.metadata());
}

inline VaswaniConfig vaswani_config(const io::Json& json, const io::Tensors& tensors,
                                    const ModelOptions& options) {
  VaswaniConfig config = read_vaswani_config(json, options.load.limits);
  config.transformer.storage = storage_for(options, tensors);
  return config;
}

inline OpenedModel open_vaswani(const io::Json& json, const io::Tensors& tensors,
                                const ModelOptions& options) {
  const VaswaniConfig config = vaswani_config(json, tensors, options);
  OpenedModel out{"vaswani", nullptr, {}};
  out.model = config.norm_first ? as_model(make_vaswani<float, PreNorm>(config, tensors))
                                : as_model(make_vaswani<float, PostNorm>(config, tensors));
  out.defaults.start_token = config.bos;
  out.defaults.stop_tokens = {config.eos};
  out.defaults.pad_token = config.pad;
  return out;
}

inline void save_vaswani(const io::Json& json, const io::Tensors& tensors,
                         const ModelOptions& options, const std::string& path) {
  const VaswaniConfig config = vaswani_config(json, tensors, options);
  const auto save_model = [&](const auto& model) {
    save(model, path, config.names, tensors.metadata());
  };
  if (config.norm_first) return save_model(make_vaswani<float, PreNorm>(config, tensors));
  save_model(make_vaswani<float, PostNorm>(config, tensors));
}

/// A family: what its config.json calls itself, who opens it, and who writes it.
struct Family {
  const char* model_type;
  OpenedModel (*open)(const io::Json& json, const io::Tensors& tensors,
                      const ModelOptions& options);
  void (*save)(const io::Json& json, const io::Tensors& tensors, const ModelOptions& options,
               const std::string& path);
};
inline constexpr Family families[] = {{"marian", open_marian, save_marian},
                                      {"vaswani", open_vaswani, save_vaswani}};

inline const Family& family_of(const io::Json& config) {
  const io::Json type = config.at("model_type");
  std::string known;
  for (const Family& family : families) {
    if (type.string() == family.model_type) return family;
    known += (known.empty() ? "\"" : ", \"") + std::string(family.model_type) + "\"";
  }
  throw type.error(ErrorCode::unsupported,
                   "expected one of " + known + ", got " + type.description());
}

/// generation_config.json alone where it is there, as the reference does; of config.json then only
/// the tokens that the other leaves out.
inline GenerationOptions generation_defaults(const std::string& folder, const io::Json& config,
                                             const io::LoadLimits& limits, Index vocab) {
  const GenerationOptions of_config = read_generation_config(config, vocab);
  const auto own = io::read_json_if_there(folder + "/generation_config.json", limits);
  if (!own) return of_config;
  GenerationOptions tokens;
  tokens.stop_tokens = of_config.stop_tokens;
  tokens.start_token = of_config.start_token;
  tokens.pad_token = of_config.pad_token;
  return read_generation_config(*own, vocab).or_from(tokens);
}

}  // namespace detail

EIGENFORMER_INLINE OpenedModel open_model(const std::string& folder, const ModelOptions& options) {
  io::detail::expect_folder(folder);
  return io::or_out_of_memory(folder, [&] {
    const io::Json config = io::read_json(folder + "/config.json", options.load.limits);
    const detail::Family& family = detail::family_of(config);
    OpenedModel opened = family.open(config, io::open_checkpoint(folder, options.load), options);
    opened.defaults = detail::generation_defaults(folder, config, options.load.limits,
                                                  opened.model->target_vocab())
                          .or_from(opened.defaults);
    return opened;
  });
}

EIGENFORMER_INLINE void convert_model(const std::string& folder, const std::string& path,
                                      const ModelOptions& options) {
  io::detail::expect_folder(folder);
  io::or_out_of_memory(folder, [&] {
    const io::Json config = io::read_json(folder + "/config.json", options.load.limits);
    const detail::Family& family = detail::family_of(config);
    const io::Tensors tensors = io::open_checkpoint(folder, options.load);
    if (options.storage == Storage::f16 && !detail::all_fit_f16(tensors)) {
      throw Error(ErrorCode::unsupported, tensors.file() + ": some numbers are too large for f16");
    }
    family.save(config, tensors, options, path);
  });
}

#endif

}  // namespace eigenformer::inline v0
