# SPDX-License-Identifier: MIT
"""SentencePiece model files (sentencepiece_model.proto) written field by field, with what no trainer
would write, too. Python's standard library alone."""

import struct

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
UNIGRAM, BPE = 1, 2


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, content):
    """A field: bytes or text, a float, or an unsigned integer."""
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes):
        return varint(number << 3 | 2) + varint(len(content)) + content
    if isinstance(content, float):
        return varint(number << 3 | 5) + struct.pack("<f", content)
    return varint(number << 3) + varint(content)


def piece(text, score=0.0, kind=NORMAL):
    return field(1, field(1, text) + field(2, float(score)) + (field(3, kind) if kind != 1 else b""))


def byte_pieces():
    return b"".join(piece(f"<0x{value:02X}>", 0.0, BYTE) for value in range(256))


def trainer(kind=UNIGRAM, byte_fallback=False, suffix=False, more=b""):
    return field(2, field(3, kind) + field(24, int(suffix)) + field(35, int(byte_fallback)) + more)


def normalizer(charsmap=b"", dummy_prefix=True, remove_spaces=True, escape=True, number=3):
    rules = field(2, charsmap) if charsmap else b""
    return field(number, rules + field(3, int(dummy_prefix)) + field(4, int(remove_spaces)) +
                 field(5, int(escape)))


def charsmap(rules):
    """The compiled form of rules, bytes to bytes: a double array as Darts-clone lays it out."""
    replacements, places = b"", {}
    for text, replacement in sorted(rules.items()):
        places[text] = len(replacements)
        replacements += replacement + b"\0"
    units, taken = {0: 0}, {0}

    def place(prefix, node):
        """Gives the children of a node their units."""
        labels = sorted({text[len(prefix)] for text in rules
                         if len(text) > len(prefix) and text.startswith(prefix)})
        leaf = prefix in rules
        slots = labels + ([0] if leaf else [])
        offset = 1
        while offset in used or any((node ^ offset ^ label) in taken for label in slots):
            offset += 1
        assert offset < 1 << 21
        used.add(offset)
        units[node] |= offset << 10 | (1 << 8 if leaf else 0)
        base = node ^ offset
        taken.update(base ^ label for label in slots)
        if leaf:
            units[base] = 1 << 31 | places[prefix]
        for label in labels:
            units[base ^ label] = label
        for label in labels:
            place(prefix + bytes([label]), base ^ label)

    used = {0}
    place(b"", 0)
    count = (max(units) | 0xFF) + 1
    # What is free has a label that does not lead to it.
    array = [units.get(i, (i & 0xFF) ^ 0xFF) for i in range(count)]
    trie = struct.pack(f"<{count}I", *array)
    return struct.pack("<I", len(trie)) + trie + replacements
