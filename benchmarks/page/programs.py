# SPDX-License-Identifier: MIT
"""Figures of our benchmark programs, round by round."""

import contextlib

from contest import ChildFailed, benchmark_names, take_turns, worker
from table import ROOT

UNITS = ("FLOP", "OP", "B")
RATIOS = ("x_eigen", "x_eigen_blocks")
HEADS = 8
LENGTHS = (128, 256, 512, 1024, 2048, 4096)
LONGEST = 16384

# In f32 the dot products of bytes play no part: of these sets of kernels the best speaks for all.
FAMILIES = (
    ("avx512", ("amx", "avx512vnni", "avx512")),
    ("avx2", ("avxvnni", "avx2")),
    ("portable", ("portable",)),
    ("reference", ("reference",)),
)


def as_round(line):
    """One benchmark in one round."""
    figures = {"ms": line["real_time"] / 1e3}
    figures |= {name: line[name] for name in (*RATIOS, "ns/element") if name in line}
    for unit in UNITS:
        if unit in line:
            figures["rate"] = line[unit]
    if "peak%" in line:
        figures["share"] = line["peak%"] / 100
    return figures


def collect(bench, program, pattern):
    """Each benchmark's name, unit, label, and its figures in each round; and about the machine."""
    rounds, context = [], {}
    for _ in range(bench.rounds):
        lines, context = bench.google(program, pattern)
        rounds.append({name: line for name, line in lines.items() if "error_message" not in line})
    rows = []
    for name, line in rounds[0].items():
        row = {"name": name, "label": line.get("label", "").split(", bits")[0]}
        row["unit"] = next((unit for unit in UNITS if unit in line), "")
        each = [as_round(lines[name]) for lines in rounds]
        rows.append(row | {key: [figures[key] for figures in each] for key in each[0]})
    return rows, context


def fastest_kernels(bench):
    return benchmark_names(bench.program("bench_products"))[0].split("/")[1]


def peaks(bench):
    return collect(bench, "bench_peak", ".*")


def products(bench):
    """Of the fastest kernels all; of the others two."""
    pattern = f"product/{fastest_kernels(bench)}/.*|product/.*/(f32|int8)/256x512x512"
    return collect(bench, "bench_products", pattern)[0], pattern


def layers(bench):
    pattern = f".*/{fastest_kernels(bench)}"
    return collect(bench, "bench_layers", pattern)[0], pattern


# ---------------------------------------------------------------- attention


def kernels_of(names):
    """The engines of ours that run here, by the name that they go by."""
    here = {name.split("/")[1] for name in names}
    found = {}
    for family, members in FAMILIES:
        present = [isa for isa in members if isa in here]
        if present:
            found[family] = present[0]
    return found


def engines_of(lines, kernels, shape):
    """One round of one shape: milliseconds, and the share of the peak, of each engine."""
    engines = {}
    for family, isa in kernels.items():
        line = lines.get(f"attention/{isa}/{shape}")
        if line:
            figures = as_round(line)
            engines[family] = {"ms": figures["ms"], "share": figures.get("share")}
        beside = lines.get(f"attention_and_eigen/{isa}/{shape}")
        if beside and "error_message" not in beside:
            for ratio, engine in zip(RATIOS, ("eigen", "eigen_blocks")):
                engines[engine] = {"ms": beside["real_time"] / 1e3 * beside[ratio]}
    return engines


def attention_cell(bench, torch, kernels, cell):
    """Ours and Eigen take turns in one program, that program and torch too."""
    kind, tokens, heads = cell
    shape = f"{kind}/tokens:{tokens}/heads:{heads}"
    pattern = f"(attention|attention_and_eigen)/({'|'.join(kernels.values())})/{shape}"
    contestants = [lambda: bench.google("bench_attention", pattern)[0]]
    if torch:
        request = (tokens, heads, int(kind == "causal"), bench.seconds / 4)
        contestants.append(lambda: 1e3 * torch.ask(*request)["seconds"])
    ours, *theirs = take_turns(contestants, bench.rounds)
    rounds = [engines_of(lines, kernels, shape) for lines in ours]
    for column in theirs:
        for engines, milliseconds in zip(rounds, column):
            engines["torch"] = {"ms": milliseconds}
    merged = {
        engine: {key: [one[engine][key] for one in rounds] for key in rounds[0][engine]}
        for engine in rounds[0]
    }
    return {"kind": kind, "tokens": tokens, "heads": heads, "engines": merged}


def attention(bench, longest, with_torch):
    """One head for all lengths, as the comparison with Eigen has them; eight for two."""
    kernels = kernels_of(benchmark_names(bench.program("bench_attention")))
    lengths = [*LENGTHS, *([LONGEST] if longest else [])]
    cells = [(tokens, 1) for tokens in lengths] + [(512, HEADS), (2048, HEADS)]
    with contextlib.ExitStack() as stack:
        torch = None
        if with_torch:
            with contextlib.suppress(ChildFailed):
                torch = stack.enter_context(worker(ROOT, "torch"))
        return [
            attention_cell(bench, torch, kernels, (kind, tokens, heads))
            for kind in ("full", "causal")
            for tokens, heads in cells
        ]
