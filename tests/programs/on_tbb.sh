#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# on_tbb.sh ON_TBB TRANSLATE MODEL TEXT: another pool's threads give the same bytes as ours.
set -euo pipefail
on_tbb=$1 translate=$2 model=$3 text=$4

# A line by itself has all threads; many have one each.
for lines in 1 1000; do
  cmp <(head -n "$lines" "$text" | "$on_tbb" "$model") \
    <(head -n "$lines" "$text" | "$translate" --model "$model" --threads 1)
done
