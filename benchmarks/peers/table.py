# SPDX-License-Identifier: MIT
"""A table of what we do beside peers: its rows, and what takes part in them."""

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
import subprocess
import sys
from pathlib import Path

from common import cpu_info, draw_sources, processor, write_sources
from contest import (
    PROCESSOR,
    Child,
    ChildFailed,
    ratios,
    run_google_benchmark,
    seconds_of,
    threads_of,
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
BOUND_BAR = 0.8  # of reading BYTES_A_TOKEN: enough for batch 1, greedy, int8

PRODUCT_UNITS = {"FLOP": "GFLOP/s", "OP": "GOP/s", "B": "GB/s"}

# What CTranslate2 lets its user choose on x86; what does not run here is left out.
SETTINGS = {
    "oneDNN": {"CT2_USE_MKL": "0"},
    "oneDNN, AVX-512": {"CT2_USE_MKL": "0", "CT2_FORCE_CPU_ISA": "AVX512"},
    "MKL": {"CT2_USE_MKL": "1"},
    "MKL, AVX-512": {"CT2_USE_MKL": "1", "CT2_FORCE_CPU_ISA": "AVX512"},
}


class Table:
    """Prints rows as they come, counts them, and keeps them as data."""

    def __init__(self):
        self.met, self.rows = 0, []

    def head(self):
        print("| work | peer | ours | ratio | bar | |\n| --- | --- | --- | --- | --- | --- |")

    def row(self, work, peer, ours, ratio, bar, met, rounds):
        """`rounds`: each contestant's figures, for whoever wants more than their medians."""
        self.met += met
        names, cells = ("work", "peer", "ours", "ratio", "bar"), (work, peer, ours, ratio, bar)
        self.rows.append(dict(zip(names, cells), met=bool(met), rounds=rounds))
        print("| " + " | ".join([*cells, "met" if met else "**MISSED**"]) + " |", flush=True)

    def empty(self, work, why):
        """A row without figures: not met."""
        self.rows.append({"work": work, "why": why})
        print(f"| {work} | | | | | {why} |", flush=True)

    def not_built(self, work, program):
        self.empty(work, f"not built: {program}")

    def end(self, notes=(), file=None):
        print(f"\n{self.met} of {len(self.rows)} met.", *notes)
        if file:
            data = {"rows": self.rows, "notes": list(notes)}
            file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


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


@dataclasses.dataclass
class Bench:
    """The options, our programs, and what takes part in every row."""

    options: argparse.Namespace
    table: Table
    clock: str = PROCESSOR

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

    def ours(self, shape, storage, *options):
        command = [self.program("bench_decode"), "model", "--weights", storage, "--requests"]
        return Child([*command, *options], self.folder(shape))

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


def open_ctranslate2(bench, stack, shape, storage, ways):
    """A process for each way that runs here and is not hopelessly slow, by name. A way is settings,
    workers, and threads of each."""
    folder = bench.folder(shape)
    request = (bench.sources(shape, 4), 1, 5)
    seconds, children, failures = {}, {}, []
    for name, (settings, workers, threads) in ways.items():
        settings = settings | threads_of(threads)
        words = ("ctranslate2", f"ct2-{storage}", workers, threads)
        child = worker(folder, *words, settings=settings)
        try:
            child.answer()
            seconds[name] = min(seconds_of(child, request, bench.clock) for _ in range(3))
            children[name] = stack.enter_context(child)
        except ChildFailed as failure:
            failures.append(str(failure))
    if not children:
        raise ChildFailed("\n".join(failures))
    slowest = 2 * min(seconds.values())
    return {name: child for name, child in children.items() if seconds[name] <= slowest}


def fastest(bench, children, request):
    """The best of its trials speaks for each."""
    best = {name: math.inf for name in children}
    for _ in range(1 if bench.options.quick else 3):
        for name, child in children.items():
            best[name] = min(best[name], seconds_of(child, request, bench.clock))
    return min(best, key=best.get)


def reading_bound(bench, cores=1):
    """Tokens a second, if a token took only the reading of the weights it needs, by so many cores
    at once."""
    _, context = bench.google("bench_peak", "read/L1/huge_pages/places:1")
    last_cache = int(re.search(r"L3 (\d+)K", context["caches"])[1]) << 10
    level = "L3" if BYTES_A_TOKEN <= last_cache else "DRAM"
    pattern = f"read/{level}/huge_pages/places:.*"
    if cores > 1:
        pattern = f"read/DRAM/places:.*/threads:{cores}"
    lines, _ = bench.google("bench_peak", pattern)
    return max(line["B"] for line in lines.values()) / BYTES_A_TOKEN


def first_with(names, ending):
    """Of the fastest instruction set, which comes first; without Eigen, which would take turns."""
    return next(
        name for name in names if name.endswith(ending) and name.startswith("attention/")
    )


def product_row(bench, name, lines):
    """From the rounds' lines of one product."""
    if "error_message" in lines[0]:
        return bench.table.empty(product_work(name), lines[0]["error_message"])
    _, isa, storage = name.split("/")[:3]
    what = next(unit for unit in PRODUCT_UNITS if unit in lines[0])
    bar = product_bar(isa, storage, what)
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
        {"ours": own, "share": share},
    )


def product_bar(isa, storage, what):
    """The share of its peak that a product is to reach."""
    if what == "B":
        return 0.85
    return 0.9 if storage == "f32" else 0.5 if "amx" in isa else 0.7


def product_work(name):
    storage, shape, *threads = name.split("/")[2:]
    kind = "one row" if shape.startswith("1x") else "product"
    return ", ".join([f"{kind} {storage}", shape, *threads])


def describe(bench, where):
    """The head of the report; `where`: the cores and threads."""
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
        f"\n{rounds} round{'s' * (rounds > 1)}, {where} (load {load:.1f}); {SOURCE_TOKENS} tokens "
        f"and eos in, exactly {NEW_TOKENS} out; medians of the rounds, and of their ratios (least "
        f"to greatest)\n"
    )


def add_arguments(parser):
    """Those of every table."""
    parser.add_argument("--only", default="", metavar="REGEX", help="rows whose text it matches")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one short round: does it all run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="for the rows as data, too")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build" / "peers", help="for weights, kept (1 GB)"
    )
