# SPDX-License-Identifier: MIT
"""The page in Markdown: what was measured on what, by which command, and what it gave."""

import compare
import compare_threads
from charts import bar_name
from contest import ratios
from kernels import attention, layers, peaks, products
from markdown import BUILD, Page, faster, median
from table import NAMES, figure, spread

MIXED_BAR = 1.1  # a token of mixed lengths over one of even lengths
MODE_OPTIONS = {"quick": " --quick", "default": "", "full": " --full"}
TRANSLATE = (
    "build/release/examples/translate --model models/fr-en-small --weights int8 --threads 1"
)


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
