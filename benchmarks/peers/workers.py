#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The peers, each in a process of its own, as compare.py starts them.

    workers.py prepare FOLDER SHAPE     random weights, in our format and in CTranslate2's
    workers.py ctranslate2 FOLDER [INTER INTRA]
                                        answers requests "SOURCES_FILE BEAM TOKENS", with so many
                                        workers of so many threads
    workers.py cold FOLDER SOURCES      the first token of a translation, loading included
    workers.py torch [THREADS]          answers requests "TOKENS HEADS CAUSAL SECONDS"

An answer is a line of JSON. CTranslate2's first line is about the process before it loads anything.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from common import checksum

MAKE_MARIAN = Path(__file__).resolve().parents[2] / "tools" / "make_marian.py"
EOS, UNKNOWN = "</s>", "<unk>"


def say(**answer):
    print(json.dumps(answer), flush=True)


# ---------------------------------------------------------------- the same weights for all


def zero_pad_embedding(path):
    """As in published models: CTranslate2 starts each target with zeros, we with this row."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(path)
    tensors["model.shared.weight"][-1] = 0
    save_file(tensors, path, metadata={"format": "pt"})


def convert(folder, out, storage):
    """With CTranslate2's own loader of Marian models; a token's text is its id."""
    import torch
    import transformers
    from ctranslate2.converters.converter import Converter
    from ctranslate2.converters.transformers import MarianMTLoader

    transformers.utils.logging.disable_progress_bar()

    class WithoutTokenizer(Converter):
        def _load(self):
            model = transformers.MarianMTModel.from_pretrained(folder, dtype=torch.float32)
            spec = MarianMTLoader().get_model_spec(model)
            tokens = [EOS, UNKNOWN, *map(str, range(2, model.config.vocab_size - 1))]
            spec.register_source_vocabulary(tokens)
            spec.register_target_vocabulary(tokens)
            spec.config.eos_token = spec.config.decoder_start_token = EOS
            spec.config.unk_token = UNKNOWN
            return spec

    WithoutTokenizer().convert(str(out), quantization=storage, force=True)


def prepare(folder, shape):
    folder = Path(folder)
    model = folder / "model"
    options = ["--shape", shape, "--generation", '{"forced_eos_token_id": null}']
    subprocess.run([sys.executable, MAKE_MARIAN, model, *options], check=True, stdout=sys.stderr)
    zero_pad_embedding(model / "model.safetensors")
    for storage in ("float32", "int8"):
        convert(model, folder / f"ct2-{storage}", storage)


# ---------------------------------------------------------------- CTranslate2


def open_translator(folder, inter=1, intra=1):
    from ctranslate2 import Translator

    return Translator(folder, device="cpu", intra_threads=intra, inter_threads=inter)


def read_tokens(path):
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [[{"0": EOS, "1": UNKNOWN}.get(word, word) for word in line.split()] for line in lines]


def as_ids(tokens):
    return [int({EOS: "0", UNKNOWN: "1"}.get(token, token)) for token in tokens]


def translate(translator, sources, beam, tokens, workers=1):
    """Exactly so many tokens each, without scores; a batch for each worker."""
    results = translator.translate_batch(
        sources,
        max_batch_size=-(-len(sources) // workers),
        beam_size=beam,
        max_decoding_length=tokens,
        min_decoding_length=tokens,
    )
    return [result.hypotheses[0] for result in results]


def serve_ctranslate2(folder, inter="1", intra="1"):
    import ctranslate2  # noqa: F401: what Python and it take is not the model's

    status = Path("/proc/self/status").read_text(encoding="utf-8").split()
    say(resident_kb=int(status[status.index("VmRSS:") + 1]))
    translator = open_translator(folder, int(inter), int(intra))
    for line in sys.stdin:
        path, beam, tokens = line.split()
        sources, tokens = read_tokens(path), int(tokens)
        start, processor_start = time.perf_counter(), time.process_time()
        hypotheses = translate(translator, sources, int(beam), tokens, int(inter))
        processor_seconds = time.process_time() - processor_start
        seconds = time.perf_counter() - start
        rows = [as_ids(hypothesis) for hypothesis in hypotheses]
        assert all(len(row) == tokens for row in rows), "not as many tokens as wanted"
        say(
            seconds=seconds,
            processor_seconds=processor_seconds,
            ids_checksum=checksum(rows),
        )


def start_cold(folder, path):
    import ctranslate2  # noqa: F401: not held against it

    sources = read_tokens(path)
    start = time.perf_counter()
    translate(open_translator(folder), sources, 1, 1)
    say(seconds=time.perf_counter() - start)


# ---------------------------------------------------------------- torch


def serve_torch(threads="1"):
    """The time of one attention, a median: of the thread's processor time as bench_attention's, or,
    of several threads, the time that passes."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    torch.set_num_threads(int(threads))
    clock = time.thread_time if threads == "1" else time.perf_counter
    generator = torch.Generator().manual_seed(1)
    for line in sys.stdin:
        tokens, heads, causal, enough = (float(word) for word in line.split())
        shape = (1, int(heads), int(tokens), 64)
        inputs = [torch.rand(shape, generator=generator) * 2 - 1 for _ in range(3)]
        times = []
        with torch.inference_mode():
            scaled_dot_product_attention(*inputs, is_causal=bool(causal))
            while len(times) < 3 or sum(times) < enough:
                start = clock()
                scaled_dot_product_attention(*inputs, is_causal=bool(causal))
                times.append(clock() - start)
        say(seconds=statistics.median(times))


if __name__ == "__main__":
    MODES = {
        "prepare": prepare,
        "ctranslate2": serve_ctranslate2,
        "cold": start_cold,
        "torch": serve_torch,
    }
    MODES[sys.argv[1]](*sys.argv[2:])
