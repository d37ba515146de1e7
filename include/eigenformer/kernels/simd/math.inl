// SPDX-License-Identifier: MIT
// exp, tanh, erf and the activations: the steps of reference/math.hpp, 16 at a time.

EIGENFORMER_OP F32x16 exp(F32x16 whole_range) {
  const F32x16 x = exp_range(whole_range);
  const F32x16 magic = broadcast(12582912.0f);
  const F32x16 shifted = fma(x, broadcast(1.44269504f), magic);
  const F32x16 n = subtract(shifted, magic);
  F32x16 r = fma(n, broadcast(-0.693359375f), x);
  r = fma(n, broadcast(2.12194440e-4f), r);
  F32x16 p = broadcast(1.381459879e-03f);
  p = fma(p, r, broadcast(8.368716575e-03f));
  p = fma(p, r, broadcast(4.166838899e-02f));
  p = fma(p, r, broadcast(1.666652113e-01f));
  p = fma(p, r, broadcast(4.999999404e-01f));
  p = fma(p, r, broadcast(1.0f));
  p = fma(p, r, broadcast(1.0f));
  return times_power_of_two(p, n, shifted, whole_range);
}

EIGENFORMER_OP F32x16 tanh(F32x16 x) {
  const F32x16 magnitude = absolute(x), square = multiply(x, x), one = broadcast(1.0f);
  F32x16 p = broadcast(-5.717045162e-03f);
  p = fma(p, square, broadcast(2.065058798e-02f));
  p = fma(p, square, broadcast(-5.374349654e-02f));
  p = fma(p, square, broadcast(1.333149076e-01f));
  p = fma(p, square, broadcast(-3.333328366e-01f));
  const F32x16 small = fma(multiply(p, square), x, x);
  const F32x16 rest = divide(broadcast(2.0f), add(exp(add(magnitude, magnitude)), one));
  return copy_sign(if_less(magnitude, broadcast(0.625f), small, subtract(one, rest)), x);
}

EIGENFORMER_OP F32x16 erf(F32x16 x) {
  const F32x16 magnitude = absolute(x), square = multiply(x, x), one = broadcast(1.0f);
  F32x16 p = broadcast(7.889122935e-05f);
  p = fma(p, square, broadcast(-8.020842215e-04f));
  p = fma(p, square, broadcast(5.189535674e-03f));
  p = fma(p, square, broadcast(-2.685444430e-02f));
  p = fma(p, square, broadcast(1.128360033e-01f));
  p = fma(p, square, broadcast(-3.761262596e-01f));
  p = fma(p, square, broadcast(1.283791661e-01f));
  const F32x16 small = fma(p, x, x);
  const F32x16 tail = smaller(broadcast(4.0f), magnitude);
  F32x16 q = broadcast(-2.168674837e-05f);
  q = fma(q, tail, broadcast(4.413351126e-04f));
  q = fma(q, tail, broadcast(-4.204555415e-03f));
  q = fma(q, tail, broadcast(2.520823851e-02f));
  q = fma(q, tail, broadcast(-1.084185466e-01f));
  q = fma(q, tail, broadcast(-6.332198977e-01f));
  q = fma(q, tail, broadcast(-1.129578352e+00f));
  q = fma(q, tail, broadcast(1.880364580e-04f));
  const F32x16 large = copy_sign(subtract(one, exp(q)), x);
  return if_less(magnitude, one, small, large);
}

EIGENFORMER_OP F32x16 gated_by_sigmoid(F32x16 x, F32x16 s) {
  // 0 - s has another sign of zero than -s, which exp does not see.
  return divide(x, add(broadcast(1.0f), exp(subtract(broadcast(0.0f), s))));
}

// Types, because a function that is always inlined has no address to pass.
struct Exp {
  EIGENFORMER_OP static F32x16 of(F32x16 x) { return exp(x); }
};
struct Erf {
  EIGENFORMER_OP static F32x16 of(F32x16 x) { return erf(x); }
};
struct Tanh {
  EIGENFORMER_OP static F32x16 of(F32x16 x) { return tanh(x); }
};
struct Relu {
  EIGENFORMER_OP static F32x16 of(F32x16 x) { return larger(broadcast(0.0f), x); }
};
struct Sigmoid {
  EIGENFORMER_OP static F32x16 of(F32x16 x) { return gated_by_sigmoid(broadcast(1.0f), x); }
};
struct Silu {
  EIGENFORMER_OP static F32x16 of(F32x16 x) { return gated_by_sigmoid(x, x); }
};
struct QuickGelu {
  EIGENFORMER_OP static F32x16 of(F32x16 x) {
    return gated_by_sigmoid(x, multiply(broadcast(1.702f), x));
  }
};
struct Gelu {
  EIGENFORMER_OP static F32x16 of(F32x16 x) {
    const F32x16 half = multiply(broadcast(0.5f), x);
    return fma(half, erf(multiply(x, broadcast(0.707106781f))), half);
  }
};
struct GeluTanh {
  EIGENFORMER_OP static F32x16 of(F32x16 x) {
    const F32x16 inner = fma(multiply(x, x), broadcast(0.0713548163f), broadcast(1.59576912f));
    return gated_by_sigmoid(x, multiply(x, inner));
  }
};
