// SPDX-License-Identifier: MIT
/// What changes the sentences of forward is a type, and such a type is a wiring: it names the parts
/// that blocks and stacks are made of. A wiring of your own is a struct like these.
#pragma once

#include "eigenformer/layers/feed_forward.hpp"
#include "eigenformer/layers/positions.hpp"
#include "eigenformer/layers/residual.hpp"

namespace eigenformer::inline v0 {

/// The paper's: x = LayerNorm(x + sublayer(x)), sinusoids, a plain feed-forward network.
struct PostNorm {
  template <class Scalar>
  using Norm = LayerNorm<Scalar>;
  template <class Scalar>
  using Residual = ResidualNormAfter<Scalar, Norm>;
  template <class Scalar>
  using FeedForward = eigenformer::FeedForward<Scalar>;
  template <class Scalar>
  using Positions = SinusoidalPositions<Scalar>;
};

/// x = x + sublayer(LayerNorm(x)); a stack of such blocks wants TransformerConfig::final_norm.
struct PreNorm {
  template <class Scalar>
  using Norm = LayerNorm<Scalar>;
  template <class Scalar>
  using Residual = ResidualNormBefore<Scalar, Norm>;
  template <class Scalar>
  using FeedForward = eigenformer::FeedForward<Scalar>;
  template <class Scalar>
  using Positions = SinusoidalPositions<Scalar>;
};

}  // namespace eigenformer::inline v0
