#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# million_lines.sh TRANSLATE TINY_TRANSLATOR MODEL WORK: a million lines need no more memory than a
# tenth of them; lines come out as many as went in, in order.
set -euo pipefail
translate=$1 tiny_translator=$2 model=$3 work=$4

rm -rf "$work"
mkdir -p "$work/model"
cd "$work"
cp "$model"/{generation_config.json,source.spm,target.spm,tokenizer_config.json,vocab.json} model
sed -E 's/("d_model": )[0-9]+/\18/; s/(_attention_heads": )[0-9]+/\11/; s/(_ffn_dim": )[0-9]+/\18/
        s/("(en|de)coder_layers": )[0-9]+/\11/' "$model/config.json" > model/config.json
"$tiny_translator" model

# translated LINES: sets `kilobytes`, the most memory that it took. Every line is another one, and
# the number in front of the translation, which --n-best writes, tells whether they are in order.
translated() {
  local status=0
  mkfifo lines
  "$translate" --model model --beam-size 1 --max-length 3 --n-best 1 < lines > out.txt &
  local pid=$!
  exec 8> lines
  rm lines
  awk -v lines="$1" 'BEGIN { for (i = 0; i < lines; ++i) print substr("un deux trois", 1, i % 13), i }' >&8
  kilobytes=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")
  exec 8>&-
  wait "$pid" || status=$?
  awk -v lines="$1" -v status="$status" '
    $1 != NR - 1 { print "line " NR ": " $0; exit 1 }
    END { if (NR != lines || status != 0) { print NR " lines, status " status; exit 1 } }' out.txt
}

translated 100000
few=$kilobytes
translated 1000000
echo "100,000 lines: $few KiB, 1,000,000: $kilobytes KiB"
# It is 3 to 7 MB more, by how the allocator's arenas are filled; one allocation that is lost for
# each line would be 28 MB.
[ "$kilobytes" -lt $((few + 20000)) ]
