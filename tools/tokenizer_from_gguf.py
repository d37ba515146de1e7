#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the SentencePiece BPE model that a GGUF file's vocabulary was made from.

    python tools/tokenizer_from_gguf.py VOCABULARY.gguf OUT.spm

GGUF keeps pieces, scores and kinds, and not the rest of the model file: byte fallback, no
normalisation and spaces kept, as all Llama-style models have it. The kind "unknown" is set right: the
converter gave it to the rows that pad the embedding, which are left out, and not to the unknown
piece. Python's standard library alone.
"""

import struct
import sys

from tokenizer_models import BPE, normalizer, piece, trainer

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, code):
        size = struct.calcsize("<" + code)
        value, = struct.unpack_from("<" + code, self.data, self.at)
        self.at += size
        return value

    def text(self):
        size = self.number("Q")
        self.at += size
        return self.data[self.at - size:self.at]

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            inner, count = self.number("I"), self.number("Q")
            return [self.value(inner) for _ in range(count)]
        return self.number(SCALARS[kind])


def metadata(data):
    reader = Reader(data)
    assert reader.number("I") == 0x46554747 and reader.number("I") == 3, "not GGUF version 3"
    reader.number("Q")
    out = {}
    for _ in range(reader.number("Q")):
        key = reader.text().decode()
        out[key] = reader.value(reader.number("I"))
    return out


def main(source, target):
    with open(source, "rb") as file:
        data = metadata(file.read())
    assert data["tokenizer.ggml.model"] == b"llama", "not a SentencePiece vocabulary"
    out = b""
    pieces = zip(data["tokenizer.ggml.tokens"], data["tokenizer.ggml.scores"],
                 data["tokenizer.ggml.token_type"])
    for i, (text, score, kind) in enumerate(pieces):
        if i == data["tokenizer.ggml.unknown_token_id"]:
            kind = 2
        elif kind == 2:
            break
        out += piece(text, score, kind)
    out += trainer(BPE, byte_fallback=True) + normalizer(remove_spaces=False)
    with open(target, "wb") as file:
        file.write(out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
