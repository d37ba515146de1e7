# SPDX-License-Identifier: MIT
"""Tokens and words a second: whole translations beside CTranslate2, and `translate` on texts."""

import contextlib
import json
import os
import resource
import subprocess
import time

import texts
from compare import ONE_THREAD
from compare_threads import ways_of_ctranslate2
from contest import PROCESSOR, WALL, Child, rate_of, requests_for, take_turns
from machine import CORES
from table import NEW_TOKENS, ROOT, fastest, open_ctranslate2, prepare

SHAPES, BATCHES = ("opus-mt", "small"), (1, 32)
MODEL = "models/fr-en-small"


@contextlib.contextmanager
def one_core():
    """What starts here runs on the last core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# ---------------------------------------------------------------- beside CTranslate2


def ours(bench, peers, shape, storage, *options):
    """On the peers' weights, or, without peers, on random ones of the same shape."""
    if peers:
        return bench.ours(shape, storage, *options)
    bench.folder(shape).mkdir(parents=True, exist_ok=True)
    command = [bench.program("bench_decode"), "--shape", shape, "--weights", storage, "--requests"]
    return Child([*command, *options], bench.folder(shape))


def decode(bench, children, request, sentences):
    """Tokens a second of each in each round."""
    tokens, clock = NEW_TOKENS * sentences, bench.clock
    contestants = []
    for child in children:
        count = requests_for(bench.seconds, child, request, clock)
        contestants.append(lambda c=child, n=count: rate_of(c, request, tokens, n, clock))
    return take_turns(contestants, bench.rounds)


def contest(bench, peers, shape, batch, cores):
    """One group of bars; `peers`: CTranslate2's processes, by their settings."""
    alone = cores == 1
    sentences = batch if alone or batch == 1 else batch * cores
    request = (bench.sources(shape, sentences), 1, NEW_TOKENS)
    how = () if alone else ("--threads" if batch == 1 else "--workers", cores)
    bars, children = [], []
    with contextlib.ExitStack() as stack:
        for storage in ("f32", "bf16", "int8") if alone else ("int8",):
            bars.append({"engine": "ours", "storage": storage, "setting": ""})
            children.append(stack.enter_context(ours(bench, peers, shape, storage, *how)))
        if peers:
            way = fastest(bench, peers, request)
            bars.append({"engine": "CTranslate2", "storage": "int8", "setting": way})
            children.append(peers[way])
        rates = decode(bench, children, request, sentences)
    bars = [bar | {"rates": rate} for bar, rate in zip(bars, rates)]
    return {"shape": shape, "batch": batch, "cores": cores, "bars": bars}


def contests(bench, with_peers, shape, cores):
    """Of a shape on so many cores, all batches."""
    bench.clock, peers = (PROCESSOR if cores == 1 else WALL), {}
    with contextlib.ExitStack() as stack:
        if cores == 1:
            stack.enter_context(one_core())
        if with_peers:
            prepare(bench, shape)
            ways = ONE_THREAD if cores == 1 else ways_of_ctranslate2(max(BATCHES))
            peers = open_ctranslate2(bench, stack, shape, "int8", ways)
        return [contest(bench, peers, shape, batch, cores) for batch in BATCHES]


def decoding(bench, with_peers):
    groups = []
    for cores in sorted({1, CORES}):
        for shape in SHAPES:
            groups += contests(bench, with_peers, shape, cores)
    return groups


# ---------------------------------------------------------------- texts


def words_of(options):
    return [str(word) for word in options]


def run_translate(bench, text, options):
    """What the program writes."""
    program = bench.options.build.resolve() / "examples" / "translate"
    command = [program, "--model", MODEL, *words_of(options)]
    return subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, check=True, encoding="utf-8"
    ).stdout


def time_translate(bench, text, options):
    """Seconds by the clock, and of the processors, from the start of the process to its end."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run_translate(bench, text, options)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def tokens_in(bench, text, options):
    """Pieces of the translations, their ends included."""
    written = run_translate(bench, text, [*options, "--jsonl"])
    lines = [json.loads(line) for line in written.split("\n") if line]
    return sum(len(sentence["pieces"]) for line in lines for sentence in line["sentences"])


def measure_texts(bench, kinds, words, option_lists):
    """Each kind of text with each list of options; in turns."""
    cells = [
        (kind, texts.text(kind, words), options) for options in option_lists for kind in kinds
    ]
    runs = [lambda t=text, o=options: time_translate(bench, t, o) for _, text, options in cells]
    columns = take_turns(runs, bench.rounds)
    return [
        {
            "kind": kind,
            "options": words_of(options),
            "words": len(text.split()),
            "tokens": tokens_in(bench, text, options),
            "seconds": [seconds for seconds, _ in column],
            "processor_seconds": [used for _, used in column],
        }
        for (kind, text, options), column in zip(cells, columns)
    ]


def corpora(bench, words):
    threads = sorted({1, CORES})
    stored = [[], ["--weights", "int8"]]
    plain = [
        [*weights, "--threads", count, "--beam-size", beam]
        for weights in stored
        for beam in (1, 4)
        for count in threads
    ]
    cut = ["--split", "lines", "--max-length", 60, "--beam-size", 1]
    lines = [[*weights, "--threads", count, *cut] for weights in stored for count in threads]
    return {
        "sentences": measure_texts(bench, ["sentences"], words, plain),
        "lengths": measure_texts(bench, ["even", "mixed"], words, lines),
    }
