#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print a table of what we do beside CTranslate2, torch and the machine's peaks, on one core.

    benchmarks/peers/run [--only REGEX] [--rounds N]

README.md beside this file says what is measured, and how.
"""

import argparse
import contextlib
import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import math
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

from common import cpu_info, draw_sources, processor, write_sources
from contest import (
    Child,
    ChildFailed,
    benchmark_names,
    rate_of,
    ratios,
    requests_for,
    run_google_benchmark,
    seconds_of,
    take_turns,
    worker,
)

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")
SOURCE_TOKENS, NEW_TOKENS = 20, 25
NAMES = {"opus-mt": "OPUS-MT shape", "small": "small shape"}
VOCABULARIES = {"opus-mt": 53017, "small": 6001}
# Of the OPUS-MT shape, what one token reads once: six layers' query, key, value and output matrices
# of self-attention, query and output of cross-attention, both of feed-forward; the embedding.
BYTES_A_TOKEN = 6 * (6 * 512 * 512 + 2 * 512 * 2048) + 512 * 53017

# What CTranslate2 lets its user choose on x86; what does not run here is left out.
SETTINGS = {
    "oneDNN": {"CT2_USE_MKL": "0"},
    "oneDNN, AVX-512": {"CT2_USE_MKL": "0", "CT2_FORCE_CPU_ISA": "AVX512"},
    "MKL": {"CT2_USE_MKL": "1"},
    "MKL, AVX-512": {"CT2_USE_MKL": "1", "CT2_FORCE_CPU_ISA": "AVX512"},
}

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
BOUND_BAR = 0.8  # of reading BYTES_A_TOKEN: enough for batch 1, greedy, int8

# Tokens, causal, how many times as fast.
ATTENTION = [(512, False, 1.15), (512, True, 2.0), (2048, False, 1.15), (2048, True, 1.5)]
HEADS = 8

PRODUCTS = r"/(f32|int8)/256x512x512$|/(f32|bf16|int8)/1x"
PRODUCT_UNITS = {"FLOP": "GFLOP/s", "OP": "GOP/s", "B": "GB/s"}


# ---------------------------------------------------------------- the table


class Table:
    """Prints rows as they come, and counts them."""

    def __init__(self):
        self.met = self.rows = 0

    def head(self):
        print("| work | peer | ours | ratio | bar | |\n| --- | --- | --- | --- | --- | --- |")

    def row(self, work, peer, ours, ratio, bar, met):
        self.rows += 1
        self.met += met
        cells = (work, peer, ours, ratio, bar, "met" if met else "**MISSED**")
        print("| " + " | ".join(cells) + " |", flush=True)

    def empty(self, work, why):
        """A row without figures: not met."""
        self.rows += 1
        print(f"| {work} | | | | | {why} |", flush=True)

    def not_built(self, work, program):
        self.empty(work, f"not built: {program}")


def spread(values, form):
    """The median, and the extremes of several rounds."""
    text = form(statistics.median(values))
    if len(values) == 1:
        return text
    return f"{text} ({form(min(values))} to {form(max(values))})"


def times(value):
    return f"{value:.3f}x"


def percent(value):
    return f"{100 * value:.1f} %"


def figure(values, unit):
    """Three digits, or all before the point."""
    value = statistics.median(values)
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


# ---------------------------------------------------------------- what is compared


@dataclasses.dataclass
class Bench:
    """The options, our programs, and what takes part in every row."""

    options: argparse.Namespace
    table: Table

    def __post_init__(self):
        self.rounds = 1 if self.options.quick else self.options.rounds
        self.seconds = 0.01 if self.options.quick else 0.4  # of a slice, at least
        self.notes = []

    def wanted(self, work):
        return re.search(self.options.only, work, re.IGNORECASE) is not None

    def program(self, name):
        folder = "examples" if name == "quantize" else "benchmarks"
        return self.options.build.resolve() / folder / name

    def folder(self, shape):
        return self.options.work.resolve() / shape

    def sources(self, shape, count):
        """The name, in the shape's folder, of a file with so many sentences."""
        name = f"sources-{count}.txt"
        rows = draw_sources(count, VOCABULARIES[shape] - 1, 0, SOURCE_TOKENS, SOURCE_TOKENS)
        write_sources(self.folder(shape) / name, rows)
        return name

    def ours(self, shape, storage):
        command = [self.program("bench_decode"), "model", "--weights", storage, "--requests"]
        return Child(command, self.folder(shape))

    def google(self, name, pattern):
        return run_google_benchmark(
            self.program(name), f"^({pattern})(/manual_time)?$", self.seconds / 4
        )


def prepare(bench, shape):
    """Random weights, made and converted again when what makes them has changed."""
    folder, here = bench.folder(shape), Path(__file__).parent
    makers = (here / "workers.py", here / "requirements.txt", ROOT / "tools" / "make_marian.py")
    recipe = hashlib.sha256(b"".join(path.read_bytes() for path in makers)).hexdigest()
    stamp = folder / "recipe"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == recipe:
        return
    print(f"making {folder}", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, here / "workers.py", "prepare", folder, shape]
    subprocess.run(command, check=True, stdout=sys.stderr)
    stamp.write_text(recipe, encoding="utf-8")


def quantized(bench):
    """Our saved int8 folder of the OPUS-MT shape; None without the program that writes it."""
    program, folder = bench.program("quantize"), bench.folder("opus-mt")
    if not program.exists():
        return None
    out, made_of = folder / "int8", (program, folder / "recipe")
    config = out / "config.json"
    newest = max(path.stat().st_mtime for path in made_of)
    if not config.exists() or config.stat().st_mtime < newest:
        shutil.rmtree(out, ignore_errors=True)
        subprocess.run([program, folder / "model", out], check=True, stdout=sys.stderr)
        os.utime(config)
    return out


# ---------------------------------------------------------------- decoding


def open_ctranslate2(bench, stack, shape, storage):
    """A process for each setting that runs here and is not hopelessly slow, by name."""
    folder = bench.folder(shape)
    request = (bench.sources(shape, 4), 1, 5)
    seconds, children, failures = {}, {}, []
    for name, settings in SETTINGS.items():
        child = worker(folder, "ctranslate2", f"ct2-{storage}", settings=settings)
        try:
            child.answer()
            seconds[name] = min(seconds_of(child, request) for _ in range(3))
            children[name] = stack.enter_context(child)
        except ChildFailed as failure:
            failures.append(str(failure))
    if not children:
        raise ChildFailed("\n".join(failures))
    slowest = 2 * min(seconds.values())
    return {name: child for name, child in children.items() if seconds[name] <= slowest}


def fastest(children, request, trials):
    """The best of its trials speaks for each."""
    best = {name: math.inf for name in children}
    for _ in range(trials):
        for name, child in children.items():
            best[name] = min(best[name], seconds_of(child, request))
    return min(best, key=best.get)


def reading_bound(bench):
    """Tokens a second, if a token took only the reading of the weights it needs."""
    _, context = bench.google("bench_peak", "read/L1/huge_pages/places:1")
    last_cache = int(re.search(r"L3 (\d+)K", context["caches"])[1]) << 10
    level = "L3" if BYTES_A_TOKEN <= last_cache else "DRAM"
    lines, _ = bench.google("bench_peak", f"read/{level}/huge_pages/places:.*")
    return max(line["B"] for line in lines.values()) / BYTES_A_TOKEN


def decode_row(bench, work, cell, ours, peers):
    """One row: a shape's processes decode the same sources in turns."""
    shape, batch, beam, bar = cell
    request, tokens = (bench.sources(shape, batch), beam, NEW_TOKENS), batch * NEW_TOKENS
    setting = fastest(peers, request, 1 if bench.options.quick else 3)
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
    bench.table.row(work, peer, figure(own, "tokens/s"), text, bar_text, met)


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
                peers = open_ctranslate2(bench, stack, shape, "float32")
                bench.notes.append(check_ids(bench, shape, ours, peers))
        with contextlib.ExitStack() as stack:
            ours = stack.enter_context(bench.ours(shape, storage))
            peers = open_ctranslate2(bench, stack, shape, theirs)
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
    bench.table.row(work, peer, figure(own, "MB"), spread(ratio, times), "0.5x at most", met)


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
        bench.table.row(work, peer, ours, spread(ratio, times), "0.7x at most", met)


# ---------------------------------------------------------------- attention and products


def first_with(names, ending):
    """Of the fastest instruction set, which comes first; without Eigen, which would take turns."""
    return next(
        name for name in names if name.endswith(ending) and name.startswith("attention/")
    )


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
        bench.table.row(work, peer, figure(own, "ms"), text, f"{bar}x", met)


def product_row(bench, name, lines):
    """From the rounds' lines of one product."""
    if "error_message" in lines[0]:
        return bench.table.empty(product_work(name), lines[0]["error_message"])
    _, isa, storage, shape = name.split("/")
    what = next(unit for unit in PRODUCT_UNITS if unit in lines[0])
    bar = 0.85
    if what != "B":
        bar = 0.9 if storage == "f32" else 0.5 if "amx" in isa else 0.7
    share = [line["peak%"] / 100 for line in lines]
    own = [line[what] / 1e9 for line in lines]
    level = lines[0]["label"].split(",")[0]
    peak = f"{figure(ratios(own, share), PRODUCT_UNITS[what])} "
    peak += f"(read from {level})" if what == "B" else f"(peak, {isa})"
    bench.table.row(
        product_work(name),
        peak,
        figure(own, PRODUCT_UNITS[what]),
        spread(share, percent),
        f"{100 * bar:.0f} %",
        statistics.median(share) >= bar,
    )


def product_work(name):
    _, _, storage, shape = name.split("/")
    return f"product {storage}, {shape}" if shape[:2] != "1x" else f"one row {storage}, {shape}"


def product_rows(bench):
    """Ours and the peak take turns inside bench_products."""
    program = bench.program("bench_products")
    if not program.exists():
        if bench.wanted("product, one row"):
            bench.table.not_built("products, one row", "bench_products")
        return
    names = [name for name in benchmark_names(program) if re.search(PRODUCTS, name)]
    isa = names[0].split("/")[1]  # the fastest comes first
    for name in dict.fromkeys(names):  # "in memory" may be what "in L3" is elsewhere
        if name.split("/")[1] == isa and bench.wanted(product_work(name)):
            rounds = [bench.google("bench_products", name)[0] for _ in range(bench.rounds)]
            product_row(bench, name, [lines[name] for lines in rounds])


# ---------------------------------------------------------------- the command


def describe(bench, core):
    """The head of the report."""
    flags = cpu_info("flags").split()
    has = " ".join(flag for flag in FLAGS if flag in flags) or "none of ours"
    lacks = " ".join(flag for flag in FLAGS if flag not in flags)
    git = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    revision = ""
    with contextlib.suppress(OSError):
        revision = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    versions = [f"Eigenformer {revision or '?'}", f"Python {sys.version.split()[0]}"]
    for name in ("ctranslate2", "torch", "transformers"):
        versions.append(f"{name} {importlib.metadata.version(name)}")
    now = datetime.datetime.now(datetime.timezone.utc)
    print(f"{now:%Y-%m-%d %H:%M} UTC; {processor()}; {has}" + (f" (no {lacks})" if lacks else ""))
    print("\n" + ", ".join(versions))
    load, rounds = os.getloadavg()[0], bench.rounds
    print(
        f"\n{rounds} round{'s' * (rounds > 1)}, one thread each, all on core {core} of "
        f"{os.cpu_count()} (load {load:.1f}); {SOURCE_TOKENS} tokens and eos in, exactly "
        f"{NEW_TOKENS} out; by processor time, but for cold starts; medians of the rounds, and of "
        f"their ratios (least to greatest)\n"
    )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="REGEX", help="rows whose text it matches")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one short round: does it all run?")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build" / "peers", help="for weights, kept (1 GB)"
    )
    return parser.parse_args()


def main():
    options = parse_arguments()
    os.sched_setaffinity(0, {options.core})  # and so all processes that it starts
    bench = Bench(options, Table())
    describe(bench, options.core)
    bench.table.head()
    decode_rows(bench)
    attention_rows(bench)
    product_rows(bench)
    memory_row(bench)
    start_rows(bench)
    print(f"\n{bench.table.met} of {bench.table.rows} met.", *bench.notes)


if __name__ == "__main__":
    main()
