# SPDX-License-Identifier: MIT
"""What the comparisons with peers share."""

import platform
import random
from pathlib import Path

SEED = 1


def draw_sources(count, high, eos, shortest, longest):
    """Rows of random ids and eos: ids of 4 up to `high`, as those below are of special tokens."""
    generator = random.Random(SEED)
    rows = []
    for _ in range(count):
        row = [generator.randrange(4, high) for _ in range(generator.randint(shortest, longest))]
        rows.append([4 if token == eos else token for token in row] + [eos])
    return rows


def write_sources(path, rows):
    """As bench_decode reads them."""
    path.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def checksum(rows):
    """That of bench_decode: FNV-1a with an id in place of a byte."""
    total = 1469598103934665603
    for token in (token for row in rows for token in row):
        total = (total ^ token) * 1099511628211 % 2**64
    return f"{total:016x}"


def cpu_info(field):
    """A line of /proc/cpuinfo about the first processor, or nothing."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    values = [line.split(":")[1].strip() for line in lines if line.split(":")[0].strip() == field]
    return values[0] if values else ""


def processor():
    return cpu_info("model name") or platform.processor()
