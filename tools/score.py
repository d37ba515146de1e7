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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("source", help="one sentence a line")
    parser.add_argument("reference", help="its translation, line by line")
    parser.add_argument("--program", default="build/release/examples/translate")
    parser.add_argument("--model", default="models/fr-en-small")
    parser.add_argument("--options", default="", help="more options for the program")
    arguments = parser.parse_args()

    with open(arguments.source, encoding="utf-8", newline="\n") as file:
        source = file.read()
    with open(arguments.reference, encoding="utf-8", newline="\n") as file:
        references = file.read().split("\n")[:-1]

    print("| beams | split | BLEU | chrF | seconds |\n| --- | --- | --- | --- | --- |")
    for beams in (1, 4):
        for split in ("none", "sentences"):
            command = [arguments.program, "--model", arguments.model, "--beam-size", str(beams),
                       "--split", split, "--max-length", "200",
                       *shlex.split(arguments.options)]
            start = time.monotonic()
            done = subprocess.run(command, input=source.encode(), stdout=subprocess.PIPE)
            seconds = time.monotonic() - start
            if done.returncode != 0:
                sys.exit(f"{shlex.join(command)}: exit {done.returncode}")
            lines = done.stdout.decode().split("\n")[:-1]
            if len(lines) != len(references):
                sys.exit(f"{len(lines)} lines came out, {len(references)} are in the reference")
            bleu = sacrebleu.corpus_bleu(lines, [references]).score
            chrf = sacrebleu.corpus_chrf(lines, [references]).score
            print(f"| {beams} | {split} | {bleu:.2f} | {chrf:.2f} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
