#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What weights in fewer bits cost in quality, as a section of docs/performance.md: BLEU and chrF by
sacrebleu against f32 of the same model, for greedy search and four beams, each line as one
sentence; and what examples/compare_weights says of the next-token distributions. Exit status 1:
a BLEU is further from that of f32 than the bar allows.

    tools/quality.py --source FILE --reference FILE [--weights int8,bf16,f16] [--bar 0.3]
        [--model models/fr-en-small] [--program build/release/examples/translate]
        [--compare build/release/examples/compare_weights] [--options "--threads 2"]
"""
import argparse
import os
import sys

import sacrebleu

import score


def parse():
    """The arguments, and those of them that change figures and are not the default, as text."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--source", required=True, help="one sentence a line")
    parser.add_argument("--reference", required=True, help="its translation, line by line")
    parser.add_argument("--weights", default="int8,bf16,f16", help="besides f32")
    parser.add_argument("--bar", type=float, default=0.3, help="the greatest difference of BLEU")
    parser.add_argument("--compare", default="build/release/examples/compare_weights")
    score.add_program(parser)
    arguments = parser.parse_args()
    given = "".join(f" --{name} {getattr(arguments, name)}" for name in ("weights", "bar", "model")
                    if getattr(arguments, name) != parser.get_default(name))
    return arguments, given


def searches(arguments, sources, references, weights):
    """The table of BLEU and chrF, and the greatest difference of BLEU."""
    rows, most = [], 0.0
    for beams in (1, 4):
        exact = score.translate(arguments, sources, beams, "none", "--weights", "f32")
        exact_bleu, exact_chrf = score.scores(exact, references)
        for storage in weights:
            lines = score.translate(arguments, sources, beams, "none", "--weights", storage)
            bleu, chrf = score.scores(lines, references)
            difference = f"{round(bleu - exact_bleu, 2) or 0:+.2f}"
            if abs(bleu - exact_bleu) > arguments.bar:
                difference = f"**{difference}**"
            most = max(most, abs(bleu - exact_bleu))
            changed = sum(a != b for a, b in zip(exact, lines))
            rows.append(f"| {storage} | {'greedy' if beams == 1 else f'beam {beams}'} "
                        f"| {exact_bleu:.2f} | {bleu:.2f} | {difference} "
                        f"| {exact_chrf:.2f} | {chrf:.2f} | {changed:,} of {len(lines):,} |")
    return rows, most


def distributions(arguments, sources, references):
    """The table that compare_weights prints."""
    pairs = []
    for source, reference in zip(sources, references):
        if "\t" in source + reference:
            sys.exit(f"a tab in the line: {source}")
        pairs.append(f"{source}\t{reference}")
    return score.run([arguments.compare, arguments.model, "--pairs", "-",
                      "--weights", arguments.weights], pairs)


def main():
    arguments, given = parse()
    sources = score.read_lines(arguments.source)
    references = score.read_lines(arguments.reference)
    if len(sources) != len(references):
        sys.exit(f"{len(sources)} sources, {len(references)} references")
    weights = arguments.weights.split(",")
    rows, most = searches(arguments, sources, references, weights)
    source, reference = (os.path.basename(path) for path in (arguments.source, arguments.reference))
    print(f"""## Quality of {weights[0]}

    python tools/quality.py --source {source} --reference {reference}{given}

{arguments.model}, sacrebleu {sacrebleu.__version__}, each line as one sentence; the bar: \
BLEU within {arguments.bar:g} of f32's.

| weights | search | BLEU f32 | BLEU | difference | chrF f32 | chrF | lines that differ |
| --- | --- | --- | --- | --- | --- | --- | --- |""")
    print("\n".join(rows))
    weights_given = f" --weights {arguments.weights}" if "--weights" in given else ""
    print(f"""
Next-token distributions on the reference translations, KL(f32 || other) in nats \
(`compare_weights --help` says what each figure is):

    paste {source} {reference} | {arguments.compare} {arguments.model} --pairs -{weights_given}
""")
    print(distributions(arguments, sources, references), end="")
    if most > arguments.bar:
        sys.exit(f"BLEU differs by {most:.2f}, the bar is {arguments.bar:g}")


if __name__ == "__main__":
    main()
