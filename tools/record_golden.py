#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Record what transformers answers for a model in a hub folder: golden.safetensors and golden.json.

    python tools/record_golden.py DIR                              # random inputs, from --seed
    python tools/record_golden.py DIR --inputs OTHER/golden.json   # the inputs recorded there
    python tools/record_golden.py DIR --extended                   # more settings: extended_cases()

Needs torch 2.x, transformers 5.x and safetensors, and a CPU. Encoder-decoders only, so far; another
kind is a class in RECORDERS. One thread, float32, eager attention, with a float64 twin of the model
beside it. The model is read from DIR as it stands; nothing but the two files (in DIR, or in --out)
is written. Their form is described in tests/data/README.md.
"""

import argparse
import json
import re
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForSeq2SeqLM

SOURCE_LENGTHS = (6, 2, 10, 15, 23)
TARGET_LENGTHS = (7, 5, 10, 12, 8)
# What a folder may say without changing an answer that the cases don't ask for.
NO_SETTINGS = {
    "pad_token_id",
    "bos_token_id",
    "eos_token_id",
    "decoder_start_token_id",
    "forced_eos_token_id",
}
NO_SETTINGS |= {
    "forced_bos_token_id",
    "bad_words_ids",
    "transformers_version",
    "use_cache",
    "_from_model_config",
}


# ---------------------------------------------------------------- inputs


def first(token):
    return token[0] if isinstance(token, list) else token


def random_inputs(config, generation, options):
    """Sources that end in eos, targets that begin with the start token; no other special token."""
    generator = torch.Generator().manual_seed(options.seed)
    eos, pad, start = (
        first(generation.eos_token_id),
        generation.pad_token_id,
        generation.decoder_start_token_id,
    )

    def draw(length, vocab):
        free = [token for token in range(vocab) if token not in (eos, pad, start)]
        return [free[i] for i in torch.randint(len(free), (length,), generator=generator).tolist()]

    target_vocab = getattr(config, "decoder_vocab_size", None) or config.vocab_size
    sources, targets = [], []
    for i in range(options.sequences):
        sources.append(draw(SOURCE_LENGTHS[i % len(SOURCE_LENGTHS)] - 1, config.vocab_size) + [eos])
        targets.append([start] + draw(TARGET_LENGTHS[i % len(TARGET_LENGTHS)] - 1, target_vocab))
    return sources, targets


def row(ids):
    return torch.tensor([ids])


def padded(rows, fill):
    width = max(map(len, rows))
    return torch.tensor([ids + [fill] * (width - len(ids)) for ids in rows])


def as_batch(sources, pad):
    return {
        "input_ids": padded(sources, pad),
        "attention_mask": padded([[1] * len(ids) for ids in sources], 0),
    }


# ---------------------------------------------------------------- cases


def base_cases(pad, target, tokens):
    """The settings that every folder is asked: name, arguments of generate, inputs (None: all)."""
    bad_words = [[pad], [target[1]], target[2:4]]
    beam = {"num_beams": 4, "max_new_tokens": tokens}
    plain = beam | {"length_penalty": 1.0}
    short = {"num_beams": 4, "max_new_tokens": min(16, tokens)}
    greedy = {"num_beams": 1, "max_new_tokens": tokens}
    return [
        ("greedy", greedy, None),
        ("greedy_min_max", {"num_beams": 1, "min_new_tokens": 10, "max_new_tokens": 14}, None),
        ("greedy_repetition_1.3", greedy | {"repetition_penalty": 1.3}, None),
        ("greedy_no_repeat_ngram", greedy | {"no_repeat_ngram_size": 2}, None),
        ("beam4", plain | {"early_stopping": False}, None),
        ("beam4_early", plain | {"early_stopping": True}, None),
        ("beam4_never", plain | {"early_stopping": "never"}, None),
        ("beam4_length_penalty_0.6", beam | {"length_penalty": 0.6, "early_stopping": False}, None),
        (
            "beam4_length_penalty_2.0_early",
            beam | {"length_penalty": 2.0, "early_stopping": True},
            None,
        ),
        ("beam4_length_penalty_0", beam | {"length_penalty": 0.0, "early_stopping": False}, None),
        ("beam4_no_repeat_ngram_2", plain | {"no_repeat_ngram_size": 2}, None),
        ("beam4_repetition_1.3", plain | {"repetition_penalty": 1.3}, None),
        (
            "beam4_min_max",
            {"num_beams": 4, "min_new_tokens": 6, "max_new_tokens": 10, "length_penalty": 1.0},
            None,
        ),
        ("beam4_nbest", plain | {"num_return_sequences": 4}, [0, 1, 2]),
        ("beam2", {"num_beams": 2, "max_new_tokens": tokens}, [0, 1, 3]),
        ("beam4_max_new_1", {"num_beams": 4, "max_new_tokens": 1}, [1]),
        ("beam4_bad_words", short | {"bad_words_ids": bad_words}, [0, 1]),
        ("beam4_suppress_tokens", short | {"suppress_tokens": target[1:3]}, [0, 1]),
    ]


def own_cases(settings, tokens):
    """Where the folder has settings of its own: what they make of a call that has none."""
    cases = [
        ("defaults", {"max_new_tokens": tokens}, None),
        ("defaults_long", {"min_new_tokens": 16, "max_new_tokens": 20}, None),
        ("no_arguments", {}, None),
    ]
    if (settings.num_beams or 1) > 1:
        cases.append(
            ("defaults_nbest", {"max_new_tokens": tokens, "num_return_sequences": 2}, [0, 1, 2])
        )
    return cases


def extended_cases(pad, eos, answer, tokens):
    """Rarer settings. What they forbid or push occurs in `answer`, greedy's for input 0."""
    both = {
        "greedy": {"num_beams": 1, "max_new_tokens": tokens},
        "beam4": {"num_beams": 4, "max_new_tokens": tokens},
    }
    longer = {"min_new_tokens": 16, "max_new_tokens": 20}  # long enough to repeat itself
    settings = {
        "bad_words_hit": {"bad_words_ids": [[pad], [answer[1]], answer[3:5]]},
        "suppress_hit": {"suppress_tokens": [answer[2]]},
        "begin_suppress_hit": {"begin_suppress_tokens": [answer[1], eos]},
        "begin_suppress_forced_bos": {
            "begin_suppress_tokens": [answer[1]],
            "forced_bos_token_id": answer[3],
        },
        "two_eos": {"eos_token_id": [eos, answer[4]]},
        "min_length": {"min_length": 12},
        "length_min_max": {"min_length": 5, "max_length": 9, "max_new_tokens": None},
        "no_forced_eos": {"forced_eos_token_id": None, "max_new_tokens": 4},
        "long": longer,
        "long_no_repeat_ngram_1": longer | {"no_repeat_ngram_size": 1},
        "long_no_repeat_ngram_2": longer | {"no_repeat_ngram_size": 2},
        "long_repetition": longer | {"repetition_penalty": 1.3},
    }
    cases = []
    for name, extra in settings.items():
        for search, base in both.items():
            arguments = {
                key: value
                for key, value in (base | extra).items()
                if (key, value) != ("max_new_tokens", None)
            }
            cases.append((f"{search}_{name}", arguments, [0, 3]))
    for search, base in both.items():
        cases.append((f"{search}_prompt", base | {"decoder_input_ids": [answer[:3]]}, [0, 1]))
        cases.append(
            (f"{search}_prompt_without_start", base | {"decoder_input_ids": [answer[2:4]]}, [0, 1])
        )
        cases.append(
            (f"{search}_prompt_with_eos", base | {"decoder_input_ids": [answer[:2] + [eos]]}, [0])
        )
    return cases


def as_arguments(arguments):
    """JSON to what generate takes."""
    if "decoder_input_ids" in arguments:
        return arguments | {"decoder_input_ids": torch.tensor(arguments["decoder_input_ids"])}
    return arguments


# ---------------------------------------------------------------- encoder-decoder


class Seq2SeqRecorder:
    """The model in float32 and in float64, and its inputs."""

    def __init__(self, options):
        arguments = {"attn_implementation": "eager", "local_files_only": True}
        self.options = options
        self.model = AutoModelForSeq2SeqLM.from_pretrained(
            options.folder, dtype=torch.float32, **arguments
        ).eval()
        self.twin = AutoModelForSeq2SeqLM.from_pretrained(
            options.folder, dtype=torch.float32, **arguments
        )
        self.twin = self.twin.double().eval()
        self.settings = self.model.generation_config
        self.pad = self.settings.pad_token_id
        if options.inputs:
            recorded = json.loads(options.inputs.read_text(encoding="utf-8"))
            self.sources, self.targets = recorded["input_ids"], recorded["decoder_input_ids"]
        else:
            self.sources, self.targets = random_inputs(self.model.config, self.settings, options)

    def tensors(self):
        """Hidden states, attentions and logits, and how far float32 is from float64."""
        out, differences, largest = {}, {"logits": 0.0, "encoder_last_hidden_state": 0.0}, 0.0
        for i, (source, target) in enumerate(zip(self.sources, self.targets)):
            inputs = {
                "input_ids": row(source),
                "decoder_input_ids": row(target),
                "use_cache": False,
            }
            inputs |= {"output_hidden_states": True, "output_attentions": True}
            answer, truth = self.model(**inputs), self.twin(**inputs)
            for name in differences:
                difference = (
                    (getattr(answer, name).double() - getattr(truth, name)).abs().max().item()
                )
                differences[name] = max(differences[name], difference)
            largest = max(largest, answer.logits.abs().max().item())
            out |= self.sequence_tensors(f"seq.{i}.", inputs, answer, with_layers=i == 0)
        out |= self.batch_tensors()
        return out, differences, largest

    @staticmethod
    def sequence_tensors(prefix, inputs, answer, with_layers):
        named = {"input_ids": inputs["input_ids"], "decoder_input_ids": inputs["decoder_input_ids"]}
        named |= {
            "encoder_last_hidden_state": answer.encoder_last_hidden_state,
            "logits": answer.logits,
        }
        if with_layers:
            groups = ("encoder_hidden_states", "decoder_hidden_states")
            groups += ("encoder_attentions", "decoder_attentions", "cross_attentions")
            named |= {
                f"{group}.{k}": layer
                for group in groups
                for k, layer in enumerate(getattr(answer, group))
            }
        return {prefix + name: tensor[0].contiguous().clone() for name, tensor in named.items()}

    def batch_tensors(self):
        batch = as_batch(self.sources, self.pad) | {
            "decoder_input_ids": padded(self.targets, self.pad)
        }
        answer = self.model(**batch, use_cache=False)
        batch |= {
            "encoder_last_hidden_state": answer.encoder_last_hidden_state,
            "logits": answer.logits,
        }
        return {f"batch.{name}": tensor.contiguous().clone() for name, tensor in batch.items()}

    def generate(self, model, inputs, arguments):
        answer = model.generate(
            **inputs, **as_arguments(arguments), return_dict_in_generate=True, output_scores=True
        )
        result = {"sequences": answer.sequences.tolist()}
        if getattr(answer, "sequences_scores", None) is not None:
            result["sequences_scores"] = answer.sequences_scores.tolist()
        return result

    def both(self, inputs, arguments):
        """The float32 answer, with the float64 scores and whether float64 gives the same ids."""
        answer, truth = (
            self.generate(model, inputs, arguments) for model in (self.model, self.twin)
        )
        if "sequences_scores" in truth:
            answer["sequences_scores_float64"] = truth["sequences_scores"]
        answer["float64_same_ids"] = answer["sequences"] == truth["sequences"]
        return answer

    def case(self, name, arguments, inputs):
        inputs = (
            range(len(self.sources))
            if inputs is None
            else [i for i in inputs if i < len(self.sources)]
        )
        outputs = [
            {"input": i} | self.both({"input_ids": row(self.sources[i])}, arguments) for i in inputs
        ]
        return {"name": name, "args": arguments, "outputs": outputs}

    def batch_case(self, name, arguments):
        answer = self.both(as_batch(self.sources, self.pad), arguments)
        answer.pop("sequences_scores_float64", None)
        return {"name": name, "args": arguments, "batch": True} | answer

    def cases(self):
        tokens, eos = self.options.max_new_tokens, first(self.settings.eos_token_id)
        cases = base_cases(self.pad, self.targets[0], tokens)
        if set(self.settings.to_diff_dict()) - NO_SETTINGS:
            cases += own_cases(self.settings, tokens)
        if self.options.extended:
            greedy = {"num_beams": 1, "max_new_tokens": tokens}
            answer = self.generate(self.model, {"input_ids": row(self.sources[0])}, greedy)[
                "sequences"
            ][0]
            cases += extended_cases(self.pad, eos, answer, tokens)
        recorded = [self.case(*case) for case in cases]
        recorded.append(self.batch_case("batch_greedy", {"num_beams": 1, "max_new_tokens": tokens}))
        beam = {
            "num_beams": 4,
            "max_new_tokens": tokens,
            "length_penalty": 1.0,
            "early_stopping": False,
        }
        return recorded + [self.batch_case("batch_beam4", beam)]

    def record(self):
        tensors, differences, largest = self.tensors()
        cases = self.cases()
        agree = [output["float64_same_ids"] for case in cases for output in case.get("outputs", [])]
        golden = {
            "family": self.model.config.model_type,
            "kind": "encoder-decoder",
            "made_by": f"transformers {transformers.__version__}, float32, eager attention",
            "pad_token_id": self.pad,
            "eos_token_id": self.settings.eos_token_id,
            "decoder_start_token_id": self.settings.decoder_start_token_id,
            "input_ids": self.sources,
            "decoder_input_ids": self.targets,
            "max_abs_diff_float32_float64": differences,
            "logits_abs_max": largest,
            "float64_agrees": f"{sum(agree)} of {len(agree)}",
            "generate": cases,
        }
        return tensors, golden


# ---------------------------------------------------------------- files


RECORDERS = {"encoder-decoder": Seq2SeqRecorder}


def kind_of(config):
    if config.is_encoder_decoder:
        return "encoder-decoder"
    architectures = " ".join(config.architectures or [])
    return "causal" if re.search("CausalLM|LMHead", architectures) else "encoder"


def as_text(golden):
    """JSON with one space of indent, and lists of numbers on one line."""
    text = json.dumps(golden, indent=1)
    return (
        re.sub(r"\[\s+([-+\w.,\s]*?)\s+\]", lambda match: f"[{' '.join(match[1].split())}]", text)
        + "\n"
    )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a hub folder")
    parser.add_argument("--out", type=Path, help="where to write, if not into the folder")
    parser.add_argument("--inputs", type=Path, help="JSON with input_ids and decoder_input_ids")
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs")
    parser.add_argument("--sequences", type=int, default=5, help="how many random inputs")
    parser.add_argument("--max-new-tokens", type=int, default=24)
    parser.add_argument(
        "--extended", action="store_true", help="record the less usual settings too"
    )
    return parser.parse_args()


def main():
    options = parse_arguments()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(0)
    kind = kind_of(AutoConfig.from_pretrained(options.folder, local_files_only=True))
    if kind not in RECORDERS:
        raise SystemExit(f"{options.folder}: recording a model of kind '{kind}' is not written yet")
    with torch.no_grad():
        tensors, golden = RECORDERS[kind](options).record()
    out = options.out or options.folder
    out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out / "golden.safetensors", metadata={"format": "pt"})
    (out / "golden.safetensors").chmod(0o644)
    (out / "golden.json").write_text(as_text(golden), encoding="utf-8")
    print(f"{out}: float64 agrees in {golden['float64_agrees']}")
    print(f"  largest difference: {golden['max_abs_diff_float32_float64']}")
    for case in golden["generate"]:
        for output in case.get("outputs", [case]):
            if not output["float64_same_ids"]:
                print(f"  float64 differs: {case['name']}, input {output.get('input', 'batch')}")


if __name__ == "__main__":
    main()
