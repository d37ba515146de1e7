# SPDX-License-Identifier: MIT
"""translate_json.py lines|plain JSONL TEXT, or attention JSON: checks what `translate` wrote."""

import json
import re
import sys

SENTENCE = {"source", "source_pieces", "text", "score", "finish", "pieces"}
ASKED = {"log_probabilities", "alternatives", "source_words", "words", "alignment"}


def refuse(constant):
    raise ValueError(constant)


def close(a, b):
    return abs(a - b) < 1e-5


def check_sentence(sentence, asked):
    assert set(sentence) == SENTENCE | asked, sorted(sentence)
    assert sentence["finish"] in ("stop", "length")
    if not asked:
        return
    first, alternatives = sentence["alternatives"][0], sentence["alternatives"]
    for key, value in first.items():
        assert sentence[key] == value, key
    assert 1 <= len(alternatives) <= 2
    for one in alternatives:
        assert len(one["pieces"]) == len(one["log_probabilities"])
        assert close(one["score"], sum(one["log_probabilities"]) / len(one["pieces"])), one
    words = range(len(sentence["words"]))
    if sentence["alignment"]:
        assert [target for _, target in sentence["alignment"]] == list(words)
    assert all(0 <= s < len(sentence["source_words"]) for s, _ in sentence["alignment"])


def check_lines(jsonl, text, asked):
    with open(jsonl, encoding="utf-8", newline="\n") as file:
        objects = [json.loads(line, parse_constant=refuse) for line in file]
    with open(text, encoding="utf-8", newline="\n") as file:
        texts = file.read().split("\n")[:-1]
    with open(jsonl, encoding="utf-8") as file:
        assert len(file.read().splitlines()) == len(texts), "line breaks in a line"
    assert [one["id"] for one in objects] == list(range(len(texts)))
    for one, plain in zip(objects, texts):
        assert set(one) == {"id", "source", "text", "score", "replaced", "sentences"}, sorted(one)
        assert re.sub("[\n\r\v\f\u0085\u2028\u2029]", " ", one["text"]) == plain, (one, plain)
        assert one["source"].count("\ufffd") == one["replaced"]
        assert close(one["score"], sum(s["score"] for s in one["sentences"]))
        for sentence in one["sentences"]:
            check_sentence(sentence, asked)
    assert any(one["sentences"] for one in objects)


def check_attention(path):
    with open(path, encoding="utf-8") as file:
        objects = json.load(file, parse_constant=refuse)
    places = [(one["line"], one["sentence"]) for one in objects]
    assert places == [(i, 0) for i in range(8)] + [(9, 0), (9, 1), (9, 2)], places
    for one in objects:
        source, target = one["encoder_tokens"], one["decoder_tokens"]
        assert source[-1] == "</s>" and target[0] == "<pad>" and target[-1] != "</s>", one
        shapes = {"encoder": (4, 4, source, source), "decoder": (2, 4, target, target),
                  "cross": (2, 4, target, source)}
        for kind, (layers, heads, queries, keys) in shapes.items():
            weights = one[kind + "_attention"]
            assert len(weights) == layers and all(len(layer) == heads for layer in weights), kind
            for head in (head for layer in weights for head in layer):
                assert len(head) == len(queries), kind
                for q, row in enumerate(head):
                    assert len(row) == len(keys) and close(sum(row), 1), (kind, row)
                    assert kind != "decoder" or not any(row[q + 1:]), "sees what follows"


if sys.argv[1] == "attention":
    check_attention(sys.argv[2])
else:
    check_lines(sys.argv[2], sys.argv[3], ASKED if sys.argv[1] == "lines" else set())
