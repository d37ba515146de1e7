#!/usr/bin/env python3
"""Record what torch's own modules answer, as small fixtures for the tests.

    python tools/record_torch.py [OUTPUT_DIR]

Needs torch and safetensors, and a CPU. OUTPUT_DIR is tests/data/torch of this
repository unless given. Every fixture is a pair NAME.safetensors + NAME.json;
tools/README.md describes both. With the same torch and the same CPU a second
run writes the same bytes.

Weights and inputs are drawn in float32. The reference (F64) is the module
converted to float64 with exactly those weights; the module's own float32
answer is stored beside it under `KIND_float32.SCENE`.
"""

import argparse
import copy
import json
import math
import platform
import warnings
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import nn

VERSIONS = {"python": platform.python_version(), "torch": torch.__version__}


# ---------------------------------------------------------------- helpers


def seed_from(name):
    """Seed torch from a name, so that no fixture depends on the others."""
    seed = zlib.crc32(name.encode()) & 0x7FFFFFFF
    torch.manual_seed(seed)
    return seed


def randomise(module, gain=1.0, embedding_std=1.0):
    """Draw every parameter, so that a test notices each one it forgets.

    Fresh modules have zero biases, unit norm weights and, since an encoder
    clones one layer, the same matrices in every layer.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "embedding" in name:
                nn.init.normal_(parameter, std=embedding_std)
            elif parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter, gain)
            else:
                nn.init.normal_(parameter, mean=float(name.endswith("weight")), std=0.3)
    return module.eval()


def causal_mask(tokens, dtype):
    """The additive mask of the paper's decoder: -inf where key > query."""
    return nn.Transformer.generate_square_subsequent_mask(tokens, dtype=dtype)


def as_double(tensor):
    return tensor.double() if tensor.is_floating_point() else tensor


def max_abs_diff(single, double):
    return (single.double() - double).abs().max().item()


def max_relative_diff(single, double):
    error = (single.double() - double).abs()
    return torch.where(error == 0, error, error / double.abs()).max().item()


def write_tensors(path, tensors):
    path.write_bytes(save({k: v.contiguous().clone() for k, v in tensors.items()}))


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


class Fixture:
    """The tensors and the description of one NAME.safetensors + NAME.json."""

    def __init__(self, name, model=None, **description):
        self.name = name
        self.single = model
        self.double = copy.deepcopy(model).double() if model is not None else None
        self.description = description
        self.tensors = {}
        self.scenes = []
        self.diffs = {}

    def store_state(self, prefix="state."):
        for name, tensor in self.single.state_dict().items():
            self.tensors[prefix + name] = tensor

    def scene(self, name, call, inputs, **facts):
        """Run `call(model, *inputs) -> {kind: tensor}` in both precisions."""
        with torch.no_grad():
            single = call(self.single, *inputs.values())
            double = call(self.double, *map(as_double, inputs.values()))
        for kind, tensor in inputs.items():
            self.tensors[f"in.{name}.{kind}"] = tensor
        for kind, tensor in double.items():
            assert tensor.dtype == torch.float64 and single[kind].dtype == torch.float32
            self.tensors[f"{kind}.{name}"] = tensor
            self.tensors[f"{kind}_float32.{name}"] = single[kind]
            self.diffs[f"{kind}.{name}"] = max_abs_diff(single[kind], tensor)
        self.scenes.append({"name": name, **facts})

    def save(self, folder):
        path = folder / f"{self.name}.safetensors"
        write_tensors(path, self.tensors)
        description = {
            **self.description,
            "versions": VERSIONS,
            "max_abs_diff_float32_float64": self.diffs,
            "scenes": self.scenes,
        }
        write_json(path.with_suffix(".json"), description)


# ---------------------------------------------------------------- attention


def attend(causal):
    """A call of nn.MultiheadAttention, checked against its second code path."""

    def call(module, query, memory=None):
        memory = query if memory is None else memory
        mask = causal_mask(len(query), query.dtype) if causal else None
        qkv = (query, memory, memory)
        out, _ = module(*qkv, attn_mask=mask, is_causal=causal, need_weights=False)
        same, weights = module(*qkv, attn_mask=mask, average_attn_weights=False)
        assert query.dtype == torch.float32 or max_abs_diff(out, same) < 1e-14
        return {"out": out, "weights": weights}

    return call


def record_attention(folder, name, bias):
    seed = seed_from(name)
    arguments = {
        "embed_dim": 24,
        "num_heads": 3,
        "dropout": 0.0,
        "bias": bias,
        "add_bias_kv": False,
        "add_zero_attn": False,
        "kdim": None,
        "vdim": None,
        "batch_first": False,
    }
    module = randomise(nn.MultiheadAttention(**arguments))
    fixture = Fixture(
        name, module, module="torch.nn.MultiheadAttention", arguments=arguments, seed=seed
    )
    fixture.store_state()
    for scene, queries, keys, causal in [
        ("self", 7, None, False),
        ("self_causal", 7, None, True),
        ("cross", 4, 6, False),
    ]:
        inputs = {"query": torch.randn(queries, 24)}
        if keys is not None:
            inputs["memory"] = torch.randn(keys, 24)
        fixture.scene(
            scene, attend(causal), inputs, queries=queries, keys=keys or queries, causal=causal
        )
    fixture.save(folder)


# ---------------------------------------------------------------- encoder


def encode(causal):
    def call(module, src):
        mask = causal_mask(len(src), src.dtype) if causal else None
        return {"out": module(src, mask=mask)}

    return call


def record_encoder(folder, name, norm_first, activation, bias=True, final_norm=True):
    seed = seed_from(name)
    layer = {
        "d_model": 16,
        "nhead": 2,
        "dim_feedforward": 40,
        "dropout": 0.0,
        "activation": activation,
        "layer_norm_eps": 1e-5,
        "batch_first": False,
        "norm_first": norm_first,
        "bias": bias,
    }
    norm = {"normalized_shape": 16, "eps": 1e-5, "elementwise_affine": True, "bias": bias}
    encoder = {"num_layers": 2, "enable_nested_tensor": False, "mask_check": True}
    module = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(**layer),
        norm=nn.LayerNorm(**norm) if final_norm else None,
        **encoder,
    )
    fixture = Fixture(
        name,
        randomise(module),
        module="torch.nn.TransformerEncoder",
        arguments={"encoder_layer": layer, **encoder, "norm": norm if final_norm else None},
        seed=seed,
    )
    fixture.store_state()
    for scene, tokens, causal in [
        ("plain_1", 1, False),
        ("plain_5", 5, False),
        ("plain_9", 9, False),
        ("causal_5", 5, True),
    ]:
        src = torch.randn(tokens, 16)
        fixture.scene(scene, encode(causal), {"src": src}, tokens=tokens, causal=causal)
    fixture.save(folder)


# ---------------------------------------------------------------- transformer


def transform(causal):
    """nn.Transformer.forward in its two halves, to see the memory as well."""

    def call(module, src, tgt):
        mask = causal_mask(len(tgt), tgt.dtype) if causal else None
        memory = module.encoder(src)
        out = module.decoder(tgt, memory, tgt_mask=mask)
        assert torch.equal(out, module(src, tgt, tgt_mask=mask))
        return {"memory": memory, "out": out}

    return call


def transformer_arguments(norm_first, activation, bias, eps):
    return {
        "d_model": 16,
        "nhead": 2,
        "num_encoder_layers": 2,
        "num_decoder_layers": 2,
        "dim_feedforward": 32,
        "dropout": 0.0,
        "activation": activation,
        "custom_encoder": None,
        "custom_decoder": None,
        "layer_norm_eps": eps,
        "batch_first": False,
        "norm_first": norm_first,
        "bias": bias,
    }


def record_transformer(folder, name, norm_first, activation, bias=True, eps=1e-5):
    seed = seed_from(name)
    arguments = transformer_arguments(norm_first, activation, bias, eps)
    module = randomise(nn.Transformer(**arguments))
    fixture = Fixture(name, module, module="torch.nn.Transformer", arguments=arguments, seed=seed)
    fixture.store_state()
    for scene, source, target, causal in [
        ("causal_6_4", 6, 4, True),
        ("causal_1_1", 1, 1, True),
        ("causal_9_7", 9, 7, True),
        ("plain_6_4", 6, 4, False),
    ]:
        inputs = {"src": torch.randn(source, 16), "tgt": torch.randn(target, 16)}
        fixture.scene(
            scene,
            transform(causal),
            inputs,
            source_tokens=source,
            target_tokens=target,
            target_causal=causal,
        )
    fixture.save(folder)


# ---------------------------------------------------------------- whole model


def sinusoidal_positions(positions, d_model):
    """The paper's table, sine and cosine interleaved, rounded to float32."""
    place = torch.arange(positions, dtype=torch.float64).unsqueeze(1)
    pair = torch.arange(0, d_model, 2, dtype=torch.float64)
    angle = place * 10000.0 ** (-pair / d_model)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1).float()


SOURCES = [[4, 9, 17, 3, 12, 2], [7, 2], [19, 5, 5, 11, 6, 14, 8, 3, 2]]
TARGETS = [[1, 8, 13, 5], [1], [1, 6, 18, 4, 4, 10, 15]]


class Vaswani(nn.Module):
    """The model of the paper: embeddings, positions, nn.Transformer, generator."""

    def __init__(self, config):
        super().__init__()
        self.d_model = config["d_model"]
        self.tied = config["tie_embeddings"]
        if self.tied:
            self.embedding = nn.Embedding(config["vocab_size"], self.d_model)
        else:
            self.src_embedding = nn.Embedding(config["vocab_size"], self.d_model)
            self.tgt_embedding = nn.Embedding(config["target_vocab_size"], self.d_model)
            self.generator = nn.Linear(self.d_model, config["target_vocab_size"])
        self.transformer = nn.Transformer(
            d_model=self.d_model,
            nhead=config["attention_heads"],
            num_encoder_layers=config["encoder_layers"],
            num_decoder_layers=config["decoder_layers"],
            dim_feedforward=config["d_ff"],
            dropout=0.0,
            activation=config["activation"],
            layer_norm_eps=config["layer_norm_eps"],
            norm_first=config["norm_first"],
            bias=config["bias"],
        )
        positions = sinusoidal_positions(config["max_positions"], self.d_model)
        self.register_buffer("positions", positions, persistent=False)

    def embed(self, embedding, ids):
        return embedding(ids) * math.sqrt(self.d_model) + self.positions[: len(ids)]

    def forward(self, source, target):
        src_embedding = self.embedding if self.tied else self.src_embedding
        tgt_embedding = self.embedding if self.tied else self.tgt_embedding
        memory = self.transformer.encoder(self.embed(src_embedding, source))
        decoder = self.transformer.decoder(
            self.embed(tgt_embedding, target),
            memory,
            tgt_mask=causal_mask(len(target), memory.dtype),
        )
        logits = F.linear(decoder, self.embedding.weight) if self.tied else self.generator(decoder)
        return {"memory": memory, "decoder": decoder, "logits": logits}


def greedy(model, source, bos, eos, steps=12):
    """Argmax ids from bos up to eos or `steps` new ids, and the closest call."""
    ids, margin = [bos], math.inf
    while ids[-1] != eos and len(ids) <= steps:
        with torch.no_grad():
            logits = model(source, torch.tensor(ids))["logits"][-1]
        best = logits.topk(2).values
        margin = min(margin, (best[0] - best[1]).item())
        ids.append(logits.argmax().item())
    return ids, margin


def record_vaswani(folder, name, draw, gain=1.0, embedding_std=1.0, **config):
    """Record a whole model; `draw` was chosen for greedy answers that vary."""
    seed = seed_from(f"{name}-{draw}")
    tied = config["tie_embeddings"]
    config = {
        "model_type": "vaswani",
        "d_model": 16,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "attention_heads": 2,
        "d_ff": 32,
        **config,
        "bias": True,
        "max_positions": 32,
        "positions": "interleaved",
        "scale_embedding": True,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "tensors": {
            "source_embedding": "embedding.weight" if tied else "src_embedding.weight",
            "target_embedding": "embedding.weight" if tied else "tgt_embedding.weight",
            "transformer": "transformer.",
        },
    }
    model = randomise(Vaswani(config), gain, embedding_std)
    if not tied:
        config["tensors"]["generator"] = "generator."
        with torch.no_grad():
            model.generator.weight *= 3

    golden = Fixture("golden", model, module="vaswani", seed=seed)
    golden.tensors["positions"] = model.positions
    for index, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        scene = f"scene_{index}"
        ids, margin = greedy(golden.double, torch.tensor(source), bos=1, eos=2)
        assert ids == greedy(model, torch.tensor(source), bos=1, eos=2)[0]
        inputs = {"source": torch.tensor(source), "target": torch.tensor(target)}
        facts = {"source": source, "target": target, "greedy": ids, "greedy_margin": margin}
        golden.scene(scene, lambda module, *ids: module(*ids), inputs, **facts)
        golden.tensors[f"greedy.{scene}"] = torch.tensor(ids)

    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / "model.safetensors", model.state_dict())
    write_json(folder / "config.json", config)
    golden.save(folder)


# ---------------------------------------------------------------- operations


def record_functions(fixture):
    """Elementwise functions, each over a range that has its hard parts."""
    tiny = torch.tensor([0.0, -0.0, 1e-30, -1e-30, 1e-6, -1e-6])
    line = torch.linspace
    ranges = {
        "erf": (torch.erf, torch.cat([line(-6.5, 6.5, 131), tiny])),
        "exp": (torch.exp, torch.cat([line(-87, 88, 176), line(-1, 1, 41), tiny])),
        "log": (torch.log, torch.cat([torch.logspace(-37, 38, 151), line(0.5, 2, 61)])),
        "sin": (torch.sin, torch.cat([line(-20, 20, 161), line(-3e4, 3e4, 40), tiny])),
        "cos": (torch.cos, torch.cat([line(-20, 20, 161), line(-3e4, 3e4, 40), tiny])),
        "tanh": (torch.tanh, torch.cat([line(-10, 10, 161), tiny])),
    }
    relative = fixture.description["max_relative_diff_float32_float64"] = {}
    for name, (function, x) in ranges.items():
        fixture.scene(name, lambda _, x, f=function: {"out": f(x)}, {"x": x}, op=name)
        pair = fixture.tensors[f"out_float32.{name}"], fixture.tensors[f"out.{name}"]
        relative[f"out.{name}"] = max_relative_diff(*pair)


def record_rows(fixture):
    """log_softmax and logsumexp of rows; the second row lies far from zero."""
    for columns in (5, 1024, 1025, 3000):
        fixture.scene(
            f"rows_{columns}",
            lambda _, x: {"log_softmax": F.log_softmax(x, -1), "logsumexp": x.logsumexp(-1)},
            {"x": 3 * torch.randn(2, columns) + torch.tensor([[0.0], [300.0]])},
            op="log_softmax and logsumexp",
            rows=2,
            columns=columns,
        )


def biased_attention(causal):
    """Attention without scaling plus a bias looked up by key - query (T5)."""

    def call(_, query, key, value, bias):
        tokens = query.shape[1]
        places = torch.arange(tokens)
        mask = bias[:, places[None, :] - places[:, None] + tokens - 1]
        if causal:
            mask = mask + causal_mask(tokens, query.dtype)
        plain = torch.softmax(query @ key.mT + mask, -1) @ value
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0)
        assert query.dtype == torch.float32 or max_abs_diff(out, plain) < 1e-13
        return {"out": out}

    return call


def grouped_attention(window):
    """Causal attention whose query i sees keys i - window + 1 .. i only."""

    def call(_, query, key, value):
        places = torch.arange(query.shape[1])
        distance = places[:, None] - places[None, :]
        seen = (distance >= 0) & (distance < window)
        qkv = (query[None], key[None], value[None])
        out = F.scaled_dot_product_attention(*qkv, attn_mask=seen, enable_gqa=True)[0]
        repeat = len(query) // len(key)
        key, value = (t.repeat_interleave(repeat, 0) for t in (key, value))
        same = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        assert query.dtype == torch.float32 or max_abs_diff(out, same) < 1e-14
        return {"out": out}

    return call


def record_sdpa(fixture):
    facts = {"op": "scaled_dot_product_attention", "tokens": 9, "head_dim": 8}
    for scene, causal in [("relative_bias", False), ("relative_bias_causal", True)]:
        inputs = {name: torch.randn(2, 9, 8) for name in ("query", "key", "value")}
        inputs["bias"] = torch.randn(2, 17)
        fixture.scene(
            scene,
            biased_attention(causal),
            inputs,
            **facts,
            heads=2,
            kv_heads=2,
            scale=1.0,
            causal=causal,
            window=None,
        )
    inputs = {"query": torch.randn(4, 9, 8)}
    inputs |= {"key": torch.randn(2, 9, 8), "value": torch.randn(2, 9, 8)}
    fixture.scene(
        "grouped_window",
        grouped_attention(window=3),
        inputs,
        **facts,
        heads=4,
        kv_heads=2,
        scale=8**-0.5,
        causal=True,
        window=3,
    )


def record_ops(folder):
    seed = seed_from("ops")
    fixture = Fixture("ops", module="torch.nn.functional", seed=seed)
    record_functions(fixture)
    record_rows(fixture)
    record_sdpa(fixture)
    fixture.save(folder)


# ---------------------------------------------------------------- main


def record_all(folder):
    record_attention(folder, "mha_bias", bias=True)
    record_attention(folder, "mha_nobias", bias=False)

    record_encoder(folder, "encoder_postnorm_relu", False, "relu")
    record_encoder(folder, "encoder_postnorm_relu_nofinal", False, "relu", final_norm=False)
    record_encoder(folder, "encoder_postnorm_gelu_nofinal", False, "gelu", final_norm=False)
    record_encoder(folder, "encoder_postnorm_relu_nobias", False, "relu", bias=False)
    record_encoder(folder, "encoder_prenorm_relu", True, "relu")
    record_encoder(folder, "encoder_prenorm_gelu", True, "gelu")
    record_encoder(folder, "encoder_prenorm_gelu_nobias", True, "gelu", bias=False)

    record_transformer(folder, "transformer_postnorm_relu", False, "relu")
    record_transformer(folder, "transformer_postnorm_gelu_nobias", False, "gelu", bias=False)
    record_transformer(folder, "transformer_prenorm_relu_nobias", True, "relu", bias=False)
    record_transformer(folder, "transformer_prenorm_gelu_eps", True, "gelu", eps=1e-3)

    record_vaswani(
        folder,
        "vaswani",
        draw=191,
        vocab_size=20,
        target_vocab_size=23,
        activation="relu",
        norm_first=False,
        layer_norm_eps=1e-5,
        tie_embeddings=False,
    )
    record_vaswani(
        folder,
        "vaswani-tied",
        draw=368,
        gain=3.0,
        embedding_std=0.25,
        vocab_size=20,
        target_vocab_size=20,
        activation="gelu",
        norm_first=True,
        layer_norm_eps=1e-6,
        tie_embeddings=True,
    )
    record_ops(folder)


def main():
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output_dir", nargs="?", type=Path, default=root / "tests/data/torch")
    folder = parser.parse_args().output_dir
    folder.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    warnings.filterwarnings("ignore", message="enable_nested_tensor is True")
    torch.backends.mha.set_fastpath_enabled(False)
    record_all(folder)


if __name__ == "__main__":
    main()
