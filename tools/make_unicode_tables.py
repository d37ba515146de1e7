#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write include/eigenformer/pipelines/text_class_table.hpp from Debian's package unicode-data.

    python3 tools/make_unicode_tables.py [--ucd /usr/share/unicode]

The classes are those of UAX #29's sentence boundaries (auxiliary/SentenceBreakProperty.txt), with
three changes: extending and format characters are one class, Close is divided into opening
brackets, closing brackets and quotes (by general category: quotes open in one language and close
in another), and where upper and lower case alternate, one entry stands for the whole stretch.
"""

import argparse
from pathlib import Path

CLASSES = """other separator space ignorable lower upper letter digit full_stop stop continuation
opening closing quote upper_if_even upper_if_odd""".split()
CLASS_OF_PROPERTY = {
    "CR": "separator",
    "LF": "separator",
    "Sep": "separator",
    "Sp": "space",
    "Extend": "ignorable",
    "Format": "ignorable",
    "Lower": "lower",
    "Upper": "upper",
    "OLetter": "letter",
    "Numeric": "digit",
    "ATerm": "full_stop",
    "STerm": "stop",
    "SContinue": "continuation",
}
CLASS_OF_CLOSE = {"Ps": "opening", "Pe": "closing"}
MORE = {
    0x0B: "separator",  # line tabulation and form feed end lines, as in UAX #14
    0x0C: "separator",
    0x3B: "continuation",  # semicolons, as later versions of UAX #29 have them
    0xFF1B: "continuation",
    0x2026: "stop",  # the ellipsis
    0x37E: "stop",  # the Greek question mark
}
# The low quotes of German and Polish are brackets by category.
QUOTES = {0x201A, 0x201E, 0x2E42}
HEAD = """\
// SPDX-License-Identifier: MIT
// Written by tools/make_unicode_tables.py from Unicode %s: change the script, not this file.
#pragma once

#include <cstdint>

namespace eigenformer::inline v0::pipelines::detail {

/// Stretches of code points of one TextClass, ascending: first code point << 4 | class. A stretch
/// ends where the next begins.
// clang-format off
inline constexpr std::uint32_t text_class_table[] = {
"""


def properties(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        points, _, value = line.partition("#")[0].partition(";")
        if not value:
            continue
        first, _, last = points.strip().partition("..")
        yield range(int(first, 16), int(last or first, 16) + 1), value.strip()


def classes(ucd):
    category = {}
    for line in (ucd / "UnicodeData.txt").read_text(encoding="utf-8").splitlines():
        fields = line.split(";")
        category[int(fields[0], 16)] = fields[2]
    of = ["other"] * 0x110000
    for points, value in properties(ucd / "auxiliary" / "SentenceBreakProperty.txt"):
        for point in points:
            if value == "Close":
                of[point] = CLASS_OF_CLOSE.get(category[point], "quote")
            else:
                of[point] = CLASS_OF_PROPERTY[value]
    for point, name in MORE.items():
        of[point] = name
    for point in QUOTES:
        of[point] = "quote"
    return of


def alternate(of):
    """Replace upper and lower case in turn, four or more of them, by one class."""
    cased = ("upper", "lower")
    result = list(of)
    start = 0
    while start < len(of):
        end = start + 1
        if of[start] in cased:
            while end < len(of) and of[end] in cased and of[end] != of[end - 1]:
                end += 1
        if end - start >= 4:
            even = (of[start] == "upper") == (start % 2 == 0)
            result[start:end] = ["upper_if_even" if even else "upper_if_odd"] * (end - start)
        start = end
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ucd", type=Path, default=Path("/usr/share/unicode"))
    ucd = parser.parse_args().ucd
    text = (ucd / "auxiliary" / "SentenceBreakProperty.txt").read_text(encoding="utf-8")
    version = text.splitlines()[0].split("-")[1].removesuffix(".txt")
    of = alternate(classes(ucd))
    entries = [
        f"0x{point << 4 | CLASSES.index(name):X}"
        for point, name in enumerate(of)
        if point == 0 or name != of[point - 1]
    ]
    lines = []
    line = ""
    for entry in entries:
        if len(line) + len(entry) + 2 > 98:
            lines.append(line)
            line = ""
        line += f" {entry}," if line else f"    {entry},"
    lines.append(line)
    out = Path(__file__).parent.parent / "include/eigenformer/pipelines/text_class_table.hpp"
    tail = "\n};\n// clang-format on\n\n}  // namespace eigenformer::inline v0::pipelines::detail\n"
    out.write_text(HEAD % version + "\n".join(lines) + tail, encoding="utf-8")
    print(f"{out}: {len(entries)} stretches")


if __name__ == "__main__":
    main()
