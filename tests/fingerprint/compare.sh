#!/bin/sh
# SPDX-License-Identifier: MIT
# compare.sh PROGRAM EXPECTED [operations]: the program prints the expected lines, or those of the
# operations alone.
set -eu
program=$1 expected=$2 part=${3:-}
"$program" $part > "$program.txt" || {
  grep differs "$program.txt" || true
  exit 1
}
grep "^$part" "$expected" | diff - "$program.txt" || {
  echo "Lines with < are expected, those with > were printed."
  exit 1
}
