# SPDX-License-Identifier: MIT
"""Contestants in processes of their own, and their turns."""

import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

WORKERS = Path(__file__).resolve().with_name("workers.py")


def threads_of(count):
    """How many the peers' libraries are told to use."""
    return {"OMP_NUM_THREADS": str(count), "MKL_NUM_THREADS": str(count)}


class ChildFailed(Exception):
    """A process ended before it answered."""


class Child:
    """A process that answers each line of its input with a line of JSON."""

    def __init__(self, command, folder, settings=None):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=os.environ | threads_of(1) | (settings or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.close()
            status = self.process.returncode
            raise ChildFailed(f"{self.process.args}: status {status}, {self.error_text()}")
        return json.loads(line)

    def ask(self, *words):
        try:
            print(*words, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # then there is no answer either
        return self.answer()

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().strip()

    def peak_kilobytes(self):
        """The most memory that it has had until now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s*(\d+)", status)[1])

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def worker(folder, *words, settings=None):
    return Child([sys.executable, WORKERS, *words], folder, settings)


# Time of the processor: on a machine that is idle besides it is the time that passes.
PROCESSOR, WALL = "processor_seconds", "seconds"


def seconds_of(child, request, clock=PROCESSOR):
    return child.ask(*request)[clock]


def requests_for(seconds, child, request, clock=PROCESSOR):
    """How many times a request is to be repeated to take so long."""
    return max(1, math.ceil(seconds / seconds_of(child, request, clock)))


def rate_of(child, request, tokens, times, clock=PROCESSOR):
    """Tokens a second over some requests."""
    return tokens * times / sum(seconds_of(child, request, clock) for _ in range(times))


def take_turns(contestants, rounds):
    """What each answers in each round, in columns; every other round runs backwards."""
    rows = []
    for number in range(rounds):
        order = list(enumerate(contestants))
        figures = {i: run() for i, run in (order if number % 2 == 0 else reversed(order))}
        rows.append([figures[i] for i in range(len(contestants))])
    return list(zip(*rows))


def ratios(over, under):
    return [a / b for a, b in zip(over, under)]


def run_google_benchmark(program, pattern, seconds):
    """Its figures by name, and what it says of the machine."""
    command = [program, f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds}"]
    done = subprocess.run(
        [*command, "--benchmark_format=json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,  # a warning that the machine is busy, each time
        text=True,
    )
    if done.returncode != 0:
        raise ChildFailed(f"{command}: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    lines = {line["name"].removesuffix("/manual_time"): line for line in report["benchmarks"]}
    return lines, report["context"]


def benchmark_names(program):
    done = subprocess.run(
        [program, "--benchmark_list_tests"],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return [name.removesuffix("/manual_time") for name in done.stdout.split()]
