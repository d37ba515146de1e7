#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the malformed SentencePiece models in spm/, one file a case, named by what is wrong with it.

expected.tsv: file, error code, and a part of the text that the error must have. valid.spm is the one
that loads; the tests cut it and flip its bits.
"""

import pathlib
import shutil
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tools"))
from tokenizer_models import (BPE, BYTE, CONTROL, UNKNOWN, UNUSED, USER_DEFINED, byte_pieces, charsmap,
                              field, normalizer, piece, trainer, varint)  # noqa: E402

FORMAT, UNSUPPORTED = "format", "unsupported"
UNK = piece("<unk>", 0, UNKNOWN)
GOOD = UNK + piece("a", -1.0)
RULES = charsmap({b"A": b"a", b"AB": b"b"})


def unit(rules, index, value):
    """The rules with one unit of the trie changed."""
    return rules[:4 + index * 4] + struct.pack("<I", value) + rules[8 + index * 4:]


def unit_of(rules, index):
    return struct.unpack_from("<I", rules, 4 + index * 4)[0]


def find_unit(rules, wanted):
    count = struct.unpack_from("<I", rules)[0] // 4
    return next(i for i in range(1, count) if wanted(unit_of(rules, i)))


def rules(content):
    return GOOD + normalizer(content)


def ring():
    """A trie whose one node is its own child."""
    array = [(i & 0xFF) ^ 0xFF for i in range(256)]
    array[0] = 1 << 10          # children at 1
    place = 1 ^ ord("a")
    array[place] = ord("a") | (place ^ 1) << 10  # its children are at 1 again
    trie = struct.pack("<256I", *array)
    return struct.pack("<I", len(trie)) + trie + b"a\0"


VALUE = find_unit(RULES, lambda u: u >> 31)
LEAF = find_unit(RULES, lambda u: not u >> 31 and u >> 8 & 1)

valid = (UNK + piece("<s>", 0, CONTROL) + piece("\u2581", -2) + piece("a", -1.5) + piece("ab", -2.5) +
         piece("<x>", 0, USER_DEFINED) + piece("b\0", -3, UNUSED) + trainer(more=field(44, "?")) +
         normalizer(RULES))

cases = {
    # The protocol buffer.
    "empty_file": (b"", FORMAT, "has no pieces"),
    "git_lfs_pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", FORMAT,
                        "is a Git LFS pointer"),
    "web_page": (b"<!DOCTYPE html><html></html>", FORMAT, "byte 0: field 7: a group"),
    "json_file": (b'{"model_type": "t5"}', FORMAT, "byte 0: field 15: a group"),
    "gguf_file": (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), FORMAT, "byte 0: field 8: wire type 7 does not exist"),
    "zip_archive": (b"PK\3\4" + b"\0" * 26, FORMAT, "byte 2: expected a field's tag, got 3"),
    "tag_zero": (GOOD + b"\0", FORMAT, "expected a field's tag, got 0"),
    "tag_of_field_zero": (GOOD + b"\2\0", FORMAT, "expected a field's tag, got 2"),
    "tag_over_32_bits": (GOOD + varint(2**35 | 2) + b"\0", FORMAT, "expected a field's tag, got 34359738370"),
    "tag_cut": (GOOD + b"\x80", FORMAT, "the message ends inside a field"),
    "varint_of_eleven_bytes": (GOOD + b"\x80" * 10 + b"\1", FORMAT, "a varint of more than 64 bits"),
    "varint_of_70_bits": (GOOD + b"\xff" * 9 + b"\x7f", FORMAT, "a varint of more than 64 bits"),
    "varint_cut": (GOOD + varint(30 << 3) + b"\xff\xff", FORMAT, "the message ends inside a field"),
    "group_starts": (GOOD + varint(9 << 3 | 3), FORMAT, "field 9: a group, which is not supported"),
    "group_ends": (GOOD + varint(9 << 3 | 4), FORMAT, "field 9: a group, which is not supported"),
    "groups_nested": (GOOD + varint(9 << 3 | 3) * 1000, FORMAT, "field 9: a group"),
    "wire_type_six": (GOOD + varint(9 << 3 | 6), FORMAT, "field 9: wire type 6 does not exist"),
    "wire_type_seven": (GOOD + varint(9 << 3 | 7), FORMAT, "field 9: wire type 7 does not exist"),
    "fixed32_cut": (GOOD + varint(9 << 3 | 5) + b"123", FORMAT, "the message ends inside a field"),
    "fixed64_cut": (GOOD + varint(9 << 3 | 1) + b"1234567", FORMAT, "the message ends inside a field"),
    "length_one_over_the_file": (GOOD + b"\x0a\2\0", FORMAT, "field 1: has 2 bytes, and only 1 are left"),
    "length_of_2_63": (GOOD + b"\x0a" + varint(2**63), FORMAT, "has 9223372036854775808 bytes"),
    "length_negative": (GOOD + b"\x0a" + varint(2**64 - 1), FORMAT, "has 18446744073709551615 bytes"),
    "length_that_wraps": (GOOD + b"\x0a" + varint(2**64 - len(GOOD) - 11), FORMAT, "are left: is the file cut"),
    "length_cut": (GOOD + b"\x0a", FORMAT, "the message ends inside a field"),
    "piece_is_a_number": (GOOD + field(1, 7), FORMAT, "field 1: expected bytes, got a varint"),
    "trainer_is_a_number": (GOOD + field(2, 7), FORMAT, "field 2: expected bytes, got a varint"),
    "normalizer_is_a_float": (GOOD + field(3, 1.0), FORMAT, "field 3: expected bytes, got 32 bits"),
    "text_is_a_number": (GOOD + field(1, field(1, 7)), FORMAT, "field 1: expected bytes, got a varint"),
    "score_is_a_varint": (GOOD + field(1, field(1, "b") + field(2, 7)), FORMAT,
                          "field 2: expected 32 bits, got a varint"),
    "score_is_a_double": (GOOD + field(1, field(1, "b") + varint(2 << 3 | 1) + b"\0" * 8), FORMAT,
                          "field 2: expected 32 bits, got 64 bits"),
    "kind_is_bytes": (GOOD + field(1, field(1, "b") + field(3, b"\1")), FORMAT,
                      "field 3: expected a varint, got bytes"),
    "text_longer_than_its_piece": (GOOD + field(1, b"\x0a\5b"), FORMAT,
                                   "field 1: has 5 bytes, and only 1 are left"),
    "charsmap_is_a_number": (GOOD + field(3, field(2, 7)), FORMAT, "field 2: expected bytes, got a varint"),
    # The pieces.
    "no_pieces": (trainer() + normalizer(), FORMAT, "has no pieces"),
    "only_control_pieces": (UNK + piece("<s>", 0, CONTROL), FORMAT, "has no pieces of text"),
    "piece_empty": (GOOD + piece(""), FORMAT, "piece 2: has no text"),
    "piece_without_text": (GOOD + field(1, field(2, -1.0)), FORMAT, "piece 2: has no text"),
    "piece_of_no_fields": (GOOD + field(1, b""), FORMAT, "piece 2: has no text"),
    "piece_twice": (GOOD + piece("b") + piece("a"), FORMAT, 'pieces 1 and 3 are both "a"'),
    "piece_twice_unused": (GOOD + piece("a", 0, UNUSED), FORMAT, 'pieces 1 and 2 are both "a"'),
    "piece_twice_user_defined": (GOOD + piece("a", 0, USER_DEFINED), FORMAT, 'pieces 1 and 2 are both "a"'),
    "control_twice": (GOOD + piece("<s>", 0, CONTROL) * 2, FORMAT, 'pieces 2 and 3 are both "<s>"'),
    "control_is_the_unknown": (GOOD + piece("<unk>", 0, CONTROL), FORMAT, 'pieces 0 and 2 are both "<unk>"'),
    "bpe_control_is_a_piece": (GOOD + piece("a", 0, CONTROL) + trainer(BPE), FORMAT,
                               'pieces 1 and 2 are both "a"'),
    "no_unknown": (piece("a") + piece("b"), FORMAT, "has no piece for the unknown"),
    "unknown_twice": (GOOD + piece("<unk2>", 0, UNKNOWN), FORMAT,
                      'piece 2: "<unk2>": the second piece for the unknown, after 0'),
    "score_nan": (GOOD + piece("b", float("nan")), FORMAT, 'piece 2: "b": its score is not finite'),
    "score_infinite": (GOOD + piece("b", float("inf")), FORMAT, 'piece 2: "b": its score is not finite'),
    "score_minus_infinite": (GOOD + piece("b", float("-inf")), FORMAT, 'piece 2: "b": its score is not finite'),
    "kind_zero": (GOOD + piece("b", 0, 0), UNSUPPORTED, "a piece of the unknown kind 0"),
    "kind_seven": (GOOD + piece("b", 0, 7), UNSUPPORTED, "a piece of the unknown kind 7"),
    "kind_negative": (GOOD + piece("b", 0, 2**64 - 1), UNSUPPORTED, "a piece of the unknown kind -1"),
    "piece_over_the_limit": (GOOD + piece("b" * 65_537), FORMAT,
                             "piece 2: a text of 65537 bytes, the limit is 65536 (LoadLimits::piece_bytes)"),
    "byte_piece_without_fallback": (GOOD + piece("<0x41>", 0, BYTE), FORMAT,
                                    'piece 2: "<0x41>": a byte piece, but byte_fallback is false'),
    "byte_missing": (GOOD + byte_pieces()[:-len(piece("<0xFF>", 0, BYTE))] + trainer(byte_fallback=True), FORMAT,
                     "byte_fallback is true, but the piece of byte 255 is missing"),
    "bytes_missing": (GOOD + trainer(byte_fallback=True), FORMAT, "the piece of byte 0 is missing"),
    "byte_minus_one": (GOOD + byte_pieces() + piece("<0x-1>", 0, BYTE) + trainer(byte_fallback=True), FORMAT,
                       'piece 258: "<0x-1>": a byte piece is written like <0x0A>'),
    "byte_in_lower_case": (GOOD + byte_pieces() + piece("<0xff>", 0, BYTE) + trainer(byte_fallback=True),
                           FORMAT, 'piece 258: "<0xff>": a byte piece is written like <0x0A>'),
    "byte_256": (GOOD + byte_pieces() + piece("<0x100>", 0, BYTE) + trainer(byte_fallback=True), FORMAT,
                 'piece 258: "<0x100>": a byte piece is written like <0x0A>'),
    "byte_twice": (GOOD + byte_pieces() + piece("<0x41>", 0, BYTE) + trainer(byte_fallback=True), FORMAT,
                   'are both "<0x41>"'),
    # The kind of model.
    "model_type_word": (GOOD + trainer(3), UNSUPPORTED, "the model type word"),
    "model_type_char": (GOOD + trainer(4), UNSUPPORTED, "the model type char"),
    "model_type_zero": (GOOD + trainer(0), UNSUPPORTED, "the model type 0"),
    "model_type_nine": (GOOD + trainer(9), UNSUPPORTED, "the model type 9"),
    # The compiled rules.
    "rules_of_one_byte": (rules(b"\0"), FORMAT, "normalizer_spec: 1 bytes are too few"),
    "rules_of_four_bytes": (rules(b"\0\4\0\0"), FORMAT, "normalizer_spec: 4 bytes are too few"),
    "rules_of_five_bytes": (rules(b"\0\4\0\0\0"), FORMAT, "a trie of 1024 bytes in 1"),
    "trie_size_zero": (rules(struct.pack("<I", 0) + RULES[4:]), FORMAT, "a trie of 0 bytes"),
    "trie_size_odd": (rules(struct.pack("<I", 1023) + RULES[4:]), FORMAT, "a trie of 1023 bytes"),
    "trie_size_the_rest": (rules(RULES[:1028]), FORMAT, "a trie of 1024 bytes in 1024"),
    "trie_size_4_gib": (rules(struct.pack("<I", 0xFFFFFC00) + RULES[4:]), FORMAT, "a trie of 4294966272 bytes"),
    "replacements_without_nul": (rules(RULES[:-1]), FORMAT, "the replacements do not end with a NUL"),
    "root_has_a_label": (rules(unit(RULES, 0, unit_of(RULES, 0) | 1)), FORMAT, "unit 0 of the trie is not a root"),
    "root_has_a_leaf": (rules(unit(RULES, 0, unit_of(RULES, 0) | 0x100)), FORMAT, "unit 0 of the trie is not a root"),
    "root_is_a_value": (rules(unit(RULES, 0, 1 << 31)), FORMAT, "unit 0 of the trie is not a root"),
    "root_leads_nowhere": (rules(unit(RULES, 0, 0)), FORMAT, "unit 0 of the trie is not a root"),
    "root_leads_out": (rules(unit(RULES, 0, 0x100 << 10)), FORMAT, "unit 0 of the trie is not a root"),
    "root_leads_far_out": (rules(unit(RULES, 0, 0x1FFFFF << 10 | 0x200)), FORMAT, "unit 0 of the trie is not a root"),
    "unit_leads_out": (rules(unit(RULES, LEAF, unit_of(RULES, LEAF) | 0x100 << 10)), FORMAT, "leads out of the trie"),
    "unit_unreachable_leads_out": (rules(unit(RULES, 255, 0x200 << 10)), FORMAT, "unit 255 of the trie leads out"),
    "value_leads_out": (rules(unit(RULES, VALUE, 1 << 31 | 4)), FORMAT, "leads out of the replacements"),
    "value_negative": (rules(unit(RULES, VALUE, 0xFFFFFFFF)), FORMAT, "leads out of the replacements"),
    "leaf_without_value": (rules(unit(RULES, VALUE, 0x55)), FORMAT, "has no value where one should be"),
    "trie_is_a_ring": (rules(ring()), FORMAT, "normalizer_spec: the trie leads in a ring"),
    "denormalizer_is_a_ring": (GOOD + normalizer(ring(), number=5), FORMAT,
                               "denormalizer_spec: the trie leads in a ring"),
}


def main():
    where = HERE / "spm"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir()
    table = []
    for name, (content, code, fragment) in sorted(cases.items()):
        (where / (name + ".spm")).write_bytes(content)
        table.append(f"{name}.spm\t{code}\t{fragment}\n")
    (where / "expected.tsv").write_text("".join(table), encoding="utf-8")
    assert len(valid) < 2048
    (HERE.parent / "tokenizers" / "valid.spm").write_bytes(valid)


main()
