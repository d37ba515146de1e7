// SPDX-License-Identifier: MIT
/// Stacks of blocks, with a norm at the end where the config says so.
#pragma once

#include <optional>
#include <vector>

#include "eigenformer/layers/decoder_layer.hpp"
#include "eigenformer/layers/encoder_layer.hpp"

namespace eigenformer::inline v0 {

/// Blocks one after another. `Block` is made from (config, its number).
///
/// Parameters: layers.0's, layers.1's, ...; final_norm's, if there is one.
template <class Scalar, class Wiring, class Block>
class Stack : public Module<Stack<Scalar, Wiring, Block>, Scalar> {
 public:
  /// Throws Error(invalid_argument).
  Stack(const TransformerConfig& config, Index layers) {
    expect_range(layers, 0, most_layers, "TransformerConfig: layers of a stack");
    for (Index layer = 0; layer < layers; ++layer) layers_.emplace_back(config, layer);
    if (config.final_norm) final_norm_.emplace(config.norm());
  }

  template <class Self, class Visitor>
  static void visit(Self& self, const std::string& prefix, Visitor& visitor) {
    for (std::size_t layer = 0; layer < self.layers_.size(); ++layer) {
      Block::visit(self.layers_[layer], prefix + "layers." + std::to_string(layer) + ".", visitor);
    }
    if (self.final_norm_) {
      self.final_norm_->visit(*self.final_norm_, prefix + "final_norm.", visitor);
    }
  }

 protected:
  /// x [tokens, d_model] is replaced by the stack's output; `inputs` are what a block's forward
  /// takes between x and the context.
  template <class... Inputs>
  void run_layers(MatrixView<Scalar> x, Context& context, Inputs&... inputs) const {
    Index layer = 0;
    for (const Block& block : layers_) {
      const Profile::Scope scope(context.profile(), {"layer", layer});
      show(layer++, x, context);
      block.forward(x, inputs..., context);
    }
    if (final_norm_) (*final_norm_)(x, context, x);
    show(layer, x, context);
  }
  /// function(block) for each.
  template <class Function>
  void for_each_layer(Context& context, Function function) const {
    Index layer = 0;
    for (const Block& block : layers_) {
      const Profile::Scope scope(context.profile(), {"layer", layer++});
      function(block);
    }
  }

 private:
  /// Shows x to whoever watches.
  static void show(Index layer, MatrixView<const Scalar> x, Context& context) {
    AttentionObserver* const observer = context.observer();
    if (!observer || !observer->wants_states()) return;
    const Matrix<double> states = as_eigen(x).template cast<double>();
    observer->observe_states({Block::stack, layer, states});
  }

  static constexpr Index most_layers = 1 << 16;

  std::vector<Block> layers_;
  std::optional<typename Wiring::template Norm<Scalar>> final_norm_;
};

/// The paper's encoder, left half of figure 1.
template <class Scalar, class Wiring = PostNorm>
class Encoder : public Stack<Scalar, Wiring, EncoderLayer<Scalar, Wiring>> {
  using Base = Stack<Scalar, Wiring, EncoderLayer<Scalar, Wiring>>;

 public:
  explicit Encoder(const TransformerConfig& config) : Base(config, config.encoder_layers) {}

  /// x [tokens, d_model] is replaced by the encoder's output. Throws Error(shape_mismatch).
  void forward(MatrixView<Scalar> x, const Batch& batch, Context& context) const {
    Base::run_layers(x, context, batch);
  }
};

/// The paper's decoder, right half of figure 1.
template <class Scalar, class Wiring = PostNorm>
class Decoder : public Stack<Scalar, Wiring, DecoderLayer<Scalar, Wiring>> {
  using Base = Stack<Scalar, Wiring, DecoderLayer<Scalar, Wiring>>;

 public:
  explicit Decoder(const TransformerConfig& config)
      : Base(config.of_decoder(), config.decoder_layers) {}

  /// x [tokens, d_model] is replaced by the decoder's output. Throws Error(shape_mismatch).
  void forward(MatrixView<Scalar> x, const Batch& batch, const Memory<Scalar>& memory,
               Context& context) const {
    Base::run_layers(x, context, batch, memory);
  }
  /// The same for rows that grow: x [tokens, d_model] are their new tokens, for which cache.past
  /// has room; cache.memory has been filled by remember().
  void forward(MatrixView<Scalar> x, const Batch& batch, DecoderCache& cache,
               Context& context) const {
    Base::run_layers(x, context, batch, cache);
  }

  /// A row in cache.memory for each sequence of the encoder's output.
  void remember(const Memory<Scalar>& memory, DecoderCache& cache, Context& context) const {
    cache.memory.add_rows(memory.batch.sequences());
    cache.memory.extend(memory.batch);
    Base::for_each_layer(context,
                         [&](const auto& layer) { layer.remember(memory, cache, context); });
  }
};

#if !EIGENFORMER_DEFINES(EIGENFORMER_PART_LAYERS)
extern template class Encoder<float, PostNorm>;
extern template class Encoder<float, PreNorm>;
extern template class Decoder<float, PostNorm>;
extern template class Decoder<float, PreNorm>;
#endif

}  // namespace eigenformer::inline v0
