#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print a table of what we do beside CTranslate2, torch and the machine's peaks, on one core.

    benchmarks/peers/run [--only REGEX] [--rounds N]

README.md beside this file says what is measured, and how.
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import struct
import time

from common import draw_sources, write_sources
from contest import (
    Child,
    ChildFailed,
    benchmark_names,
    rate_of,
    ratios,
    requests_for,
    take_turns,
    worker,
)
from table import (
    BOUND_BAR,
    NAMES,
    NEW_TOKENS,
    ROOT,
    SETTINGS,
    SOURCE_TOKENS,
    VOCABULARIES,
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
    quantized,
    reading_bound,
    spread,
    times,
)

# Shape, our storage, CTranslate2's; batch, beams, and how many times as fast we are to be.
DECODING = [
    (
        ("opus-mt", "int8", "int8"),
        [(1, 1, 1.7), (1, 4, 2.5), (32, 1, 2.2), (32, 4, 2.3), (64, 1, 2.0), (64, 4, 2.3)],
    ),
    (("opus-mt", "f32", "float32"), [(1, 1, 1.05), (32, 1, 1.5)]),
    (("opus-mt", "bf16", "float32"), [(1, 1, 1.8)]),
    (("small", "int8", "int8"), [(1, 1, 1.8), (32, 1, 2.2)]),
]
ONE_THREAD = {name: (settings, 1, 1) for name, settings in SETTINGS.items()}

# Tokens, causal, how many times as fast.
ATTENTION = [(512, False, 1.15), (512, True, 2.0), (2048, False, 1.15), (2048, True, 1.5)]
HEADS = 8

PRODUCTS = r"/(f32|int8)/256x512x512$|/(f32|bf16|int8)/1x"


# ---------------------------------------------------------------- decoding


def decode_row(bench, work, cell, ours, peers):
    """One row: a shape's processes decode the same sources in turns."""
    shape, batch, beam, bar = cell
    request, tokens = (bench.sources(shape, batch), beam, NEW_TOKENS), batch * NEW_TOKENS
    setting = fastest(bench, peers, request)
    contestants = []
    for child in (peers[setting], ours):
        count = requests_for(bench.seconds, child, request)
        contestants.append(lambda c=child, n=count: rate_of(c, request, tokens, n))
    bounded = work == f"{NAMES['opus-mt']} int8, batch 1, greedy"
    if bounded and bench.program("bench_peak").exists():
        contestants.append(lambda: reading_bound(bench))
    theirs, own, *bounds = take_turns(contestants, bench.rounds)
    ratio = ratios(own, theirs)
    met, text, bar_text = statistics.median(ratio) >= bar, spread(ratio, times), f"{bar}x"
    for bound in bounds:
        share = statistics.median(ratios(own, bound))
        met = met or share >= BOUND_BAR
        text += f"; {percent(share)} of the {statistics.median(bound):.0f} that reading allows"
        bar_text += f", or {100 * BOUND_BAR:.0f} %"
    peer = f"{figure(theirs, 'tokens/s')} ({setting})"
    rounds = {"theirs": theirs, "ours": own}
    bench.table.row(work, peer, figure(own, "tokens/s"), text, bar_text, met, rounds)


def check_ids(bench, shape, ours, peers):
    """Whether both are the same network: ids of greedy search in float32, a sentence at a time."""
    rows = draw_sources(16, VOCABULARIES[shape] - 1, 0, SOURCE_TOKENS, SOURCE_TOKENS)
    peer, same = next(iter(peers.values())), 0
    for row in rows:
        write_sources(bench.folder(shape) / "sentence.txt", [row])
        request = ("sentence.txt", 1, NEW_TOKENS)
        same += ours.ask(*request)["ids_checksum"] == peer.ask(*request)["ids_checksum"]
    return f"{NAMES[shape]}, float32, greedy: the same ids from {same} of {len(rows)} sentences."


def decode_rows(bench):
    checked = set()
    for (shape, storage, theirs), cells in DECODING:
        works = []
        for batch, beam, bar in cells:
            search = "greedy" if beam == 1 else f"beam {beam}"
            work = f"{NAMES[shape]} {storage}, batch {batch}, {search}"
            if bench.wanted(work):
                works.append((work, (shape, batch, beam, bar)))
        if not works:
            continue
        if not bench.program("bench_decode").exists():
            for work, _ in works:
                bench.table.not_built(work, "bench_decode")
            continue
        prepare(bench, shape)
        if shape not in checked:
            checked.add(shape)
            with contextlib.ExitStack() as stack:
                ours = stack.enter_context(bench.ours(shape, "f32"))
                peers = open_ctranslate2(bench, stack, shape, "float32", ONE_THREAD)
                bench.notes.append(check_ids(bench, shape, ours, peers))
        with contextlib.ExitStack() as stack:
            ours = stack.enter_context(bench.ours(shape, storage))
            peers = open_ctranslate2(bench, stack, shape, theirs, ONE_THREAD)
            for work, cell in works:
                decode_row(bench, work, cell, ours, peers)


# ---------------------------------------------------------------- memory and start


def weight_bytes(path, storage_bytes):
    """Of a safetensors file of float32, if matrices are stored in int8: a byte a number, and a
    scale for each output."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    header.pop("__metadata__", None)
    total = 0
    for tensor in header.values():
        shape = tensor["shape"]
        rows, count = shape[0], 1
        for extent in shape:
            count *= extent
        total += count * storage_bytes + 4 * rows if len(shape) > 1 and rows > 1 else 4 * count
    return total


def memory_of_ours(bench, folder, weights):
    command = [bench.program("bench_decode"), folder, "--weights", "int8", "--requests"]
    with Child(command, bench.folder("opus-mt")) as child:
        child.ask(bench.sources("opus-mt", 32), 4, NEW_TOKENS)
        return (1024 * child.peak_kilobytes() - weights) / 1e6


def memory_of_ctranslate2(bench, settings):
    """Without what Python and the import take."""
    folder = bench.folder("opus-mt")
    with worker(folder, "ctranslate2", "ct2-int8", settings=settings) as child:
        before = child.answer()["resident_kb"]
        child.ask(bench.sources("opus-mt", 32), 4, NEW_TOKENS)
        weights = (folder / "ct2-int8" / "model.bin").stat().st_size
        return (1024 * (child.peak_kilobytes() - before) - weights) / 1e6


def least(measure):
    """The setting of CTranslate2 for which `measure` is least."""
    found = {}
    for name, settings in SETTINGS.items():
        with contextlib.suppress(ChildFailed):
            found[name] = measure(settings)
    return min(found, key=found.get)


def memory_row(bench):
    work = "memory above the weights, OPUS-MT shape int8, batch 32, beam 4"
    if not bench.wanted(work):
        return
    if not bench.program("bench_decode").exists():
        return bench.table.not_built(work, "bench_decode")
    prepare(bench, "opus-mt")
    saved = quantized(bench)
    if saved:
        weights = (saved / "model.safetensors").stat().st_size
    else:
        work += " (ours quantised at load)"
        weights = weight_bytes(bench.folder("opus-mt") / "model" / "model.safetensors", 1)
    setting = least(lambda settings: memory_of_ctranslate2(bench, settings))
    theirs, own = take_turns(
        [
            lambda: memory_of_ctranslate2(bench, SETTINGS[setting]),
            lambda: memory_of_ours(bench, "int8" if saved else "model", weights),
        ],
        bench.rounds,
    )
    ratio = ratios(own, theirs)
    met, peer = statistics.median(ratio) <= 0.5, f"{figure(theirs, 'MB')} ({setting})"
    bar, rounds = "0.5x at most", {"theirs": theirs, "ours": own}
    bench.table.row(work, peer, figure(own, "MB"), spread(ratio, times), bar, met, rounds)


def start_of_ours(bench, options):
    """From the start of the process to its answer."""
    folder = bench.folder("opus-mt")
    command = [bench.program("bench_decode"), "int8", "--weights", "int8", "--requests", *options]
    source = bench.sources("opus-mt", 1)
    start = time.perf_counter()
    with Child(command, folder) as child:
        child.ask(source, 1, 1)
        return 1e3 * (time.perf_counter() - start)


def start_of_ctranslate2(bench, settings):
    """From the construction of its translator, Python and libraries being there."""
    source = bench.sources("opus-mt", 1)
    folder = bench.folder("opus-mt")
    with worker(folder, "cold", "ct2-int8", source, settings=settings) as child:
        return 1e3 * child.answer()["seconds"]


def start_rows(bench):
    ways = [
        ("cold start to the first token, OPUS-MT shape, int8 folder", []),
        ("cold start to the first token, OPUS-MT shape, int8 folder, ours mapped", ["--map"]),
    ]
    ways = [way for way in ways if bench.wanted(way[0])]
    if not ways:
        return
    missing = [name for name in ("bench_decode", "quantize") if not bench.program(name).exists()]
    if missing:
        for work, _ in ways:
            bench.table.not_built(work, missing[0])
        return
    prepare(bench, "opus-mt")
    quantized(bench)
    setting = least(lambda settings: start_of_ctranslate2(bench, settings))
    contestants = [lambda: start_of_ctranslate2(bench, SETTINGS[setting])]
    contestants += [lambda o=options: start_of_ours(bench, o) for _, options in ways]
    take_turns(contestants, 1)  # the files come into the page cache
    theirs, *own = take_turns(contestants, bench.rounds)
    for (work, _), times_of_ours in zip(ways, own):
        ratio = ratios(times_of_ours, theirs)
        peer = f"{figure(theirs, 'ms')} ({setting})"
        ours, met = figure(times_of_ours, "ms"), statistics.median(ratio) <= 0.7
        bar, rounds = "0.7x at most", {"theirs": theirs, "ours": times_of_ours}
        bench.table.row(work, peer, ours, spread(ratio, times), bar, met, rounds)


# ---------------------------------------------------------------- attention and products


def attention_rows(bench):
    works = []
    for tokens, causal, bar in ATTENTION:
        work = f"attention f32, {'causal' if causal else 'full'}, T {tokens}, {HEADS} heads of 64"
        if bench.wanted(work):
            works.append((work, tokens, causal, bar))
    if works and not bench.program("bench_attention").exists():
        for work, *_ in works:
            bench.table.not_built(work, "bench_attention")
        return
    names = benchmark_names(bench.program("bench_attention")) if works else []
    for work, tokens, causal, bar in works:
        kind = "causal" if causal else "full"
        name = first_with(names, f"/{kind}/tokens:{tokens}/heads:{HEADS}")

        def ours(name=name):
            lines, _ = bench.google("bench_attention", name)
            return lines[name]["real_time"] / 1e3

        with worker(ROOT, "torch") as torch:
            request = (tokens, HEADS, int(causal), bench.seconds / 4)
            contestants = [lambda: 1e3 * torch.ask(*request)["seconds"], ours]
            theirs, own = take_turns(contestants, bench.rounds)
        ratio = ratios(theirs, own)
        met, text = statistics.median(ratio) >= bar, spread(ratio, times)
        peer = f"{figure(theirs, 'ms')} (torch)"
        rounds = {"theirs": theirs, "ours": own}
        bench.table.row(work, peer, figure(own, "ms"), text, f"{bar}x", met, rounds)


def product_rows(bench):
    """Ours and the peak take turns inside bench_products."""
    program = bench.program("bench_products")
    if not program.exists():
        if bench.wanted("product, one row"):
            bench.table.not_built("products, one row", "bench_products")
        return
    names = [name for name in benchmark_names(program) if re.search(PRODUCTS, name)]
    names = [name for name in names if "/threads:" not in name]
    isa = names[0].split("/")[1]  # the fastest comes first
    for name in dict.fromkeys(names):  # "in memory" may be what "in L3" is elsewhere
        if name.split("/")[1] == isa and bench.wanted(product_work(name)):
            rounds = [bench.google("bench_products", name)[0] for _ in range(bench.rounds)]
            product_row(bench, name, [lines[name] for lines in rounds])


# ---------------------------------------------------------------- the command


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    add_arguments(parser)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.core})  # and so all processes that it starts
    bench = Bench(options, Table())
    where = f"one thread each, all on core {options.core} of {os.cpu_count()}"
    describe(bench, f"{where}, by processor time, but for cold starts")
    bench.table.head()
    decode_rows(bench)
    attention_rows(bench)
    product_rows(bench)
    memory_row(bench)
    start_rows(bench)
    bench.table.end(bench.notes, options.json)


if __name__ == "__main__":
    main()
