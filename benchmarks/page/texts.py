#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print French text to be translated, always the same.

texts.py sentences WORDS    sentences of models/fr-en-small, again and again
texts.py even WORDS         their words, twelve a line
texts.py mixed WORDS        the same words, 1 to 34 a line, twelve on average
"""

import itertools
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVEN, MIXED = 12, (1, 2, 3, 5, 8, 12, 18, 25, 34)


def sentences():
    """Those that the shipped model comes with."""
    path = ROOT / "models" / "fr-en-small" / "expected.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [line.split("\t")[0] for line in lines]


def whole_sentences(count):
    """As many as have that many words."""
    lines, words = [], 0
    for line in itertools.cycle(sentences()):
        if words >= count:
            return lines
        lines.append(line)
        words += len(line.split())


def cut(count, lengths):
    """That many words in lines of those lengths; the last line is what is left."""
    words = [word for line in whole_sentences(count) for word in line.split()][:count]
    lines = []
    while words:
        length = next(lengths)
        lines.append(" ".join(words[:length]))
        words = words[length:]
    return lines


def even(count):
    return cut(count, itertools.repeat(EVEN))


def mixed(count):
    generator = random.Random(1)
    return cut(count, iter(lambda: generator.choice(MIXED), None))


KINDS = {"sentences": whole_sentences, "even": even, "mixed": mixed}


def text(kind, words):
    return "".join(line + "\n" for line in KINDS[kind](words))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in KINDS or not sys.argv[2].isdecimal():
        sys.exit(f"texts.py: expected {'|'.join(KINDS)} and a number of words")
    sys.stdout.write(text(sys.argv[1], int(sys.argv[2])))
