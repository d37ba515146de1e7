#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""guard.py FOLDER: fails if the kernels in the programs of that folder have become slow.

Ratios only, of what took turns in one program, by the thread's processor time: to the machine's
peak and to the reference kernels, which are the same work in plain C++. A share's limit is about
half of what was measured when it was set, that of a gain about a tenth, and the best of three
attempts counts, so that no busy machine fails. Exit status 77: there are no kernels here but portable ones.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ATTEMPTS, SKIPPED = 3, 77
SECONDS = 0.03  # of each contestant

# Program, benchmark (ISA: the fastest kernels), and the least share of its peak.
SHARES = [
    ("bench_products", "product/ISA/f32/256x512x512", 0.45),
    ("bench_products", "product/ISA/int8/256x512x512", 0.35),
    ("bench_products", "product/ISA/f32/1x512x2048x8", 0.30),
    ("bench_products", "product/ISA/int8/1x512x2048x8", 0.30),
    ("bench_attention", "attention/ISA/full/tokens:512/heads:1", 0.35),
    ("bench_attention", "attention/ISA/causal/tokens:512/heads:1", 0.30),
]
AMX_SHARE = 0.10  # of int8 products: loads can't keep tiles that busy, and none was measured

# How many times as fast as the reference at least; lower, as that depends on the compiler.
TIMES = [
    ("bench_products", "product/ISA/f32/6x512x512", 15),
    ("bench_products", "product/ISA/int8/6x512x512", 6),
    ("bench_attention", "attention/ISA/full/tokens:128/heads:1", 15),
]


def run(folder, program, *options):
    environment = {name: value for name, value in os.environ.items() if name != "EIGENFORMER_ISA"}
    done = subprocess.run(
        [folder / program, *options],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def fastest(folder):
    """By name; the one whose products come first."""
    names = run(folder, "bench_products", "--benchmark_list_tests").split()
    return names[0].split("/")[1]


def measure(folder, program, names):
    """Those benchmarks, by name."""
    options = (f"--benchmark_min_time={SECONDS}", "--benchmark_format=json")
    pattern = f"--benchmark_filter=^({'|'.join(names)})/manual_time$"
    report = json.loads(run(folder, program, pattern, *options))
    return {line["name"].removesuffix("/manual_time"): line for line in report["benchmarks"]}


def checks(isa):
    """Program, names of the benchmarks, how to judge them, and the limit."""
    for program, name, limit in SHARES:
        name = name.replace("ISA", isa)
        if isa == "amx" and "/int8/256x" in name:
            limit = AMX_SHARE
        yield program, [name], lambda line: line["peak%"] / 100, limit, "of the peak"
    for program, name, limit in TIMES:
        names = [name.replace("ISA", isa), name.replace("ISA", "reference")]
        yield program, names, lambda a, b: b["real_time"] / a["real_time"], limit, "x reference"


def judge(folder, program, names, figure, limit):
    """The best of a few attempts, or the first that suffices."""
    best = 0
    for _ in range(ATTEMPTS):
        lines = measure(folder, program, names)
        best = max(best, figure(*(lines[name] for name in names)))
        if best >= limit:
            break
    return best


def main():
    folder, failed = Path(sys.argv[1]), 0
    isa = fastest(folder)
    if isa in ("portable", "reference"):
        print(f"skipped: the fastest kernels here are {isa}")
        return SKIPPED
    for program, names, figure, limit, unit in checks(isa):
        best = judge(folder, program, names, figure, limit)
        word = "ok" if best >= limit else "TOO SLOW"
        failed += best < limit
        print(f"{word}: {names[0]}: {best:.3g} {unit}, at least {limit:g}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
