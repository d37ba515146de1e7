// SPDX-License-Identifier: MIT
// Element by element; what is left behind the last whole vector goes through the same operations.

template <class Function>
EIGENFORMER_KERNEL void map(const float* x, float* y, Index n) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, Function::of(load(x + i)));
  if (i < n) store_first(y + i, Function::of(load_first(x + i, n - i)), n - i);
}

struct Add {
  EIGENFORMER_OP static F32x16 of(F32x16 a, F32x16 b) { return add(a, b); }
};
struct Multiply {
  EIGENFORMER_OP static F32x16 of(F32x16 a, F32x16 b) { return multiply(a, b); }
};

template <class Function>
EIGENFORMER_KERNEL void combine(const float* a, const float* b, float* y, Index n) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, Function::of(load(a + i), load(b + i)));
  if (i < n) {
    store_first(y + i, Function::of(load_first(a + i, n - i), load_first(b + i, n - i)), n - i);
  }
}

EIGENFORMER_KERNEL void scale(const float* x, float factor, float* y, Index n) {
  const F32x16 factors = broadcast(factor);
  Index i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, multiply(load(x + i), factors));
  if (i < n) store_first(y + i, multiply(load_first(x + i, n - i), factors), n - i);
}

EIGENFORMER_KERNEL void scale_add(const float* x, float factor, const float* addend, float* y,
                                  Index n) {
  const F32x16 factors = broadcast(factor);
  Index i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, fma(load(x + i), factors, load(addend + i)));
  if (i < n) {
    store_first(y + i, fma(load_first(x + i, n - i), factors, load_first(addend + i, n - i)),
                n - i);
  }
}

template <class Narrow>
EIGENFORMER_KERNEL void widen_row(const Narrow* x, float* y, Index n) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, widen(x + i));
  if (i < n) {
    Narrow rest[lanes] = {};
    std::memcpy(rest, x + i, static_cast<std::size_t>(n - i) * sizeof(Narrow));
    store_first(y + i, widen(rest), n - i);
  }
}

template <class Narrow>
EIGENFORMER_KERNEL void narrow_row(const float* x, Narrow* y, Index n) {
  Index i = 0;
  for (; i + lanes <= n; i += lanes) narrow(y + i, load(x + i));
  if (i < n) {
    Narrow rest[lanes];
    narrow(rest, load_first(x + i, n - i));
    std::memcpy(y + i, rest, static_cast<std::size_t>(n - i) * sizeof(Narrow));
  }
}
