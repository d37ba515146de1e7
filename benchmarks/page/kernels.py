# SPDX-License-Identifier: MIT
"""The page's sections on kernels: attention, products, layers, and the machine's peaks."""

import re

from charts import ENGINES
from contest import ratios
from markdown import BUILD, faster, median, milliseconds
from table import PRODUCT_UNITS, figure, percent, product_bar, product_work, spread


def attention_row(page, cell):
    engines = cell["engines"]
    own_name = next(iter(engines))
    own, cells, slower = engines[own_name], [], []
    plural = "s" * (cell["heads"] > 1)
    shape = f"{cell['kind']}, T {cell['tokens']:,}, {cell['heads']} head{plural}"
    for engine in ("eigen", "eigen_blocks", "torch"):
        if engine not in engines:
            cells.append("")
            continue
        ratio = ratios(engines[engine]["ms"], own["ms"])
        cells.append(
            f"{milliseconds(engines[engine]['ms'])}; {faster(engines[engine]['ms'], own['ms'])}"
        )
        if median(ratio) < 1:
            slower.append(ENGINES[engine][0])
    others = "; ".join(
        f"{ENGINES[name][0].removeprefix('ours, ')} {milliseconds(engines[name]['ms'])}"
        for name in ("avx2", "portable", "reference")
        if name in engines and name != own_name
    )
    share = percent(median(own["share"])) if own["share"][0] else ""
    mark = page.mark(f"attention, {shape}", slower, "slower than " + " and ".join(slower))
    return (shape, milliseconds(own["ms"]), share, others, *cells, mark)


def attention(page, results):
    page.say("## Attention")
    page.say(
        "![Milliseconds of attention over the number of tokens, for each engine](attention.svg)"
    )
    page.say(
        """Lower is faster. Above both axes are logarithmic; below are the same times as
        multiples of ours, so that a line under 1 is faster than we are. f32, heads of 64,
        one thread, packing of keys and values included. "Plain Eigen" is two products and a
        softmax by someone who knows Eigen, compiled with `-march=native`; "in blocks" takes
        64 queries at a time and skips masked keys; torch is `scaled_dot_product_attention`.
        AVX-512 stands for AVX-512 VNNI and AMX too, which differ in int8 alone, and
        portable and reference kernels are measured at the lengths that they can be waited
        for. Eigen's time is its ratio to ours, times ours."""
    )
    page.command(f"{BUILD}/bench_attention --benchmark_filter='/heads:(1|8)/manual'")
    head = ["", "ours, ms", "of the peak", "our other kernels, ms", "Eigen, ms", "in blocks, ms"]
    rows = [attention_row(page, cell) for cell in results["attention"]]
    page.table([*head, "torch, ms", ""], rows)


def product_cells(page, row, kernels):
    """The bars are those of the fastest kernels."""
    isa, storage = row["name"].split("/")[1:3]
    unit, what = row["unit"], f"{product_work(row['name'])}, {isa}"
    bar, share = product_bar(isa, storage, unit), median(row["share"])
    words, eigen = [], ""
    if isa == kernels and share < bar:
        words.append("missed")
    if "x_eigen" in row:
        eigen = spread(row["x_eigen"], lambda value: f"{value:.2f}x")
        if median(row["x_eigen"]) < 1:
            words.append("slower than Eigen")
    return (
        what + (f", from {row['label']}" if unit == "B" else ""),
        figure([value / 1e9 for value in row["rate"]], PRODUCT_UNITS[unit]),
        spread(row["share"], percent),
        f"{100 * bar:.0f} %" if isa == kernels else "",
        eigen,
        page.mark(what, words, " and ".join(words)) if isa == kernels else "",
    )


def products(page, results):
    page.say("## Products")
    page.say("![Share of the machine's peak that products and attention reach](share.svg)")
    page.say(
        """What a bar leaves free is what there is to gain: many rows are compared with
        multiply-adds (int8: dot products) that do nothing else, one row with reading the
        same bytes and doing nothing with them. `rows x inputs x outputs`, and how many such
        matrices in turn. The bars are those of benchmarks/peers, for the fastest kernels;
        Eigen has `-march=native`."""
    )
    page.command(f"{BUILD}/bench_products --benchmark_filter='{results['products_filter']}'")
    kernels = results["machine"]["kernels"]
    rows = [product_cells(page, row, kernels) for row in results["products"] if "share" in row]
    page.table(["", "ours", "of the peak", "bar", "against Eigen", ""], rows)


def layer_cells(page, row):
    eigen, lost = "", False
    if "x_eigen" in row:
        eigen = spread(row["x_eigen"], lambda value: f"{value:.2f}x")
        lost = median(row["x_eigen"]) < 1
    name = row["name"].rpartition("/")[0]
    mark = page.mark(f"layer {name}", lost, "slower than Eigen") if eigen else ""
    share = spread(row["share"], percent) if "share" in row else ""
    return (name, milliseconds([1e3 * value for value in row["ms"]]), share, eigen, mark)


def layers(page, results):
    page.say("## Layers")
    page.say(
        """The layers of the paper's base model on 128 tokens, softmax over a vocabulary, and
        activations: one thread, the fastest kernels."""
    )
    page.command(f"{BUILD}/bench_layers --benchmark_filter='{results['layers_filter']}'")
    rows = [layer_cells(page, row) for row in results["layers"]]
    page.table(["", "us", "of the peak", "against Eigen", ""], rows)


def peaks(page, results):
    page.say("## Peaks")
    page.say(
        """What one thread of this machine can do at best, several where a row says `threads`,
        to which the shares above refer;
        every program measures its own again, in turns with ours. Reading is the best of one
        to eight places at a time."""
    )
    page.command(f"{BUILD}/bench_peak")
    rows, best = [], {}
    for row in results["peaks"]:
        name = re.sub(r"/places:\d+", "", row["name"])
        if "rate" not in row:
            rows.append((name, f"{milliseconds([1e3 * value for value in row['ms']])} us"))
        elif name not in best or median(row["rate"]) > median(best[name]):
            best[name] = row["rate"]
    units = {"multiply_add": "GFLOP/s", "int8_dot": "GOP/s", "read": "GB/s"}
    rates = [
        (name, figure([rate / 1e9 for rate in values], units[name.split("/")[0]]))
        for name, values in best.items()
    ]
    page.table(["", ""], rates + rows)
