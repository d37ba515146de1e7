// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "eigenformer/kernels/double_operations.hpp"
#include "eigenformer/kernels/operations.hpp"
#include "eigenformer/layers/module.hpp"

namespace eigenformer::inline v0 {

struct EmbeddingConfig {
  Index vocab;         ///< 1 to 2^24
  Index d_model;       ///< 1 to 2^24
  double scale = 1.0;  ///< of the looked-up rows; sqrt(d_model) in the paper
  Storage storage = Storage::f32;
};

/// A row of the table for each token, times a scale.
///
/// Parameters: weight [vocab, d_model].
template <class Scalar>
class Embedding : public Module<Embedding<Scalar>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit Embedding(const EmbeddingConfig& config)
      : scale_(to_nearest<Scalar>(config.scale)),
        weight_(checked(config).vocab, config.d_model, config.storage) {}

  /// ids [tokens], x [tokens, d_model]. Throws Error(shape_mismatch), and Error(out_of_range) for
  /// an id outside the vocabulary.
  void operator()(std::span<const TokenId> ids, Context& context, MatrixView<Scalar> x) const {
    expect_shape(x, static_cast<Index>(ids.size()), weight_.inputs(), "Embedding: x");
    const Profile::Scope scope(context.profile(),
                               {.name = "embedding", .storage = weight_.storage()});
    scope.work({.memory = x.rows() * static_cast<Index>(weight_.bytes()) / weight_.outputs(),
                .activations = x.rows() * x.cols() * Index{sizeof(Scalar)}});
    for (std::size_t t = 0; t < ids.size(); ++t) {
      if (ids[t] < 0 || ids[t] >= weight_.outputs()) throw_out_of_range(t, ids[t]);
      weight_.copy_row(ids[t], x.row(static_cast<Index>(t)));
    }
    if (scale_ != Scalar{1}) kernels::scale(context, x, scale_, x);
  }

  /// The table [vocab, d_model], which a tied output projection multiplies with.
  const WeightMatrix<Scalar>& weight() const { return weight_; }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    visitor(prefix + "weight", self.weight_);
  }

 private:
  static const EmbeddingConfig& checked(const EmbeddingConfig& config) {
    expect_range(config.vocab, 1, most_features, "EmbeddingConfig.vocab");
    expect_range(config.d_model, 1, most_features, "EmbeddingConfig.d_model");
    return config;
  }
  [[noreturn]] void throw_out_of_range(std::size_t token, TokenId id) const {
    throw Error(ErrorCode::out_of_range,
                "Embedding: token " + std::to_string(token) + ": expected an id in [0, " +
                    std::to_string(weight_.outputs()) + "), got " + std::to_string(id));
  }

  Scalar scale_;
  WeightMatrix<Scalar> weight_;  // [vocab, d_model]
};

}  // namespace eigenformer::inline v0
