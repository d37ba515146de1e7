#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh TRANSLATE SOURCE_DIR WORK_DIR: the sentence of the README's demo, and the first of those
# whose translations the model's folder records, become the same texts to the byte.
set -eu
translate=$1 source=$2 work=$3
model=$source/models/fr-en-small

# same WHAT EXPECTED GOT: the files are equal.
same() {
  cmp "$2" "$3" || {
    diff "$2" "$3" | head -n 6
    echo "$1: not the same"
    exit 1
  }
}

sed -n 's/^scripts\/demo "\(.*\)"$/\1/p' "$source/README.md" > "$work/demo.fr"
sed -n '/^```text$/,/^```$/p' "$source/README.md" | sed -n 2p > "$work/demo.expected"
"$translate" --model "$model" < "$work/demo.fr" > "$work/demo.en"
same 'the demo' "$work/demo.expected" "$work/demo.en"

# recorded COLUMN LINES BEAMS
recorded() {
  head -n "$(($2 + 1))" "$model/expected.tsv" | tail -n +2 > "$work/recorded.tsv"
  cut -f 1 "$work/recorded.tsv" > "$work/recorded.fr"
  cut -f "$1" "$work/recorded.tsv" > "$work/recorded.expected"
  "$translate" --model "$model" --split none --beam-size "$3" < "$work/recorded.fr" \
    > "$work/recorded.en"
  same "expected.tsv with $3 beams" "$work/recorded.expected" "$work/recorded.en"
}
recorded 2 24 1
recorded 3 8 4
