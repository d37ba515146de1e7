#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Decode the same sources with transformers on torch and with our bench_decode, in turns.

    python tools/make_marian.py opus-mt --shape opus-mt
    python benchmarks/peers/decode_torch.py opus-mt --batch 1,32 --beam 1,4 --threads 1 \\
        --tokens 32 --program build/release/benchmarks/bench_decode

Needs torch 2.x and transformers 5.x, and a CPU. Without --program torch runs alone.

Torch decodes as transformers does by default: sdpa attention and a key/value cache; in float32, in
inference mode. Sources are 20 to 30 random ids (fixed seed) and eos, and each gets exactly --tokens
new tokens, so both sides do equal work. A figure is tokens a second: sources x new tokens / time,
encoder included, a beam's other rows not counted. Each round runs torch, then the program; the
ratio is the median over the rounds. "Same ids" compares checksums of all new ids: with random
weights a near tie may fall either way.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForSeq2SeqLM

from common import checksum, draw_sources, processor, write_sources


def numbers(text):
    return [int(part) for part in text.split(",")]


def sources_for(config, count):
    """20 to 30 ids and eos; never pad."""
    eos = torch.tensor([config.eos_token_id]).flatten()[0].item()
    return draw_sources(count, min(config.vocab_size, config.pad_token_id), eos, 20, 30)


def as_batch(sources, pad):
    width = max(map(len, sources))
    ids = torch.tensor([row + [pad] * (width - len(row)) for row in sources])
    return {
        "input_ids": ids,
        "attention_mask": (torch.arange(width) < torch.tensor([[len(r)] for r in sources])).long(),
    }


class Torch:
    """transformers on torch."""

    def __init__(self, folder):
        self.model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.ids = None

    def tokens_per_second(self, sources, beam, tokens, threads):
        torch.set_num_threads(threads)
        batch = as_batch(sources, self.model.config.pad_token_id)
        start = time.perf_counter()
        with torch.inference_mode():
            out = self.model.generate(
                **batch,
                num_beams=beam,
                do_sample=False,
                min_new_tokens=tokens,
                max_new_tokens=tokens,
            )
        seconds = time.perf_counter() - start
        assert out.shape == (len(sources), tokens + 1), out.shape
        self.ids = checksum(out[:, 1:].tolist())
        return len(sources) * tokens / seconds


class Program:
    """Ours, a process a measurement; it answers with one line of JSON."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        self.ids = None

    def tokens_per_second(self, sources, beam, tokens, threads):
        with tempfile.NamedTemporaryFile(suffix=".txt") as file:
            write_sources(Path(file.name), sources)
            options = {
                "--batch": len(sources),
                "--beam": beam,
                "--tokens": tokens,
                "--threads": threads,
            }
            words = [word for pair in options.items() for word in map(str, pair)]
            command = [self.path, self.folder, *words, "--repeat", "1", "--sources", file.name]
            line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        answer = json.loads(line)
        self.ids = answer["ids_checksum"]
        return answer["tokens_per_second"]


def compare(peers, sources, options, beam, threads):
    """Median tokens a second of each peer, and the median ratio of the last to the first."""
    rounds = []
    peers[0].tokens_per_second(sources, beam, min(options.tokens, 4), threads)  # warm up
    for _ in range(options.rounds):
        rounds.append(
            [peer.tokens_per_second(sources, beam, options.tokens, threads) for peer in peers]
        )
    medians = [statistics.median(column) for column in zip(*rounds)]
    return medians, statistics.median(row[-1] / row[0] for row in rounds)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="a hub folder of an encoder-decoder")
    parser.add_argument("--batch", type=numbers, default=[1, 32])
    parser.add_argument("--beam", type=numbers, default=[1, 4])
    parser.add_argument("--threads", type=numbers, default=[1])
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", type=Path, help="bench_decode; torch alone without it")
    return parser.parse_args()


def main():
    options = parse_arguments()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    peers = [Torch(options.folder)]
    if options.program:
        peers.append(Program(str(options.program.resolve()), options.folder))
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    print(f"{options.folder}: {versions}, {processor()}, {os.cpu_count()} CPUs")
    print(
        f"{options.tokens} new tokens a source, medians of {options.rounds} rounds, tokens a second"
    )
    columns = "| threads | batch | beam | torch |"
    print(f"{columns} ours | ours / torch | same ids |" if options.program else columns)
    print("|--:" * (7 if options.program else 4) + "|")
    for threads in options.threads:
        for count in options.batch:
            sources = sources_for(peers[0].model.config, count)
            for beam in options.beam:
                medians, ratio = compare(peers, sources, options, beam, threads)
                cells = [threads, count, beam, *(f"{median:.1f}" for median in medians)]
                same = "yes" if peers[0].ids == peers[-1].ids else "no"
                cells += [f"{ratio:.2f}", same] if options.program else []
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
