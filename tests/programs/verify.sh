#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# verify.sh VERIFY GOLDEN WORK: what `verify` does with its options. GOLDEN is a folder that
# tools/record_golden.py wrote. Prints each promise that does not hold, and fails.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
. "$here/checks.sh"
verify=$(realpath "$1") golden=$(realpath "$2")
in_empty "$3"

# says TEXT ARGUMENT...: usage that is refused, and how.
says() {
  local text=$1
  shift
  check "verify $*: exit status 2" ends 2 "$verify" "$@"
  check "verify $*: no output" test ! -s run.out
  check "verify $*: its message" test "$(head -n 1 run.err)" = "$text"
}

check 'every option has a check here' only_options "$verify" -h --help --version --weights
for help in -h --help; do
  check "$help" ends 0 "$verify" $help
  check "$help: on stdout" grep -q '^Usage: verify ' run.out
done

check 'a folder' ends 0 "$verify" "$golden"
check 'a folder: everything passes' grep -q '^[1-9][0-9]* passed, 0 failed, 0 may differ and do$' \
  run.out
cp run.out once.out
check 'the same folder twice' ends 0 "$verify" "$golden" "$golden"
check 'the same folder twice: twice as many' test "$(wc -l < run.out)" -eq \
  $((2 * $(wc -l < once.out) - 1))
for weights in f32 f16 bf16 int8; do
  check "--weights $weights" ends 0 "$verify" "$golden" --weights $weights
  check "--weights $weights: all are looked at" test "$(wc -l < run.out)" -eq "$(wc -l < once.out)"
  cp run.out $weights.out
done
check '--weights: f32 is nearer than int8' test "$(cksum < f32.out)" != "$(cksum < int8.out)"

see='(see verify --help)'
says "verify: DIR is required $see"
says "verify: --weights: expected f32|f16|bf16|int8, got int4 $see" "$golden" --weights int4
says "verify: --weights: 1 required f32|f16|bf16|int8 missing $see" "$golden" --weights
says "verify: The following argument was not expected: --bogus $see" "$golden" --bogus
check '--version' ends 0 "$verify" --version
check '--version: on stdout' grep -q '^verify, Eigenformer ' run.out

unknown='EIGENFORMER_ISA: "mmx" is not known, or not of this machine'
EIGENFORMER_ISA=mmx says "verify: $unknown" "$golden"
check 'EIGENFORMER_ISA=reference' test "$(EIGENFORMER_ISA=reference "$verify" "$golden")" = \
  "$(cat once.out)"

mkdir empty
check 'no such folder, and a good one: exit status 1' ends 1 "$verify" none "$golden"
check 'no such folder: FAILED, and why' grep -q '^  none.*  FAILED$' run.out
check 'no such folder: the good one is still looked at' grep -q '^[1-9][0-9]* passed, 1 failed' \
  run.out
check 'an empty folder: exit status 1' ends 1 "$verify" empty
if [ -w /dev/full ]; then
  "$verify" "$golden" > /dev/full 2> run.err
  check 'a full disk: exit status 1' test $? -eq 1
  check 'a full disk: a message' grep -q 'cannot write standard output' run.err
fi

finish
