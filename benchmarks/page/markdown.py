# SPDX-License-Identifier: MIT
"""Text and tables in Markdown, and figures as the page writes them."""

import statistics
import textwrap

from contest import ratios
from table import spread

BUILD = "build/release/benchmarks"
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
