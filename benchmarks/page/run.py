#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure, and write docs/benchmarks: results.json, charts, README.md. scripts/bench calls it."""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "benchmarks" / "peers"
sys.path.insert(1, str(PEERS))

import charts  # noqa: E402: the peers' modules are found from here on
import machine  # noqa: E402
import page  # noqa: E402
import programs  # noqa: E402
import translation  # noqa: E402
from table import Bench  # noqa: E402

# Rounds, seconds of a slice, words of text; which rows of the peers' own tables, on one core and
# on all: those that nothing else here shows. Beams on all cores take minutes.
MODES = {
    "quick": (1, 0.02, 700, ("causal, T 512|cold start|int8, batch 32, beam 4", "causal, T 512")),
    "default": (
        3,
        0.2,
        6000,
        ("^attention|memory|cold start|int8, batch (1|32), beam 4", "^attention"),
    ),
    "full": (7, 0.4, 30000, ("", "")),
}
TABLES = {"one core": "compare.py", "all cores": "compare_threads.py"}


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="everything, seven rounds")
    parser.add_argument("--quick", action="store_true", help="a moment: does it all run?")
    parser.add_argument("--no-peers", action="store_true", help="without CTranslate2 and torch")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "peers", help="for weights")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument(
        "--from",
        dest="results",
        type=Path,
        metavar="RESULTS.json",
        help="draw these again, and measure nothing",
    )
    options = parser.parse_args()
    options.mode = "full" if options.full else "quick" if options.quick else "default"
    return options


def step(results, name, measure):
    """Says what goes on, and keeps how long it took."""
    start = time.perf_counter()
    measured = measure()
    results["took"][name] = round(time.perf_counter() - start, 1)
    print(f"scripts/bench: {name}, {results['took'][name]} s", file=sys.stderr, flush=True)
    return measured


def peers_table(options, script, rounds, only):
    """The rows of one of the peers' own tables."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, PEERS / script, "--rounds", str(rounds), "--json", file]
        command += ["--build", options.build, "--work", options.work, "--only", only]
        command += ["--quick"] if options.quick else []
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            return {"rows": [], "notes": [f"{script} failed; what it said is in the log."]}
        return json.loads(file.read_text(encoding="utf-8"))


def measure(options):
    rounds, seconds, words, only = MODES[options.mode]
    load = os.getloadavg()[0]  # before ours is on it
    missing = machine.missing_peers()
    with_peers = not options.no_peers and not missing
    bench = Bench(argparse.Namespace(**vars(options), rounds=rounds), None)
    bench.seconds = seconds
    results = {"mode": options.mode, "rounds": rounds, "took": {}}
    results["date"] = f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC"
    results["commit"] = machine.commit()
    results["build"] = machine.of_build(options.build)
    results["peers"] = machine.of_peers() if with_peers else {}
    lacks = "--no-peers" if options.no_peers else f"not installed: {', '.join(missing)}"
    results["without_peers"] = "" if with_peers else lacks
    results["peaks"], context = step(results, "peaks", lambda: programs.peaks(bench))
    results["machine"] = machine.of_machine(context, load)
    for name, function in (("products", programs.products), ("layers", programs.layers)):
        results[name], results[f"{name}_filter"] = step(results, name, lambda f=function: f(bench))
    results["attention"] = step(
        results, "attention", lambda: programs.attention(bench, options.full, with_peers)
    )
    results["decoding"] = step(
        results, "decoding", lambda: translation.decoding(bench, with_peers)
    )
    results["texts"] = step(results, "texts", lambda: translation.corpora(bench, words))
    results["tables"] = {}
    for (name, script), rows in zip(TABLES.items(), only):
        if with_peers and (name == "one core" or machine.CORES > 1):
            table = step(
                results,
                f"peers, {name}",
                lambda s=script, o=rows: peers_table(options, s, rounds, o),
            )
            results["tables"][name] = table | {"only": rows}
    return results


def main():
    options = parse()
    if options.results:
        results = json.loads(options.results.read_text(encoding="utf-8"))
    else:
        results = measure(options)
    options.out.mkdir(parents=True, exist_ok=True)
    data = json.dumps(results, separators=(",", ":")).replace('},{"', '},\n{"')
    # What was measured stays, whatever happens to the page.
    (options.out / "results.json").write_text(data + "\n", encoding="utf-8")
    text = page.text(results)
    charts.draw(results, options.out)
    (options.out / "README.md").write_text(text, encoding="utf-8")
    print(options.out / "README.md")


if __name__ == "__main__":
    main()
