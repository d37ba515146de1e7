#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print a table of what we do on all cores beside CTranslate2, torch, and ourselves on one core.

    benchmarks/peers/run --all-cores [--only REGEX] [--rounds N]

README.md beside this file says what is measured, and how.
"""

import argparse
import contextlib
import os
import statistics

from contest import (
    WALL,
    benchmark_names,
    rate_of,
    ratios,
    requests_for,
    take_turns,
    threads_of,
    worker,
)
from table import (
    BOUND_BAR,
    NAMES,
    NEW_TOKENS,
    ROOT,
    SETTINGS,
    Bench,
    Table,
    add_arguments,
    describe,
    fastest,
    figure,
    first_with,
    open_ctranslate2,
    percent,
    prepare,
    product_row,
    product_work,
    reading_bound,
    spread,
    times,
)

CORES = len(os.sched_getaffinity(0))

# Shape, batch of each worker, beams; how many times as fast as CTranslate2 and as our own one
# thread we are to be.
DECODING = [
    ("opus-mt", 1, 1, 3.0, 1.6),
    ("opus-mt", 1, 4, 3.5, 1.6),
    ("opus-mt", 32, 1, 2.1, 1.85),
    ("opus-mt", 32, 4, 2.1, 1.85),
    ("opus-mt", 64, 1, 2.1, 1.85),
    ("opus-mt", 64, 4, 2.1, 1.85),
    ("small", 1, 1, 2.0, None),
    ("small", 32, 1, 2.1, None),
]

# Tokens, causal, how many times as fast as torch.
ATTENTION = [(512, False, 1.5), (512, True, 1.8), (2048, False, 1.5), (2048, True, 1.8)]
HEADS = 8


def ways_of_ctranslate2(batch):
    """What its user may choose: one thread, all of them in a product, or a worker each."""
    splits = {"one thread": (1, 1), f"{CORES} threads": (1, CORES)}
    if batch > 1:
        splits[f"{CORES} workers"] = (CORES, 1)
    return {
        f"{name}, {split}": (settings, *counts)
        for name, settings in SETTINGS.items()
        for split, counts in splits.items()
    }


def decode_row(bench, stack, cell):
    shape, batch, beam, bar, own_bar = cell
    work = f"{NAMES[shape]} int8, batch {batch}, {'greedy' if beam == 1 else f'beam {beam}'}"
    if not bench.wanted(work):
        return
    prepare(bench, shape)
    sentences = batch if batch == 1 else batch * CORES
    request, tokens = (bench.sources(shape, sentences), beam, NEW_TOKENS), sentences * NEW_TOKENS
    alone = stack.enter_context(bench.ours(shape, "int8"))
    how = ("--threads", CORES) if batch == 1 else ("--workers", CORES)
    ours = stack.enter_context(bench.ours(shape, "int8", *how))
    peers = open_ctranslate2(bench, stack, shape, "int8", ways_of_ctranslate2(batch))
    way = fastest(bench, peers, request)
    contestants = []
    for child in (peers[way], ours, alone):
        count = requests_for(bench.seconds, child, request, WALL)
        contestants.append(lambda c=child, n=count: rate_of(c, request, tokens, n, WALL))
    if (shape, batch, beam) == ("opus-mt", 1, 1):
        contestants.append(lambda: reading_bound(bench, CORES))
    theirs, own, own_alone, *bounds = take_turns(contestants, bench.rounds)
    over_theirs, over_own = ratios(own, theirs), ratios(own, own_alone)
    met, text, bars = statistics.median(over_theirs) >= bar, spread(over_theirs, times), f"{bar}x"
    text += f"; {spread(over_own, times)} our one thread"
    own_met = own_bar is None or statistics.median(over_own) >= own_bar
    if own_bar:
        bars += f"; {own_bar}x"
    for bound in bounds:
        share = statistics.median(ratios(own, bound))
        own_met = own_met or share >= BOUND_BAR
        text += f"; {percent(share)} of the {statistics.median(bound):.0f} that reading allows"
        bars += f", or {100 * BOUND_BAR:.0f} %"
    met = met and own_met
    peer = f"{figure(theirs, 'tokens/s')} ({way})"
    rounds = {"theirs": theirs, "ours": own, "alone": own_alone}
    bench.table.row(work, peer, figure(own, "tokens/s"), text, bars, met, rounds)


def attention_row(bench, tokens, causal, bar):
    kind = "causal" if causal else "full"
    work = f"attention f32, {kind}, T {tokens}, {HEADS} heads of 64"
    if not bench.wanted(work):
        return
    names = benchmark_names(bench.program("bench_attention"))
    name = first_with(names, f"/{kind}/tokens:{tokens}/heads:{HEADS}/threads:{CORES}")

    def ours():
        lines, _ = bench.google("bench_attention", name)
        return lines[name]["real_time"] / 1e3

    with worker(ROOT, "torch", CORES, settings=threads_of(CORES)) as torch:
        request = (tokens, HEADS, int(causal), bench.seconds / 4)
        theirs, own = take_turns(
            [lambda: 1e3 * torch.ask(*request)["seconds"], ours], bench.rounds
        )
    ratio = ratios(theirs, own)
    met, peer = statistics.median(ratio) >= bar, f"{figure(theirs, 'ms')} (torch)"
    rounds = {"theirs": theirs, "ours": own}
    text = spread(ratio, times)
    bench.table.row(work, peer, figure(own, "ms"), text, f"{bar}x", met, rounds)


def product_rows(bench):
    """Ours and the reading of the same bytes by all cores take turns inside bench_products."""
    program = bench.program("bench_products")
    for name in dict.fromkeys(benchmark_names(program)):
        if f"/threads:{CORES}" in name and bench.wanted(product_work(name)):
            rounds = [bench.google("bench_products", name)[0] for _ in range(bench.rounds)]
            product_row(bench, name, [lines[name] for lines in rounds])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    bench = Bench(parser.parse_args(), Table(), WALL)
    describe(bench, f"all of {CORES} cores, by the time that passes")
    bench.table.head()
    for cell in DECODING:
        with contextlib.ExitStack() as stack:
            decode_row(bench, stack, cell)
    for cell in ATTENTION:
        attention_row(bench, *cell)
    product_rows(bench)
    bench.table.end(file=bench.options.json)


if __name__ == "__main__":
    main()
