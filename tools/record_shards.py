#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Record one small checkpoint in the four forms in which model folders have it.

    python tools/record_shards.py [OUTPUT_DIR]

Needs torch 2, safetensors and huggingface_hub 1 or later. OUTPUT_DIR is
tests/data/checkpoints of this repository unless given: whole/ (model.safetensors),
sharded/ (its index and shards), torch/ (pytorch_model.bin), torch-sharded/ (its index
and shards), all written by huggingface_hub, which transformers uses too. The same
numbers are in all four. A second run with the same versions writes the same bytes.
"""

import argparse
import shutil
from pathlib import Path

import torch
from huggingface_hub import save_torch_state_dict

SHARD_BYTES = 400


def tensors():
    """Names and types as in a published model; values tell the tensors apart."""
    generator = torch.Generator().manual_seed(20)

    def normal(*shape, dtype=torch.float32):
        return torch.randn(*shape, generator=generator).to(dtype)

    return {
        "model.embed_tokens.weight": normal(12, 8),
        "model.layers.0.input_layernorm.weight": normal(8),
        "model.layers.0.mlp.up_proj.weight": normal(10, 8, dtype=torch.bfloat16),
        "model.layers.0.mlp.up_proj.bias": normal(10, dtype=torch.float16),
        "model.layers.0.self_attn.q_proj.weight": normal(8, 8),
        "model.position_ids": torch.arange(12).reshape(1, 12),
        "model.scale": torch.tensor(0.5),
        "lm_head.weight": normal(12, 8),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parent.parent / "tests" / "data" / "checkpoints"
    parser.add_argument("output", nargs="?", type=Path, default=default)
    output = parser.parse_args().output
    for folder, safe, limit in [
        ("whole", True, "1GB"),
        ("sharded", True, SHARD_BYTES),
        ("torch", False, "1GB"),
        ("torch-sharded", False, SHARD_BYTES),
    ]:
        where = output / folder
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir(parents=True)
        save_torch_state_dict(tensors(), where, max_shard_size=limit, safe_serialization=safe)
        for file in where.iterdir():
            file.chmod(0o644)


if __name__ == "__main__":
    main()
