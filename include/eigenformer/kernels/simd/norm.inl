// SPDX-License-Identifier: MIT
// LayerNorm and RMSNorm: reference/norm.hpp, a row at a time.

/// y = (x - mean) * inverse * weight + bias.
EIGENFORMER_OP void normalize(const NormRow& row, float mean, float inverse) {
  const F32x16 means = broadcast(mean), inverses = broadcast(inverse);
  for (Index i = 0; i < row.features; i += lanes) {
    const Index count = std::min(lanes, row.features - i);
    const F32x16 x = load_first(row.x + i, count), weight = load_first(row.weight + i, count);
    const F32x16 normal = multiply(subtract(x, means), inverses);
    const F32x16 y =
        row.bias ? fma(normal, weight, load_first(row.bias + i, count)) : multiply(normal, weight);
    store_first(row.y + i, y, count);
  }
}

/// The sum of (x - mean)^2.
EIGENFORMER_OP float sum_of_squares(const NormRow& row, float mean) {
  const F32x16 means = broadcast(mean);
  F32x16 sum = broadcast(0.0f);
  Index i = 0;
  for (; i + lanes <= row.features; i += lanes) {
    const F32x16 centred = subtract(load(row.x + i), means);
    sum = fma(centred, centred, sum);
  }
  if (i < row.features) {
    const Index count = row.features - i;
    const F32x16 centred = subtract(load_first(row.x + i, count), means);
    const F32x16 counted = only_lanes(centred, 0, count, broadcast(0.0f));
    sum = fma(counted, counted, sum);
  }
  return tree_sum(sum);
}

EIGENFORMER_KERNEL void layer_norm(const NormRow& row) {
  F32x16 sum = broadcast(0.0f);
  Index i = 0;
  for (; i + lanes <= row.features; i += lanes) sum = add(sum, load(row.x + i));
  if (i < row.features) sum = add(sum, load_first(row.x + i, row.features - i));
  const auto count = static_cast<float>(row.features);
  const float mean = tree_sum(sum) / count;
  normalize(row, mean, 1.0f / std::sqrt(sum_of_squares(row, mean) / count + row.epsilon));
}

EIGENFORMER_KERNEL void rms_norm(const NormRow& row) {
  const auto count = static_cast<float>(row.features);
  normalize(row, 0.0f, 1.0f / std::sqrt(sum_of_squares(row, 0.0f) / count + row.epsilon));
}
