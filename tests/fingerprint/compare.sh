#!/bin/sh
# SPDX-License-Identifier: MIT
# compare.sh PROGRAM EXPECTED [ARGUMENT]: the program prints the expected lines; with the argument
# "operations", those of the operations alone.
set -eu
program=$1 expected=$2 argument=${3:-}
"$program" ${argument:+"$argument"} > "$program.txt" || {
  grep differs "$program.txt" || true
  exit 1
}
case $argument in operations) part=operations ;; *) part= ;; esac
grep "^$part" "$expected" | diff - "$program.txt" || {
  echo "Lines with < are expected, those with > were printed."
  exit 1
}
