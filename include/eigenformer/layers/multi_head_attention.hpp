// SPDX-License-Identifier: MIT
#pragma once

#include "eigenformer/kernels/attention.hpp"
#include "eigenformer/layers/linear.hpp"

namespace eigenformer::inline v0 {

struct AttentionConfig {
  Index d_model;                                 ///< features of x and of the output
  Index heads;                                   ///< 1 and more
  Index kv_heads = 0;                            ///< divides heads; 0: as many as heads
  Index d_head = 0;                              ///< 0: d_model / heads, which must be whole
  bool bias = true;                              ///< of the four projections
  AttentionScope scope = AttentionScope::all();  ///< which keys a query may see
  AttentionPlace place = {};  ///< its layer in a KeyValueCache, and what observers are told
  Storage storage = Storage::f32;
};

/// The encoder's output, or whatever else cross-attention looks at.
template <class Scalar>
struct Memory {
  Rows<Scalar> states;  ///< [memory tokens, d_model]
  const Batch& batch;   ///< as many sequences as ask
};

/// Nothing: all keys are the sequence's own, and given with it.
struct NoPast {};

/// Rows whose keys and values are remembered; those of x, for which extend() has made room, join
/// them.
struct GrowingPast {
  KeyValueCache& cache;
};

/// A memory whose keys and values remember() has made.
struct KnownMemory {
  const KeyValueCache& cache;
};

/// MultiHead(Q, K, V) = Concat(head_1, ..., head_h) W_O, with head_i = Attention(Q W_Q, K W_K, V
/// W_V). Vaswani et al., section 3.2.2; with fewer key/value heads, groups of query heads share one
/// (Ainslie et al., "GQA", 2023).
///
/// Parameters: query.weight [heads d_head, d_model], key.weight and value.weight [kv_heads d_head,
/// d_model], output.weight [d_model, heads d_head], and their biases.
template <class Scalar>
class MultiHeadAttention : public Module<MultiHeadAttention<Scalar>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  explicit MultiHeadAttention(const AttentionConfig& config)
      : MultiHeadAttention(config, checked_d_head(config), checked_kv_heads(config)) {}

  /// Self-attention: x and out [tokens, d_model]. This and all that follows throw
  /// Error(shape_mismatch), and Error(invalid_argument) for unlike batches.
  void operator()(Rows<Scalar> x, const Batch& batch, Context& context,
                  MatrixView<Scalar> out) const {
    const Profile::Scope scope(context.profile(), {pass()});
    const Arena::Scope arena_scope(context.arena());
    const Rows<Scalar> in = kernels::with_twin(context, x, storage());
    attend_to(Memory<Scalar>{in, batch}, in, batch, context, out);
  }
  void operator()(Rows<Scalar> x, const Batch& batch, NoPast, Context& context,
                  MatrixView<Scalar> out) const {
    (*this)(x, batch, context, out);
  }

  /// Self-attention of rows that grow: what comes out is, bit for bit, what the whole rows give.
  void operator()(Rows<Scalar> x, const Batch& batch, GrowingPast past, Context& context,
                  MatrixView<Scalar> out) const {
    const Profile::Scope scope(context.profile(), {pass()});
    const Arena::Scope arena_scope(context.arena());
    const Rows<Scalar> in = kernels::with_twin(context, x, storage());
    write(in, batch, past.cache, context);
    attend_to(past.cache, in, batch, context, out);
  }
  /// Attention to a memory that is known.
  void operator()(Rows<Scalar> x, const Batch& batch, KnownMemory memory, Context& context,
                  MatrixView<Scalar> out) const {
    const Profile::Scope scope(context.profile(), {pass()});
    attend_to(memory.cache, x, batch, context, out);
  }
  /// Makes keys and values of memory.states for attention to a KnownMemory; extend() has made room.
  void remember(const Memory<Scalar>& memory, KeyValueCache& cache, Context& context) const {
    write(memory.states, memory.batch, cache, context);
  }

  /// Attention from x [tokens, d_model] to memory.states [memory tokens, d_model]; out [tokens,
  /// d_model].
  void operator()(Rows<Scalar> x, const Batch& batch, const Memory<Scalar>& memory,
                  Context& context, MatrixView<Scalar> out) const {
    const Profile::Scope scope(context.profile(), {pass()});
    attend_to(memory, x, batch, context, out);
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    Linear<Scalar>::visit(self.query_, prefix + "query.", visitor);
    Linear<Scalar>::visit(self.key_, prefix + "key.", visitor);
    Linear<Scalar>::visit(self.value_, prefix + "value.", visitor);
    Linear<Scalar>::visit(self.output_, prefix + "output.", visitor);
  }

 private:
  Storage storage() const { return query_.weight().storage(); }
  /// What a profile calls it.
  const char* pass() const {
    return place_.kind == AttentionKind::cross ? "cross-attention" : "self-attention";
  }
  void attend_to(const Memory<Scalar>& memory, Rows<Scalar> x, const Batch& batch, Context& context,
                 MatrixView<Scalar> out) const {
    expect_shape(x.values(), batch.tokens(), query_.inputs(), "MultiHeadAttention: x");
    expect_shape(memory.states.values(), memory.batch.tokens(), key_.inputs(),
                 "MultiHeadAttention: memory");
    expect_range(memory.batch.sequences(), batch.sequences(), batch.sequences(),
                 "MultiHeadAttention: sequences in memory");
    const Arena::Scope scope(context.arena());
    const auto queries = context.arena().matrix<Scalar>(x.tokens(), query_.outputs());
    const auto keys = context.arena().matrix<Scalar>(memory.states.tokens(), key_.outputs());
    const auto values = context.arena().matrix<Scalar>(memory.states.tokens(), value_.outputs());
    const auto heads = context.arena().matrix<Scalar>(x.tokens(), query_.outputs());

    const Rows<Scalar> states = kernels::with_twin(context, memory.states, storage());
    query_(x, context, queries);
    key_(states, context, keys);
    value_(states, context, values);
    kernels::attention(context,
                       kernels::Attention<Scalar>{.queries = queries,
                                                  .keys = keys,
                                                  .values = values,
                                                  .query_batch = batch,
                                                  .key_batch = memory.batch,
                                                  .heads = heads_,
                                                  .kv_heads = kv_heads_,
                                                  .scope = scope_,
                                                  .scale = scale_,
                                                  .place = place_},
                       heads);
    output_(heads, context, out);
  }
  /// Keys and values of x [tokens, d_model] into the cache.
  void write(Rows<Scalar> x, const Batch& batch, KeyValueCache& cache, Context& context) const {
    expect_shape(x.values(), batch.tokens(), key_.inputs(), "MultiHeadAttention: x");
    const Arena::Scope scope(context.arena());
    const auto keys = context.arena().matrix<Scalar>(x.tokens(), key_.outputs());
    const auto values = context.arena().matrix<Scalar>(x.tokens(), value_.outputs());
    const Rows<Scalar> in = kernels::with_twin(context, x, storage());
    key_(in, context, keys);
    value_(in, context, values);
    cache.write(place_.layer, keys, values, batch, context);
  }
  void attend_to(const KeyValueCache& cache, Rows<Scalar> x, const Batch& batch, Context& context,
                 MatrixView<Scalar> out) const {
    expect_shape(x.values(), batch.tokens(), query_.inputs(), "MultiHeadAttention: x");
    const Arena::Scope scope(context.arena());
    const auto queries = context.arena().matrix<Scalar>(x.tokens(), query_.outputs());
    const auto heads = context.arena().matrix<Scalar>(x.tokens(), query_.outputs());
    query_(x, context, queries);
    kernels::attention(context,
                       kernels::CachedAttention{.queries = queries,
                                                .query_batch = batch,
                                                .cache = cache,
                                                .layer = place_.layer,
                                                .heads = heads_,
                                                .scope = scope_,
                                                .scale = scale_,
                                                .place = place_},
                       heads);
    output_(heads, context, out);
  }

  MultiHeadAttention(const AttentionConfig& config, Index d_head, Index kv_heads)
      : heads_(config.heads),
        kv_heads_(kv_heads),
        scale_(paper_scale(d_head)),
        scope_(config.scope),
        place_(config.place),
        query_({config.d_model, config.heads * d_head, config.bias, config.storage}),
        key_({config.d_model, kv_heads * d_head, config.bias, config.storage}),
        value_({config.d_model, kv_heads * d_head, config.bias, config.storage}),
        output_({config.heads * d_head, config.d_model, config.bias, config.storage}) {}

  static Scalar paper_scale(Index d_head) {
    const FloatingPointGuard guard;
    return static_cast<Scalar>(1.0 / std::sqrt(static_cast<double>(d_head)));
  }
  static Index checked_d_head(const AttentionConfig& config) {
    expect_range(config.d_model, 1, most_features, "AttentionConfig.d_model");
    expect_range(config.heads, 1, 1 << 16, "AttentionConfig.heads");
    expect_range(config.d_head, 0, 1 << 16, "AttentionConfig.d_head");
    expect_range(config.scope.back, 0, AttentionScope::unlimited, "AttentionConfig.scope.back");
    expect_range(config.scope.ahead, 0, AttentionScope::unlimited, "AttentionConfig.scope.ahead");
    if (config.d_head > 0) return config.d_head;
    if (config.d_model < config.heads || config.d_model % config.heads != 0) {
      throw Error(ErrorCode::invalid_argument,
                  "AttentionConfig: expected heads that divide d_model, got " +
                      std::to_string(config.heads) + " heads and d_model " +
                      std::to_string(config.d_model));
    }
    return config.d_model / config.heads;
  }
  static Index checked_kv_heads(const AttentionConfig& config) {
    if (config.kv_heads == 0) return config.heads;
    if (config.kv_heads < 0 || config.heads % config.kv_heads != 0) {
      throw Error(ErrorCode::invalid_argument,
                  "AttentionConfig: expected kv_heads that divide heads, got " +
                      std::to_string(config.kv_heads) + " for " + std::to_string(config.heads));
    }
    return config.kv_heads;
  }

  Index heads_, kv_heads_;
  Scalar scale_;
  AttentionScope scope_;
  AttentionPlace place_;
  Linear<Scalar> query_;   // [heads d_head, d_model]
  Linear<Scalar> key_;     // [kv_heads d_head, d_model]
  Linear<Scalar> value_;   // [kv_heads d_head, d_model]
  Linear<Scalar> output_;  // [d_model, heads d_head]
};

#if !EIGENFORMER_DEFINES(EIGENFORMER_PART_LAYERS)
extern template class MultiHeadAttention<float>;
#endif

}  // namespace eigenformer::inline v0
