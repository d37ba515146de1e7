#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# translate.sh PROGRAM MODEL WORK [options]: what `translate` promises, as translate --help says it,
# or what it says of each option. MODEL is fr-en-small, with its expected.tsv. Prints each promise
# that does not hold, and fails.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
. "$here/checks.sh"
program=$(realpath "$1") model=$(realpath "$2")
in_empty "$3"

translate() { "$program" --model "$model" "$@"; }

skip() { echo "skipped: $1"; }

# same EXPECTED GOT: equal files, or the first lines that differ.
same() {
  cat "$1" > same.expected
  cat "$2" > same.got
  cmp same.expected same.got && return 0
  diff -a same.expected same.got | head -n 6
  return 1
}

count_is() { [ "$2" -eq "$1" ] || { echo "expected $1, got $2"; return 1; }; }

# run COMMAND...; then `ended STATUS`: it ended so, with a message if not well.
run() {
  "$@" > run.out 2> run.err
  run_status=$?
}
ended() {
  if [ "$run_status" -ne "$1" ]; then
    echo "expected status $1, got $run_status"
    cat run.err
    return 1
  fi
  if [ "$1" -ne 0 ] && ! [ -s run.err ]; then
    echo "no message"
    return 1
  fi
  grep -v '^translate: ' run.err && return 1
  return 0
}
# refuses STATUS WHAT COMMAND...: no output and a message.
refuses() {
  local status=$1 what=$2
  shift 2
  run "$@" < one_line
  check "$what: exit status $status and a message" ended "$status"
  check "$what: no output" same /dev/null run.out
}

printf 'Je suis étudiant.\n' > one_line
for part in ${4:-texts lines failures formats streams resume profile}; do
  # shellcheck source=/dev/null
  [ -z "${VERBOSE:-}" ] || echo "$SECONDS s: $part"
  . "$here/translate_$part.sh" || exit 1
done

finish
