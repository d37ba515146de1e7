# SPDX-License-Identifier: MIT
# Part of the tests of programs: counts what holds and what does not, in checks and failures.
set -uo pipefail
export LC_ALL=C
checks=0 failures=0

# in_empty FOLDER: makes it anew, and goes there.
in_empty() {
  rm -rf "$1"
  mkdir -p "$1"
  cd "$1" || exit 1
}

# check WHAT COMMAND...: the command must succeed; what it prints is shown where it does not.
check() {
  local what=$1
  shift
  checks=$((checks + 1))
  if ! "$@" > check.log 2>&1; then
    failures=$((failures + 1))
    echo "FAILED: $what"
    head -n 10 check.log | cut -c 1-300 | sed 's/^/    /'
  fi
}

# ends STATUS COMMAND...: its status; what it printed lies in run.out and run.err.
ends() {
  local status=$1 got
  shift
  "$@" > run.out 2> run.err
  got=$?
  cat run.err
  [ "$got" -eq "$status" ] || { echo "expected status $status, got $got"; return 1; }
}

# only_options PROGRAM NAME...: its --help lists these and no others; a new one wants its checks.
only_options() {
  diff <("$1" --help | sed -n 's/^  \(-[^ ]*\).*/\1/p' | tr , '\n' | sort) \
    <(printf '%s\n' "${@:2}" | sort)
}

# make_nan FOLDER MODEL: FOLDER, which has the model's other files, gets weights that are no numbers.
make_nan() {
  local header size
  header=$((8 + $(od -An -t u8 -N 8 "$2/model.safetensors")))
  size=$(wc -c < "$2/model.safetensors")
  rm "$1/model.safetensors"
  {
    head -c "$header" "$2/model.safetensors"
    head -c $((size - header)) /dev/zero | tr '\0' '\377'
  } > "$1/model.safetensors"
}

# finish: the last command; its status is the test's.
finish() {
  echo "$checks checks, $failures failed"
  [ "$failures" -eq 0 ]
}
