# SPDX-License-Identifier: MIT
# Part of the tests of programs: counts what holds and what does not, in checks and failures.
checks=0 failures=0

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

# only_options PROGRAM NAME...: its --help lists these and no others; a new one wants its checks.
only_options() {
  diff <("$1" --help | sed -n 's/^  \(-[^ ]*\).*/\1/p' | tr , '\n' | sort) \
    <(printf '%s\n' "${@:2}" | sort)
}
