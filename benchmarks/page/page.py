# SPDX-License-Identifier: MIT
"""The page in Markdown: what was measured on what, by which command, and what it gave."""

import re
import statistics
import textwrap

import compare
import compare_threads
from charts import ENGINES, bar_name
from contest import ratios
from table import NAMES, PRODUCT_UNITS, figure, percent, product_bar, product_work, spread

MIXED_BAR = 1.1  # a token of mixed lengths over one of even lengths
MODE_OPTIONS = {"quick": " --quick", "default": "", "full": " --full"}
BUILD = "build/release/benchmarks"
TRANSLATE = (
    "build/release/examples/translate --model models/fr-en-small --weights int8 --threads 1"
)
AS_WORDS = {"break_long_words": False, "break_on_hyphens": False}


class Page:
    """Text and tables; counts what is lost."""

    def __init__(self):
        self.parts, self.compared, self.lost = [], 0, []

    def say(self, text):
        """A paragraph, however its source is broken into lines."""
        self.parts.append(textwrap.fill(" ".join(text.split()), 140, **AS_WORDS))

    def command(self, *lines):
        self.parts.append("\n".join(f"    {line}" for line in lines))

    def table(self, head, rows):
        lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
        self.parts.append("\n".join(lines))

    def mark(self, what, lost, word):
        """The last cell of a row that compares something: empty unless it is lost."""
        self.compared += 1
        if lost:
            self.lost.append(f"{what} ({word})")
        return f"**{word}**" if lost else ""

    def text(self):
        return "\n\n".join(self.parts) + "\n"


def median(values):
    return statistics.median(values)


def milliseconds(values):
    value = median(values)
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def faster(over, under):
    """How many times as much, and between which values."""
    return spread(ratios(over, under), lambda value: f"{value:.2f}x")


# ---------------------------------------------------------------- sections


def head(page, results):
    options = MODE_OPTIONS[results["mode"]]
    machine, build = results["machine"], results["build"]
    peers = ", ".join(f"{name} {version}" for name, version in results["peers"].items())
    page.say("# Benchmarks")
    page.say("Written by `scripts/bench`; benchmarks/page has what writes it.")
    page.command(f"scripts/bench{options}")
    page.table(
        ("", ""),
        [
            (
                "measured",
                f"{results['date']}, in {sum(results['took'].values()) / 60:.0f} minutes",
            ),
            ("commit", results["commit"] or "unknown"),
            (
                "processor",
                f"{machine['processor']}, {machine['cores']} cores; {machine['instructions']}",
            ),
            ("memory, caches", f"{machine['memory_gib']} GiB; {machine['caches']}"),
            ("kernels", machine["kernels"]),
            ("built by", f"{build['compiler']}, `{build['flags']}`, Eigen {build['Eigen']}"),
            ("peers", peers or f"**left out**: {results['without_peers']}"),
            ("load at the start", f"{machine['load']:.1f}"),
        ],
    )
    if results["mode"] == "quick":
        page.say("**A quick run, to see that everything works: do not rely on its figures.**")
    elif machine["load"] > machine["cores"] / 2:
        page.say("**The machine was busy: trust ratios, not times.**")
    rounds = results["rounds"]
    page.say(
        f"""How to read it: every figure is the median of {rounds} round{"s" * (rounds > 1)}, in
        which what is compared took turns; a ratio is the median of the rounds' ratios, with
        the least and the greatest behind it. Above 1x we are faster. One thread's time is
        the processor's, that of all cores passes on the clock. results.json beside this
        page has all figures."""
    )


def losses(page):
    """What goes below the head, when all is counted."""
    if not page.lost:
        return f"Nothing is lost of {page.compared} comparisons."
    listed = "\n".join(f"- {what}" for what in page.lost)
    return (
        f"**{len(page.lost)} of {page.compared} comparisons are lost:** we are slower than a "
        "peer, or miss a bar that was set before.\n\n"
        f"<details><summary>Which</summary>\n\n{listed}\n\n</details>"
    )


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


def decoding_bar(group):
    """How many times as fast as CTranslate2 our int8, greedy, is to be."""
    shape, batch = group["shape"], group["batch"]
    if group["cores"] > 1:
        bars = {cell[:3]: cell[3] for cell in compare_threads.DECODING}
    else:
        cells = {of[:2]: cells for of, cells in compare.DECODING}[shape, "int8"]
        bars = {(shape, *cell[:2]): cell[2] for cell in cells}
    return bars[shape, batch, 1]


def decoding_row(page, group):
    own = next(bar for bar in group["bars"] if (bar["engine"], bar["storage"]) == ("ours", "int8"))
    own_cells = {
        bar["storage"]: figure(bar["rates"], "")
        for bar in group["bars"]
        if bar["engine"] == "ours"
    }
    cores = "one thread" if group["cores"] == 1 else f"{group['cores']} cores"
    what = f"{NAMES[group['shape']]}, batch {group['batch']}, {cores}"
    peer, ratio, mark, least = "", "", "", decoding_bar(group)
    for bar in group["bars"]:
        if bar["engine"] != "ours":
            peer = f"{figure(bar['rates'], '')}({bar['setting']})"
            ratio = faster(own["rates"], bar["rates"])
            times = median(ratios(own["rates"], bar["rates"]))
            word = "missed" if times >= 1 else f"slower than {bar_name(bar)}"
            mark = page.mark(f"translation, {what}", times < least, word)
    cells = [own_cells.get(storage, "").strip() for storage in ("f32", "bf16", "int8")]
    return (what, *cells, peer, ratio, f"{least}x", mark)


def decoding(page, results):
    rows = f"--rounds {results['rounds']} --only 'batch (1|32), greedy'"
    page.say("## Translation")
    page.say("![Tokens a second of ours and of CTranslate2](translation.svg)")
    page.say(
        """Longer is faster; a line through the end of a bar goes from the least to the
        greatest round. Greedy search, encoder included, 20 random ids and the end in,
        exactly 25 tokens out; on all cores each has a batch of its own, but for batch 1,
        whose products are shared out. CTranslate2 has the same random weights and the best
        of its settings, which the row names. f32 and bf16 are by other `--weights`."""
    )
    if not results["peers"]:
        page.say(f"**CTranslate2 is left out: {results['without_peers']}.**")
    page.command(
        f"{BUILD}/bench_decode --batch 1,32 --beam 1 --tokens 25 --weights int8",
        f"benchmarks/peers/run {rows}",
        f"benchmarks/peers/run --all-cores {rows}",
    )
    head = ["tokens/s", "f32", "bf16", "int8", "CTranslate2 int8", "our int8 against it", "bar", ""]
    page.table(head, [decoding_row(page, group) for group in results["decoding"]])


def option_of(row, name, default):
    options = row["options"]
    return options[options.index(name) + 1] if name in options else default


def text_time(row):
    """One thread's of the processor, that of several by the clock."""
    return row["processor_seconds" if option_of(row, "--threads", "1") == "1" else "seconds"]


def sentence_row(row):
    cores, seconds = int(option_of(row, "--threads", "1")), text_time(row)
    rates = [row["words"] / one for one in seconds]
    hours = [3600 * rate / cores for rate in rates]
    weights = option_of(row, "--weights", "as stored (f16)")
    beam = option_of(row, "--beam-size", "4")
    search = "greedy" if beam == "1" else f"beam {beam}"
    return (
        f"{weights}, {search}, {threads_text(cores)}",
        spread(rates, lambda value: f"{value:,.0f}"),
        figure([row["tokens"] / one for one in seconds], "").strip(),
        f"{median(hours) / 1e6:.2f} million",
    )


def threads_text(cores):
    return "one thread" if cores == 1 else f"{cores} threads"


def lengths_rows(page, rows):
    """Each pair of even and mixed lengths."""
    for even, mixed in zip(rows[::2], rows[1::2]):
        rates = [[row["words"] / one for one in text_time(row)] for row in (even, mixed)]
        name = option_of(even, "--weights", "as stored (f16)")
        name = f"{name}, {threads_text(int(option_of(even, '--threads', '1')))}"
        a_token = [[one / row["tokens"] for one in text_time(row)] for row in (mixed, even)]
        lost = median(ratios(*a_token)) > MIXED_BAR
        yield (
            name,
            *(figure(rate, "").strip() for rate in rates),
            faster(text_time(mixed), text_time(even)),
            faster(*a_token),
            f"{even['tokens']:,} / {mixed['tokens']:,}",
            f"{MIXED_BAR}x",
            page.mark(f"mixed lengths, {name}", lost, "missed"),
        )


def corpora(page, results):
    sentences, lengths = results["texts"]["sentences"], results["texts"]["lengths"]
    page.say("## Texts")
    page.say(
        f"""The program `translate` with models/fr-en-small, from its start to its end, on
        {sentences[0]["words"]:,} words of the sentences that the model comes with, again
        and again; words are those of the source, tokens those of the translation. Words a
        core-hour are what a core of those in use translates in an hour at that rate. Other
        rows have other `--weights`, `--threads` and `--beam-size`; without `--weights` they
        stay as they are stored."""
    )
    words = sentences[0]["words"]
    page.command(
        f"python3 benchmarks/page/texts.py sentences {words} > build/sentences.fr",
        f"{TRANSLATE} --beam-size 1 \\",
        "    < build/sentences.fr > build/sentences.en",
    )
    page.table(
        ["", "words/s", "tokens/s", "words a core-hour"], [sentence_row(row) for row in sentences]
    )
    page.say(
        """The same words in lines of 12, and in lines of 1 to 34 at random, 12 on average: what
        mixed lengths cost. 1x would be nothing, less than 1x that mixed is faster; both are
        translated into different numbers of tokens, so the times are beside each other a token,
        too. Greedy search, 60 tokens at most."""
    )
    page.command(
        f"python3 benchmarks/page/texts.py mixed {lengths[0]['words']} > build/mixed.fr",
        f"{TRANSLATE} --split lines --max-length 60 --beam-size 1 \\",
        "    < build/mixed.fr > build/mixed.en",
    )
    head = [
        "",
        "even, words/s",
        "mixed, words/s",
        "time, mixed over even",
        "time a token",
        "tokens, even / mixed",
        "bar, a token",
        "",
    ]
    page.table(head, list(lengths_rows(page, lengths)))


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


def peer_tables(page, results):
    page.say("## Beside CTranslate2 and torch")
    if not results["peers"]:
        page.say(
            f"""**Left out: {results["without_peers"]}.** `benchmarks/peers/run --quick`
            installs them; then `scripts/bench --venv build/peers-venv` has them."""
        )
        return
    page.say(
        """Each row with the bar that was set for it; of memory and cold start less is better.
        benchmarks/peers/README.md says what the rows are."""
    )
    for name, table in results["tables"].items():
        way = " --all-cores" if name == "all cores" else ""
        only = f" --only '{table['only']}'" if table["only"] else ""
        page.say(f"### {name.capitalize()}")
        page.command(f"benchmarks/peers/run{way} --rounds {results['rounds']}{only}")
        page.table(
            ["", "peer", "ours", "ratio", "bar", ""],
            [peer_row(page, name, row) for row in table["rows"]],
        )
        if table["notes"]:
            page.say(" ".join(table["notes"]))


def peer_row(page, name, row):
    if "why" in row:
        return (row["work"], "", "", "", "", page.mark(row["work"], True, row["why"]))
    mark = page.mark(f"{row['work']}, {name}", not row["met"], "missed")
    return (*(row[key] for key in ("work", "peer", "ours", "ratio", "bar")), mark or "met")


def text(results):
    page = Page()
    head(page, results)
    place = len(page.parts)
    for section in (attention, products, layers, decoding, corpora, peaks, peer_tables):
        section(page, results)
    page.parts.insert(place, losses(page))
    return page.text()
