#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tiny SentencePiece models, one for each corner of the format, and records what the original
makes of them.

    python tools/record_tokenizer_models.py OUT

OUT/NAME.spm, and NAME.jsonl: first what the model says of itself, then, text by text in hex, normal
form, pieces, ids, and what the ids and the pieces decode to. Needs sentencepiece 0.2.3.
"""

import json
import pathlib
import sys

import sentencepiece
from tokenizer_models import (BPE, CONTROL, NORMAL, UNUSED, USER_DEFINED, UNKNOWN, byte_pieces,
                              charsmap, field, normalizer, piece, trainer)

SPECIAL = piece("<unk>", 0, UNKNOWN) + piece("<s>", 0, CONTROL) + piece("</s>", 0, CONTROL)
SP = "\u2581"


def unigram(*pieces):
    return SPECIAL + b"".join(piece(*p) for p in pieces)


LETTERS = [(SP, -3), ("a", -4), ("b", -4.5), ("c", -5), ("ab", -6), ("abc", -7), (SP + "a", -4.25),
           (SP + "ab", -5.5), ("bc", -6.5), ("é", -6), (".", -2), ("..", -4)]
USER = [("<x>", 0, USER_DEFINED), ("<x><y>", 0, USER_DEFINED), ("bca", 0, USER_DEFINED),
        ("é!", 0, USER_DEFINED), ("  ", 0, USER_DEFINED), ("A", 0, USER_DEFINED)]
RULES = charsmap({b"A": b"a", b"B": b"b", b"e\xcc\x81": "é".encode(), b"E": b"e\xcc\x81",
                  b"\xe3\x80\x80": b" ", b"\t": b" ", b"!": b"", b"BB": b" c ", b"ccc": b"C",
                  "ﷺ".encode(): b"abc abc", b"\xc2": b"a"})
JOINS = [(SP, -30), ("a", -31), ("b", -32), ("c", -33), ("é", -34), ("ab", -1), (SP + "a", -2),
         ("bc", -3), ("abc", -4), (SP + "ab", -5), ("aa", -6), ("aaaa", -7), ("cc", 0.0), ("ca", 2.0),
         ("ccc", -0.0), (".", -35), ("..", -8), ("...", -8), ("....", -8)]

MODELS = {
    "unigram": unigram(*LETTERS),
    "unigram_defaults": SPECIAL + b"".join(piece(*p) for p in LETTERS) + field(2, b"") + field(3, b""),
    "unigram_user_defined": unigram(*LETTERS, *USER) + trainer() + normalizer(RULES),
    "unigram_unused": unigram(*LETTERS[:3], *LETTERS[4:6], (SP + "ab", -1, UNUSED),
                              ("bc", -1, UNUSED), ("c", 0, UNUSED)),
    "unigram_rules": unigram(*LETTERS) + normalizer(RULES),
    "unigram_rules_keep_spaces": unigram(*LETTERS) + normalizer(RULES, remove_spaces=False),
    "unigram_no_prefix": unigram(*LETTERS) + normalizer(dummy_prefix=False),
    "unigram_as_it_is": unigram(*LETTERS, (" ", -2), (" a", -3)) + normalizer(
        dummy_prefix=False, remove_spaces=False, escape=False),
    "unigram_prefix_alone": unigram(*LETTERS, (" ", -2), (" a", -3)) + normalizer(remove_spaces=False,
                                                                                  escape=False),
    "unigram_suffix": unigram(*LETTERS, ("a" + SP, -2), ("bc" + SP, -2)) + trainer(suffix=True),
    "unigram_suffix_keep_spaces": unigram(*LETTERS, ("a" + SP, -2)) + trainer(suffix=True) +
    normalizer(remove_spaces=False),
    "unigram_bytes": SPECIAL + byte_pieces() + b"".join(piece(*p) for p in LETTERS) +
    trainer(byte_fallback=True),
    "unigram_bytes_no_unknown": byte_pieces() + b"".join(piece(*p) for p in LETTERS) +
    trainer(byte_fallback=True),
    "unigram_nul": SPECIAL + byte_pieces() + piece(b"\0", -1) + b"".join(piece(*p) for p in LETTERS) +
    trainer(byte_fallback=True) + normalizer(remove_spaces=False),
    "unigram_reserved_twin": unigram(*LETTERS, ("<s>", -1), ("<unk>", -2)),
    "unigram_ties": unigram((SP, 0), ("a", -1.1), ("aa", -2.2), ("aaa", -3.3000002), ("b", 1.5)),
    "unigram_large_scores": unigram((SP, -9), ("a", -60000.5), ("aa", -120000.75), ("b", 70000.25)),
    "unigram_no_normal": SPECIAL + piece("a", 0, USER_DEFINED) + piece("abc", 0, USER_DEFINED),
    "unigram_surface": unigram(*LETTERS) + trainer(more=field(44, "?") + field(45, "<unk>")),
    "unigram_other_names": piece("UNK", 0, UNKNOWN) + piece("END", 0, CONTROL) +
    b"".join(piece(*p) for p in LETTERS) + trainer(more=field(45, "UNK") + field(47, "END")),
    "unigram_denormalizer": unigram(*LETTERS) + normalizer() + normalizer(
        charsmap({b"a": b"A", b"ab": b"<ab>"}), dummy_prefix=False, remove_spaces=False, escape=False,
        number=5),
    "unigram_denormalizer_spaces": unigram(*LETTERS) + normalizer(charsmap({b"z": b"a"}), number=5),
    "unigram_odd_utf8": SPECIAL + b"".join(piece(*p) for p in LETTERS) + piece(b"\xc3", -2) +
    piece(b"\xa9b", -1) + piece(b"\xff", -1) + normalizer(charsmap({b"x": b"\xc3", b"y": b"\xff\xe2"})),
    "bpe": SPECIAL + b"".join(piece(*p) for p in JOINS) + trainer(BPE),
    "bpe_keep_spaces": SPECIAL + b"".join(piece(*p) for p in JOINS) + piece(SP + SP, -9) +
    trainer(BPE) + normalizer(remove_spaces=False),
    "bpe_unused": SPECIAL + b"".join(piece(*p) for p in JOINS[:8]) + piece("abc", 5, UNUSED) +
    piece(SP + "abc", 4, UNUSED) + piece("cabc", 3, UNUSED) +
    piece("cabcb", 1, NORMAL) + trainer(BPE),
    "bpe_user_defined": SPECIAL + b"".join(piece(*p) for p in JOINS) +
    b"".join(piece(*p) for p in USER) + trainer(BPE) + normalizer(RULES),
    "bpe_bytes": SPECIAL + byte_pieces() + b"".join(piece(*p) for p in JOINS) +
    trainer(BPE, byte_fallback=True) + normalizer(remove_spaces=False),
    "bpe_reserved": SPECIAL + b"".join(piece(*p) for p in JOINS) + piece("ba", 9, CONTROL) +
    piece("bac", 9) + trainer(BPE),
}

TEXTS = [
    "", " ", "   ", "a", "ab", "abc", "abcabc", "a b c", "  a  b  ", "aab", "aaaaaaaaa", "bababab", "abcbcab",
    "xyz", "a x b", "xx ab xx", "é", "e\u0301", "日本a語", "<x>", "<x><y>", "a<x>b", "<x> <y>", "bcabca",
    "A", "AB", "BBB", "BB BB", "EE!", "!", "! a", "é!", "a!b", "\ta\u3000b ", "cccc", "ﷺ", "\u2581a", "a\u2581b",
    "\u2581\u2581", "a\u2581\u2581 b", "<unk>", "<s>a</s>", "UNK END", "<0x41>", ".......", "...... .", "cca", "acccc",
    "cacaca", "abab cabcb abcabc", "\0", "a\0b", "😀 a", "bac", "baba", "a" * 40, "b" * 20 + "a" * 9, "ab " * 9,
    "aaab" * 7, "zab", "xéy", "éb", "xb y",
]


def record(path, content):
    path.write_bytes(content)
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    every = list(range(model.get_piece_size()))
    lines = [{"size": len(every), "unk": model.unk_id(), "bos": model.bos_id(), "eos": model.eos_id(),
              "pad": model.pad_id(), "every_piece": in_hex(model.decode(every, out_type=bytes))}]
    for text in [text.encode() for text in TEXTS] + [b"\xff", b"a\xc3", b"\xc3\xa9\xc2a", b"\xed\xa0\x80"]:
        ids, pieces = model.encode(text), model.encode(text, out_type=bytes)
        lines.append({"text": text.hex(), "normal": in_hex(model.normalize(text)), "ids": ids,
                      "pieces": [in_hex(p) for p in pieces],
                      "decoded": in_hex(model.decode(ids, out_type=bytes) if ids else b""),
                      "pieces_decoded": in_hex(model.decode(pieces, out_type=bytes) if ids else b"")})
    path.with_suffix(".jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines),
                                          encoding="utf-8")


def in_hex(value):
    """Bytes in hex: much of it is not UTF-8."""
    return (value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value).hex()


def main(out):
    folder = pathlib.Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in MODELS.items():
        record(folder / (name + ".spm"), content)


if __name__ == "__main__":
    main(sys.argv[1])
