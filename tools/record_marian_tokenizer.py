#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes small Marian tokenizer folders and records what transformers makes of them.

    python tools/record_marian_tokenizer.py TEXT.fr TEXT.en OUT MODEL

Each folder below OUT has SentencePiece models of a few hundred pieces, JSON files that differ in
what they say of special tokens, and golden.json: ids of texts, and texts of ids.
OUT/MODEL.jsonl has the ids of the sentences in MODEL/expected.tsv. Needs transformers and sentencepiece.
"""

import json
import pathlib
import random
import sys

import sentencepiece
from transformers import MarianTokenizer

LANGUAGES = [">>fr<<", ">>pt_br<<"]

TEXTS = [
    "", " ", "Je suis étudiant.", "  Deux   espaces  ", "a</s>b", "<pad> x </s> <unk>", "</s></s>",
    "<s> bonjour", ">>fr<< Bonjour", ">>fr<<Bonjour", ">>xx<< inconnu", ">> << vide", ">>fr<< >>fr<< deux",
    "x >>fr<< milieu", "fin</s>>>fr<< après", "日本語 et 中文", "▁ déjà ▁▁ marqué", "<ent> et <other><ent>",
    "<extra> special", "l'eau , c' est bon .", "I do n't 've 're ' m !", "\t tab\n line",
    "été é", "ﬁn ½ ™", "😀👩‍👩‍👧 emoji", "</s", "<unk", "<<pad>>", "ends with </s>", "<entier> <ent",
]


def train(text, out, **options):
    sentencepiece.SentencePieceTrainer.train(
        input=text, model_prefix=str(out.with_suffix("")), vocab_size=320, character_coverage=0.995,
        normalization_rule_name="identity", num_threads=1, minloglevel=2, bos_id=-1,
        **options)
    out.with_suffix(".model").rename(out)
    out.with_suffix(".vocab").unlink()
    model = sentencepiece.SentencePieceProcessor(model_file=str(out))
    return [model.id_to_piece(i) for i in range(model.get_piece_size())]


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def golden(folder):
    tokenizer = MarianTokenizer.from_pretrained(folder)
    texts = [{"text": text, "source": tokenizer(text).input_ids,
              "target": tokenizer(text_target=text).input_ids} for text in TEXTS]
    draw = random.Random(7)
    last = max(len(tokenizer.get_src_vocab()), max(tokenizer.added_tokens_decoder) + 1)
    known = [i for i in range(last) if i in tokenizer.added_tokens_decoder or i in tokenizer.decoder
             or i < 320]
    sequences = [text["target"] for text in texts]
    sequences += [[draw.choice(known) for _ in range(draw.randint(1, 12))] for _ in range(40)]
    decodings = []
    for ids in sequences:
        decodings.append({"ids": ids, "skip": tokenizer.decode(ids, skip_special_tokens=True),
                          "keep": tokenizer.decode(ids),
                          # after decode, which chooses the model for ids that the JSON lacks
                          "tokens": tokenizer.convert_ids_to_tokens(ids)})
    write(folder / "golden.json", {
        "eos": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id, "unk": tokenizer.unk_token_id,
        "languages": tokenizer.supported_language_codes, "texts": texts, "decodings": decodings})


def record_model(model, out):
    tokenizer = MarianTokenizer.from_pretrained(model)
    rows = (model / "expected.tsv").read_text(encoding="utf-8").splitlines()[1:]
    sentences = [row.split("\t")[0] for row in rows]
    (out / (model.name + ".jsonl")).write_text(
        "".join(json.dumps({"text": text, "ids": tokenizer(text).input_ids}, ensure_ascii=False) + "\n"
                for text in sentences), encoding="utf-8")


def main(french, english, out, model):
    config = {"source_lang": "fr", "target_lang": "en", "model_max_length": 512,
              "tokenizer_class": "MarianTokenizer", "separate_vocabs": False}
    entity = {"content": "<ent>", "lstrip": False, "rstrip": False, "single_word": False,
              "normalized": True, "special": False}
    special = {**entity, "content": "</s>", "normalized": False, "special": True}
    named = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    folders = {
        "plain": {"tokenizer_config.json": {**config, **named}},
        "separate": {"tokenizer_config.json": {**config, **named, "separate_vocabs": True}},
        "decoder": {"tokenizer_config.json": {
            **config, **named, "additional_special_tokens": ["<extra>"],
            "added_tokens_decoder": {"0": special, "1": {**special, "content": "<unk>"},
                                     "700": entity, "702": {**special, "content": "<other>"}}},
                    "special_tokens_map.json": {"eos_token": "<ignored>"}},
        "legacy": {"tokenizer_config.json": config,
                   "special_tokens_map.json": {"eos_token": {**special, "normalized": True},
                                               "unk_token": "<unk>", "pad_token": "<pad>",
                                               "mask_token": "<other>",
                                               "additional_special_tokens": ["<extra>", "<ent>"]},
                   "added_tokens.json": {"<ent>": 801, "<other>": 800}},
        "clean": {"tokenizer_config.json": {**config, **named, "clean_up_tokenization_spaces": True}},
        "unsplit": {"tokenizer_config.json": {**config, **named, "split_special_tokens": True}},
    }
    for name, files in folders.items():
        folder = pathlib.Path(out) / name
        folder.mkdir(parents=True, exist_ok=True)
        source = train(french, folder / "source.spm", user_defined_symbols=["<other>"])
        target = train(english, folder / "target.spm", byte_fallback=False)
        separate = files["tokenizer_config.json"]["separate_vocabs"]
        joined = source if separate else source + target
        # pieces that one model lacks, a text that both lack, and one that only the JSON has
        order = ["</s>", "<unk>"] + sorted(set(joined) - {"</s>", "<unk>"}) + LANGUAGES + ["語"]
        order += [] if name == "legacy" else ["<pad>"]
        write(folder / "vocab.json", {text: i for i, text in enumerate(order)})
        if separate:
            order = sorted(set(target) - {"</s>", "<unk>"}) + ["<unk>", "</s>", "<pad>"]
            write(folder / "target_vocab.json", {text: i for i, text in enumerate(order)})
        for file, content in files.items():
            write(folder / file, content)
        golden(folder)
    record_model(pathlib.Path(model), pathlib.Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
