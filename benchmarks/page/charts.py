# SPDX-License-Identifier: MIT
"""The page's charts."""

import math
import statistics

from svg import Scale, Svg, decades
from table import NAMES, product_bar

WIDTH = 800

# What an engine is called, and how it is drawn.
ENGINES = {
    "avx512": ("ours, AVX-512", "blue", "circle", ""),
    "avx2": ("ours, AVX2", "green", "square", ""),
    "portable": ("ours, portable", "purple", "diamond", ""),
    "reference": ("ours, reference", "grey", "plus", ""),
    "eigen": ("plain Eigen", "orange", "up", "7 4"),
    "eigen_blocks": ("Eigen in blocks", "ink", "down", "2 4"),
    "torch": ("torch", "red", "cross", "9 3 2 3"),
}


def share_text(value):
    return f"{100 * value:.0f} %"


def whiskers(drawing, scale, values, y):
    """From the least to the greatest, seamed by the ground's colour; nothing for one round."""
    if len(values) < 2:
        return
    low, high = scale(min(values)), scale(max(values))
    for names, width in (("hollow-line", 4), ("ink-line", 1.5)):
        drawing.line(low, y, high, y, names, width)
        for x in (low, high):
            drawing.line(x, y - 4, x, y + 4, names, width)


# ---------------------------------------------------------------- attention


def median_of(cell, engine):
    return statistics.median(cell["engines"][engine]["ms"])


def attention_lines(drawing, cells, x, y, figure, engines):
    """A line for each engine."""
    for engine in engines:
        _, colour, shape, dash = ENGINES[engine]
        found = [cell for cell in cells if engine in cell["engines"]]
        points = [(x(cell["tokens"]), y(figure(cell, engine))) for cell in found]
        if len(points) > 1:
            drawing.polyline(points, colour, dash)
        for point in points:
            drawing.marker(*point, shape, colour)


def attention_grid(drawing, x, y, ticks, tokens, labelled):
    """Lines at all ticks, and their numbers, those of the left axis if `labelled`."""
    for tick in ticks:
        drawing.line(x.first - 8, y(tick), x.last + 8, y(tick), "grid")
        if labelled:
            drawing.text(x.first - 16, y(tick) + 4, f"{tick:g}", "grey", "end")
    for count in tokens:
        drawing.line(x(count), y.last, x(count), y.first, "grid")
        drawing.text(x(count), y.first + 17, str(count), "grey", "middle")


def attention_legend(drawing, engines, top):
    """Four to a row."""
    for place, engine in enumerate(engines):
        name, colour, shape, dash = ENGINES[engine]
        x, y = 62 + 184 * (place % 4), top + 24 * (place // 4)
        drawing.polyline([(x, y), (x + 34, y)], colour, dash)
        drawing.marker(x + 17, y, shape, colour)
        drawing.text(x + 42, y + 4, name)


def attention(results):
    """Milliseconds above; below how many times as long as ours the peers take."""
    cells = [cell for cell in results["attention"] if cell["heads"] == 1]
    engines = [name for name in ENGINES if any(name in cell["engines"] for cell in cells)]
    tokens = sorted({cell["tokens"] for cell in cells})
    times = [ms for cell in cells for one in cell["engines"].values() for ms in one["ms"]]
    near = [name for name in engines if name not in ("portable", "reference")]

    def over_ours(cell, engine):
        return median_of(cell, engine) / median_of(cell, engines[0])

    pairs = [(cell, name) for cell in cells for name in near if name in cell["engines"]]
    most = max((over_ours(*pair) for pair in pairs), default=1)
    named = ", ".join(ENGINES[name][0] for name in engines)
    drawing = Svg(
        WIDTH,
        644 + 24 * -(-len(engines) // 4),
        "Attention: milliseconds over the number of tokens",
        "One head of 64 in f32, one thread, full attention left, causal right. Above "
        "milliseconds, both axes logarithmic; below how many times as long as ours each takes. "
        f"Lines: {named}. The page's tables have the figures.",
    )
    drawing.text(14, 24, "Attention, milliseconds (less is better)", large=True)
    ticks, steps = decades(times), range(math.ceil(most) + 1)
    above, below = Scale(ticks[0], ticks[-1], 356, 66, True), Scale(0, steps[-1], 576, 426)
    drawing.text(14, 404, f"Times as long as {ENGINES[engines[0]][0]}", large=True)
    for kind, left in (("full", 66), ("causal", 444)):
        x = Scale(tokens[0], tokens[-1], left, left + 326, True)
        drawing.text(left, 56, kind, large=True)
        shown = [cell for cell in cells if cell["kind"] == kind]
        attention_grid(drawing, x, above, ticks, tokens, kind == "full")
        attention_lines(drawing, shown, x, above, median_of, engines)
        attention_grid(drawing, x, below, steps, tokens, kind == "full")
        attention_lines(drawing, shown, x, below, over_ours, near)
        drawing.text((x.first + x.last) / 2, 612, "tokens, T", "grey", "middle")
    attention_legend(drawing, engines, 640)
    return drawing


# ---------------------------------------------------------------- translation


def bar_name(bar):
    return bar["storage"] if bar["engine"] == "ours" else f"{bar['engine']} {bar['storage']}"


def bars_panel(drawing, groups, left, top):
    """A shape and batch: one thread's bars, then all cores'."""
    first, height = groups[0], 24
    name = f"{NAMES[first['shape']]}, batch {first['batch']}"
    drawing.text(left, top, name, large=True)
    rates = [rate for group in groups for bar in group["bars"] for rate in bar["rates"]]
    x = Scale(0, max(rates), left + 112, left + 308)
    y = top + 10
    for group in groups:
        cores = group["cores"]
        drawing.text(left, y + 14, "one thread" if cores == 1 else f"{cores} cores", "grey")
        y += 20
        for bar in group["bars"]:
            rate = statistics.median(bar["rates"])
            colour = "blue" if bar["engine"] == "ours" else "red"
            drawing.text(left + 106, y + 14, bar_name(bar), "ink", "end")
            drawing.rectangle(x.first, y + 2, x(rate) - x.first, height - 8, colour)
            whiskers(drawing, x, bar["rates"], y + height / 2 - 2)
            drawing.text(x(max(bar["rates"])) + 7, y + 14, f"{rate:,.0f}")
            y += height
    return y


def translation(results):
    keys = list(dict.fromkeys((group["shape"], group["batch"]) for group in results["decoding"]))
    panels = [
        [group for group in results["decoding"] if (group["shape"], group["batch"]) == key]
        for key in keys
    ]
    tall = 44 + max(sum(20 + 24 * len(group["bars"]) for group in groups) for groups in panels)
    rows = -(-len(panels) // 2)
    with_peer = any(
        bar["engine"] != "ours" for group in results["decoding"] for bar in group["bars"]
    )
    drawing = Svg(
        WIDTH,
        40 + rows * tall,
        "Translation: tokens a second",
        "Greedy search over random weights in the shapes of OPUS-MT and of a small model: bars of "
        "ours and of CTranslate2, with the least and the greatest of the rounds. The tables of "
        "the page have the figures.",
    )
    drawing.text(14, 24, "Translation, tokens/s (more is better)", large=True)
    names = [("blue", "ours")] + ([("red", "CTranslate2")] if with_peer else [])
    for place, (colour, name) in enumerate(names):
        drawing.rectangle(428 + 90 * place, 13, 14, 12, colour)
        drawing.text(448 + 90 * place, 24, name)
    if results["rounds"] > 1:
        drawing.line(638, 19, 662, 19, "ink-line", 1.5)
        for x in (638, 662):
            drawing.line(x, 15, x, 23, "ink-line", 1.5)
        drawing.text(669, 24, "least to greatest")
    for place, groups in enumerate(panels):
        bars_panel(drawing, groups, 14 + 396 * (place % 2), 62 + tall * (place // 2))
    return drawing


# ---------------------------------------------------------------- share of the peak


MANY = ("256x512x512", "32x512x512", "6x512x512")


def share_row(row):
    """How a product is called, its bar and its shares."""
    isa, storage, shape = row["name"].split("/")[1:4]
    extents = shape.split("x")
    name = f"{storage}, {' x '.join(extents[:3])}"
    name += "".join(f", {count} in turn" for count in extents[3:])
    name += f", {row['label']}" if row["unit"] == "B" else ""
    return name, product_bar(isa, storage, row["unit"]), row["share"]


def share_groups(results):
    kernels = results["machine"]["kernels"]
    rows = [
        row
        for row in results["products"]
        if row["name"].split("/")[1] == kernels
        and "/threads:" not in row["name"]
        and "share" in row
    ]
    many, one = [], []
    for row in rows:
        storage, shape = row["name"].split("/")[2:4]
        if shape in MANY and storage in ("f32", "int8"):
            many.append(share_row(row))
        if shape.startswith("1x512x") and storage in ("f32", "bf16", "int8"):
            one.append(share_row(row))
    attention_rows = []
    for cell in results["attention"]:
        ours = next(iter(cell["engines"].values()))  # the fastest comes first
        if cell["heads"] > 1 and ours["share"][0]:
            name = f"{cell['kind']}, T {cell['tokens']}, {cell['heads']} heads"
            attention_rows.append((name, None, ours["share"]))
    return [
        (
            "products of many rows: share of the peak of multiply-adds, or of int8 dot products",
            many,
        ),
        ("products of one row: share of the rate at which the same bytes can be read", one),
        ("attention, f32: share of the peak of multiply-adds", attention_rows),
    ]


def share_bar(drawing, row, x, y):
    name, bar, shares = row
    share = statistics.median(shares)
    missed = bar is not None and share < bar
    drawing.text(x.first - 10, y + 13, name, "ink", "end")
    drawing.rectangle(
        x.first, y + 3, x(min(share, 1.1)) - x.first, 13, "red" if missed else "blue"
    )
    whiskers(drawing, x, [min(one, 1.1) for one in shares], y + 9.5)
    end = max(min(max(shares), 1.1), bar or 0)
    if bar:
        drawing.line(x(bar), y, x(bar), y + 19, "hollow-line", 5)
        drawing.line(x(bar), y, x(bar), y + 19, "ink-line", 2.5)
    drawing.text(x(end) + 8, y + 13, share_text(share) + (", missed" if missed else ""))


def share(results):
    groups = [group for group in share_groups(results) if group[1]]
    height = 62 + sum(40 + 22 * len(rows) for _, rows in groups) + 24
    drawing = Svg(
        WIDTH,
        height,
        "Share of what the machine can do at best",
        "Products and attention of the fastest kernels on one thread, as horizontal bars; a "
        "vertical mark is the share that was to be reached. The tables of the page have the "
        "figures.",
    )
    drawing.text(14, 24, "Share of the peak measured in the same run", large=True)
    drawing.rectangle(428, 13, 14, 12, "blue")
    drawing.text(448, 24, "reached")
    drawing.rectangle(518, 13, 14, 12, "red")
    drawing.text(538, 24, "missed")
    drawing.line(609, 10, 609, 28, "ink-line", 2.5)
    drawing.text(617, 24, "to be reached")
    x, y = Scale(0, 1, 292, 682), 46
    for title, rows in groups:
        drawing.text(14, y + 14, title, "grey")
        y += 26
        for tick in (0, 0.25, 0.5, 0.75, 1):
            drawing.line(x(tick), y, x(tick), y + 22 * len(rows), "grid")
        for row in rows:
            share_bar(drawing, row, x, y + 1)
            y += 22
        y += 14
    for tick in (0, 0.25, 0.5, 0.75, 1):
        drawing.text(x(tick), y + 4, share_text(tick), "grey", "middle")
    return drawing


CHARTS = {"attention.svg": attention, "translation.svg": translation, "share.svg": share}


def draw(results, folder):
    for name, chart in CHARTS.items():
        chart(results).write(folder / name)
