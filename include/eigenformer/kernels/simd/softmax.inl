// SPDX-License-Identifier: MIT
// Softmax and its logarithm: reference/softmax.hpp.

EIGENFORMER_OP float maximum(const float* x, Index n) {
  const F32x16 lowest = broadcast(-__builtin_huge_valf());
  F32x16 max = lowest;
  Index i = 0;
  for (; i + lanes <= n; i += lanes) max = larger(load(x + i), max);
  if (i < n) max = larger(only_lanes(load_first(x + i, n - i), 0, n - i, lowest), max);
  return tree_max(max);
}

/// exp(x - origin), stored to y unless that is nullptr; returns the sum.
EIGENFORMER_OP float exp_and_sum(const float* x, float origin, float* y, Index n) {
  const F32x16 origins = broadcast(origin), zero = broadcast(0.0f);
  F32x16 sum = zero;
  Index i = 0;
  for (; i + lanes <= n; i += lanes) {
    const F32x16 power = exp(subtract(load(x + i), origins));
    if (y) store(y + i, power);
    sum = add(sum, power);
  }
  if (i < n) {
    const F32x16 power = exp(subtract(load_first(x + i, n - i), origins));
    if (y) store_first(y + i, power, n - i);
    sum = add(sum, only_lanes(power, 0, n - i, zero));
  }
  return tree_sum(sum);
}

EIGENFORMER_KERNEL void softmax(const float* x, float* y, Index n) {
  const float sum = exp_and_sum(x, maximum(x, n), y, n);
  scale(y, 1.0f / sum, y, n);
}

EIGENFORMER_KERNEL ExpSum exp_sum(const float* x, Index n) {
  const float max = maximum(x, n);
  return {max, exp_and_sum(x, reference::RunningSum::origin(max), nullptr, n)};
}

EIGENFORMER_KERNEL LogSumExp log_sum_exp(const float* x, Index n) {
  reference::RunningSum total;
  for (Index begin = 0; begin < n; begin += log_sum_exp_block) {
    total.merge(exp_sum(x + begin, std::min(log_sum_exp_block, n - begin)));
  }
  return total.result();
}

EIGENFORMER_KERNEL Index find_above(const float* x, Index begin, Index n, float threshold) {
  for (; begin + 4 * lanes <= n; begin += 4 * lanes) {  // most groups have none
    F32x16 max = broadcast(-__builtin_huge_valf());
    max = larger(load(x + begin), max);  // in this order a NaN does not count
    max = larger(load(x + begin + lanes), max);
    max = larger(load(x + begin + 2 * lanes), max);
    max = larger(load(x + begin + 3 * lanes), max);
    if (tree_max(max) > threshold) break;
  }
  return reference::find_above(x, begin, n, threshold);
}

EIGENFORMER_KERNEL void log_softmax(const float* x, float* y, Index n) {
  const LogSumExp total = log_sum_exp(x, n);
  const F32x16 max = broadcast(total.max), log_sum = broadcast(total.log_sum);
  for (Index i = 0; i < n; i += lanes) {
    const Index count = std::min(lanes, n - i);
    store_first(y + i, subtract(subtract(load_first(x + i, count), max), log_sum), count);
  }
}
