"""Coefficients of the polynomials in kernels/: minimax by Remez exchange, then rounded to float32.

Usage: python3 tools/polynomials.py   (needs mpmath, from PyPI)

Each function f(x) is approximated as base(x) + factor(x) * P(u(x)); the weight makes the error
relative to f. After each coefficient, the error that remains with coefficients rounded to float32.
"""

import struct

import mpmath as mp

mp.mp.dps = 40


def remez(target, weight, degree, low, high, rounds=12):
    """The P of `degree` that minimises max |weight(u) (target(u) - P(u))| on [low, high]."""
    count = degree + 2
    middle, half = (low + high) / 2, (high - low) / 2
    nodes = [middle - half * mp.cos(mp.pi * k / (count - 1)) for k in range(count)]
    for _ in range(rounds):
        rows = mp.matrix(count, count)
        right = mp.matrix(count, 1)
        for i, u in enumerate(nodes):
            for j in range(degree + 1):
                rows[i, j] = u**j
            rows[i, degree + 1] = (-1) ** i / weight(u)
            right[i] = target(u)
        solution = mp.lu_solve(rows, right)
        coefficients = [solution[j] for j in range(degree + 1)]

        def error(u):
            return weight(u) * (target(u) - mp.polyval(coefficients[::-1], u))

        grid = [low + (high - low) * mp.mpf(k) / 4000 for k in range(4001)]
        values = [error(u) for u in grid]
        extremes = []
        for k, value in enumerate(values):
            left = values[k - 1] if k else None
            right_value = values[k + 1] if k + 1 < len(values) else None
            peak = all(v is None or abs(value) >= abs(v) or v * value < 0 for v in (left, right_value))
            if not peak:
                continue
            if extremes and extremes[-1][1] * value > 0:
                if abs(value) > abs(extremes[-1][1]):
                    extremes[-1] = (grid[k], value)
            else:
                extremes.append((grid[k], value))
        while len(extremes) > count:
            extremes.pop(0 if abs(extremes[0][1]) < abs(extremes[-1][1]) else -1)
        if len(extremes) < count:
            break
        nodes = [u for u, _ in extremes]
    return coefficients


def to_float32(value):
    return struct.unpack("<f", struct.pack("<f", float(value)))[0]


def report(name, target, weight, degree, low, high):
    low, high = mp.mpf(low), mp.mpf(high)
    rounded = [to_float32(c) for c in remez(target, weight, degree, low, high)]
    worst = max(
        abs(weight(u) * (target(u) - mp.polyval(rounded[::-1], u)))
        for u in (low + (high - low) * mp.mpf(k) / 2000 for k in range(2001))
    )
    print(f"{name}: degree {degree} on [{float(low):g}, {float(high):g}], error {float(worst):.2g}")
    for power, coefficient in enumerate(rounded):
        print(f"  {coefficient:.9e}f  // u^{power}")


def main():
    log2_half = mp.log(2) / 2 * mp.mpf("1.0001")
    # exp(r) = 1 + r + r^2 P(r)
    report("exp", lambda r: (mp.exp(r) - 1 - r) / r**2 if abs(r) > 1e-12 else mp.mpf(1) / 2 + r / 6,
           lambda r: r**2 * mp.exp(-r) + mp.mpf(10) ** -30, 4, -log2_half, log2_half)
    # tanh(x) = x + x^3 P(x^2)
    def tanh_part(u):
        x = mp.sqrt(u)
        return (mp.tanh(x) - x) / x**3 if u > 1e-10 else -mp.mpf(1) / 3 + 2 * u / 15
    report("tanh", tanh_part, lambda u: u + mp.mpf(10) ** -30, 4, 0, mp.mpf("0.625") ** 2)
    # erf(x) = x + x P(x^2) for |x| < 1
    def erf_part(u):
        x = mp.sqrt(u)
        return mp.erf(x) / x - 1 if u > 1e-20 else 2 / mp.sqrt(mp.pi) - 1
    report("erf", erf_part, lambda u: mp.mpf(1), 6, 0, 1)
    # erf(x) = 1 - exp(P(x)) for x >= 1
    report("erf tail", lambda x: mp.log(mp.erfc(x)), lambda x: mp.erfc(x), 7, 1, 4)


if __name__ == "__main__":
    main()
