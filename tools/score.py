#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scores a translation program on a test set: BLEU and chrF by sacrebleu, for greedy search and
four beams, lines as they are and split into sentences.

    tools/score.py SOURCE REFERENCE [--program build/release/examples/translate]
        [--model models/fr-en-small] [--options "--threads 2"]
"""
import argparse
import shlex
import subprocess
import sys
import time

import sacrebleu


def add_program(parser):
    parser.add_argument("--program", default="build/release/examples/translate")
    parser.add_argument("--model", default="models/fr-en-small")
    parser.add_argument("--options", default="", help="more options for the program")


def read_lines(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return file.read().split("\n")[:-1]


def run(command, lines):
    """What a command makes of lines; where it fails, so does this program."""
    done = subprocess.run(command, input="".join(f"{line}\n" for line in lines).encode(),
                          stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)}: exit {done.returncode}")
    return done.stdout.decode()


def translate(arguments, sources, beams, split, *options):
    """The program's translations of all sources."""
    command = [arguments.program, "--model", arguments.model, "--beam-size", str(beams),
               "--split", split, "--max-length", "200", *shlex.split(arguments.options), *options]
    lines = run(command, sources).split("\n")[:-1]
    if len(lines) != len(sources):
        sys.exit(f"{len(lines)} lines came out of {len(sources)}")
    return lines


def scores(lines, references):
    """BLEU and chrF."""
    if len(lines) != len(references):
        sys.exit(f"{len(lines)} lines, {len(references)} are in the reference")
    return (sacrebleu.corpus_bleu(lines, [references]).score,
            sacrebleu.corpus_chrf(lines, [references]).score)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("source", help="one sentence a line")
    parser.add_argument("reference", help="its translation, line by line")
    add_program(parser)
    arguments = parser.parse_args()
    sources, references = read_lines(arguments.source), read_lines(arguments.reference)

    print("| beams | split | BLEU | chrF | seconds |\n| --- | --- | --- | --- | --- |")
    for beams in (1, 4):
        for split in ("none", "sentences"):
            start = time.monotonic()
            lines = translate(arguments, sources, beams, split)
            seconds = time.monotonic() - start
            bleu, chrf = scores(lines, references)
            print(f"| {beams} | {split} | {bleu:.2f} | {chrf:.2f} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
