#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make a Marian model with random weights, as a folder in the hub's layout.

    python tools/make_marian.py OUT --shape tiny --train 220
    python tools/make_marian.py OUT --shape opus-mt

Needs torch 2.x, transformers 5.x, safetensors and numpy, and a CPU. Shapes: tiny (tests), small
(that of models/fr-en-small), opus-mt (base models, 53,017 pieces) and tc-big. With the same
versions, CPU and arguments a second run writes the same weights.

Untrained models repeat one token for ever. --train takes that many steps on random chains of
tokens, after which a tiny model ends its sentences and depends on the source, but stays unsure
enough for beams to matter.

transformers 5 refuses generation settings in config.json and renames keys, so the JSON files are
edited after saving: they have the keys of 4.46.3, as published models do. The commands for the
folders in tests/data/goldens are in tests/data/README.md.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import MarianConfig, MarianMTModel
from transformers.utils import logging

SHAPES = {
    "tiny": {
        "d_model": 32,
        "layers": (2, 2),
        "heads": 4,
        "d_ff": (64, 80),
        "vocab": 128,
        "positions": 64,
    },
    "small": {
        "d_model": 256,
        "layers": (4, 2),
        "heads": 4,
        "d_ff": (1024, 1024),
        "vocab": 6001,
        "positions": 512,
    },
    "opus-mt": {
        "d_model": 512,
        "layers": (6, 6),
        "heads": 8,
        "d_ff": (2048, 2048),
        "vocab": 53017,
        "positions": 512,
    },
    "tc-big": {
        "d_model": 1024,
        "layers": (6, 6),
        "heads": 16,
        "d_ff": (4096, 4096),
        "vocab": 53017,
        "positions": 1024,
    },
}
ACTIVATIONS = {"tiny": "swish", "small": "relu", "opus-mt": "swish", "tc-big": "relu"}
VERSION = "4.46.3"
CHAIN_SEED = 20240613
FILES = ("config.json", "generation_config.json", "model.safetensors", "pytorch_model.bin")


# ---------------------------------------------------------------- model


def model_config(options):
    """The MarianConfig that the options describe; pad is the last id of the target vocabulary."""
    shape = dict(SHAPES[options.shape])
    if options.vocab:
        shape["vocab"] = options.vocab
    if options.layers:
        shape["layers"] = tuple(options.layers)
    target_vocab = options.separate or shape["vocab"]
    pad = target_vocab - 1
    return MarianConfig(
        vocab_size=shape["vocab"],
        decoder_vocab_size=target_vocab,
        share_encoder_decoder_embeddings=not options.separate,
        tie_word_embeddings=not options.separate,
        d_model=shape["d_model"],
        encoder_layers=shape["layers"][0],
        decoder_layers=shape["layers"][1],
        encoder_attention_heads=shape["heads"],
        decoder_attention_heads=shape["heads"],
        encoder_ffn_dim=shape["d_ff"][0],
        decoder_ffn_dim=shape["d_ff"][1],
        max_position_embeddings=shape["positions"],
        activation_function=options.activation or ACTIVATIONS[options.shape],
        scale_embedding=not options.no_scale,
        pad_token_id=pad,
        decoder_start_token_id=pad,
        bos_token_id=None,
        eos_token_id=options.eos,
        forced_eos_token_id=options.eos,
    )


def random_model(config):
    """Every parameter drawn: fresh models have zero biases, unit norms and no final bias."""
    model = MarianMTModel(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:  # the sinusoids
                continue
            if (
                parameter.dim() > 1
            ):  # keeps a row of unit numbers near unit size; scaled embeddings too
                parameter.normal_(std=parameter.shape[1] ** -0.5)
            else:
                parameter.normal_(mean=float(name.endswith("norm.weight")), std=0.1)
        model.final_logits_bias.normal_(std=0.2)
    return model.eval()


# ---------------------------------------------------------------- training


class Chains:
    """Pairs of a source and the chain of target tokens that it steers."""

    FOLLOWERS = 3

    def __init__(self, config, generator):
        self.config, self.generator = config, generator
        self.source_tokens = self.free_tokens(config.vocab_size)
        self.target_tokens = self.free_tokens(config.decoder_vocab_size)
        self.starts = self.pick(self.target_tokens, (config.vocab_size,))
        self.followers = self.pick(self.target_tokens, (config.decoder_vocab_size, self.FOLLOWERS))

    def free_tokens(self, vocab):
        special = {self.config.eos_token_id, self.config.pad_token_id}
        return torch.tensor([token for token in range(vocab) if token not in special])

    def pick(self, tokens, shape):
        return tokens[torch.randint(len(tokens), shape, generator=self.generator)]

    def uniform(self, low, high):
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def pair(self):
        """A source with eos, and a target that ends in eos; one token in eight is noise."""
        eos = self.config.eos_token_id
        source = self.pick(self.source_tokens, (self.uniform(1, 20),)).tolist()
        target = [int(self.starts[source[0]])]
        for i in range(3 + len(source) // 2 + self.uniform(0, 2)):
            choice = self.followers[target[-1], source[i % len(source)] % self.FOLLOWERS]
            noise = self.uniform(0, 7) == 0
            target.append(int(self.pick(self.target_tokens, ()) if noise else choice))
        return source + [eos], target + [eos]


def padded(rows, fill):
    width = max(map(len, rows))
    return torch.tensor([row + [fill] * (width - len(row)) for row in rows])


def train(model, steps, seed):
    """Adam with a linear warm-up and decay, on batches of fresh chains."""
    torch.manual_seed(seed)
    chains = Chains(model.config, torch.Generator().manual_seed(CHAIN_SEED + seed))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=1e-2, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / 20, 1 - step / (steps + 1))
    )
    loss = None
    for _ in range(steps):
        sources, targets = zip(*(chains.pair() for _ in range(64)))
        source = padded(sources, model.config.pad_token_id)
        mask = padded([[1] * len(row) for row in sources], 0)
        loss = model(input_ids=source, attention_mask=mask, labels=padded(targets, -100)).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        schedule.step()
    print(f"trained {steps} steps, last loss {loss.item():.3f}")


# ---------------------------------------------------------------- files


def as_stored(model, duplicates):
    """The tensors to store: with --duplicates every name of a tied one, and the sinusoids."""
    state = model.state_dict()
    if not duplicates:
        tied = {
            "lm_head.weight",
            "model.encoder.embed_tokens.weight",
            "model.decoder.embed_tokens.weight",
        }
        dropped = {"model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"}
        for name in dropped | (tied if model.config.share_encoder_decoder_embeddings else set()):
            state.pop(name)
    return state


def write_weights(model, out, options):
    """Bring the weights that save_pretrained wrote into the form that the options ask for."""
    safetensors = out / "model.safetensors"
    if options.bin:
        safetensors.unlink()
        state = as_stored(model, options.duplicates)
        torch.save(
            state, out / "pytorch_model.bin", _use_new_zipfile_serialization=options.bin == "zip"
        )
    elif options.duplicates:
        copies = {
            name: tensor.clone().contiguous() for name, tensor in as_stored(model, True).items()
        }
        save_file(copies, safetensors, metadata={"format": "pt"})
    else:  # the metadata of transformers 5 adds nothing
        save_file(load_file(safetensors), safetensors, metadata={"format": "pt"})


def generation_settings(config, options):
    settings = {
        "bad_words_ids": [[config.pad_token_id]],
        "decoder_start_token_id": config.decoder_start_token_id,
        "eos_token_id": config.eos_token_id,
        "forced_eos_token_id": config.forced_eos_token_id,
        "pad_token_id": config.pad_token_id,
    }
    if options.forced_bos is not None:
        settings["forced_bos_token_id"] = options.forced_bos
    settings.update(json.loads(options.generation))
    return settings


def write_json(path, values):
    path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_configs(model, out, options):
    """Both JSON files with the keys of transformers 4.x, edited from what save_pretrained wrote."""
    path = out / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("dtype", None)
    config.update(
        add_bias_logits=False,
        add_final_layer_norm=False,
        bos_token_id=None,
        normalize_before=False,
        normalize_embedding=False,
        num_hidden_layers=model.config.encoder_layers,
        static_position_embeddings=True,
        torch_dtype=options.dtype,
        transformers_version=VERSION,
    )
    settings = generation_settings(model.config, options)
    if options.settings_in_config:
        config.update(settings)
        (out / "generation_config.json").unlink()
    else:
        write_json(out / "generation_config.json", settings | {"transformers_version": VERSION})
    write_json(path, config)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--shape", choices=SHAPES, default="tiny")
    parser.add_argument("--vocab", type=int, help="another vocabulary size")
    parser.add_argument("--layers", type=int, nargs=2, metavar=("ENCODER", "DECODER"))
    parser.add_argument(
        "--separate", type=int, metavar="SIZE", help="a target vocabulary of its own, of SIZE"
    )
    parser.add_argument("--activation", choices=["swish", "relu", "gelu"])
    parser.add_argument("--no-scale", action="store_true", help="scale_embedding false")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="float32")
    parser.add_argument(
        "--bin", choices=["zip", "legacy"], help="pytorch_model.bin instead of model.safetensors"
    )
    parser.add_argument(
        "--duplicates", action="store_true", help="store tied tensors again, and the sinusoids"
    )
    parser.add_argument("--eos", type=int, default=0, metavar="ID")
    parser.add_argument("--forced-bos", type=int, metavar="ID")
    parser.add_argument(
        "--generation", default="{}", metavar="JSON", help="generation settings to add"
    )
    parser.add_argument(
        "--settings-in-config", action="store_true", help="no generation_config.json"
    )
    parser.add_argument("--train", type=int, default=0, metavar="STEPS")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    options = parse_arguments()
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(options.seed)
    model = random_model(model_config(options))
    if options.train:
        train(model, options.train, options.seed)
    model = model.to(getattr(torch, options.dtype))
    options.out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (options.out / name).unlink(missing_ok=True)
    model.save_pretrained(options.out)
    write_weights(model, options.out, options)
    write_configs(model, options.out, options)
    for name in FILES:
        if (options.out / name).exists():
            (options.out / name).chmod(0o644)
    print(
        f"{options.out}: {sum(p.numel() for p in model.parameters()):,} parameters, {options.dtype}"
    )


if __name__ == "__main__":
    main()
