#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# compile_time.sh SOURCE INCLUDE WORK COMPILER FLAG...: compile time is a feature. Every header of
# layers/ has a budget of 1.3 s, and every file of SOURCE/compile_time the one in its first line,
# "// budget: 4.0 s". Budgets are CPU seconds of the machine where including <Eigen/Core> takes
# 0.92 s; elsewhere that include is timed too, and gives the scale. The best of five counts, so a first
# try within its budget is enough.
set -euo pipefail
export LC_ALL=C
source_dir=$1 include=$2 work=$3
shift 3
compiler=("$@" -std=c++20 -O2 -I "$include" -c -o /dev/null)
reference=0.92
mkdir -p "$work"

# cpu_seconds FILE: of one compilation.
cpu_seconds() {
  local TIMEFORMAT='%U %S'
  { time "${compiler[@]}" "$1" 2> "$work/messages"; } 2> "$work/times" || {
    cat "$work/messages" >&2
    return 1
  }
  awk '{ print $1 + $2 }' "$work/times"
}

calc() { awk "BEGIN { print ($1) }"; }

echo '#include <Eigen/Core>' > "$work/calibration.cpp"
cpu_seconds "$work/calibration.cpp" > "$work/ignored"  # fills the file cache
calibration=$(cpu_seconds "$work/calibration.cpp")
echo "<Eigen/Core> takes $calibration s here, and $reference s where the budgets were set"

failures=0
# measure NAME FILE BUDGET
measure() {
  local best=1e9 seconds
  for try in 1 2 3 4 5; do
    # A machine that has become slow since is slow for both.
    [ "$try" = 1 ] || calibration=$(cpu_seconds "$work/calibration.cpp")
    seconds=$(cpu_seconds "$2")
    seconds=$(calc "$seconds * $reference / $calibration")
    best=$(calc "$seconds < $best ? $seconds : $best")
    [ "$(calc "$best <= $3")" = 0 ] || break
  done
  local verdict=ok
  if [ "$(calc "$best <= $3")" = 0 ]; then
    verdict='OVER BUDGET'
    failures=$((failures + 1))
  fi
  printf '%-44s %6.2f s of %5.2f s  %s\n' "$1" "$best" "$3" "$verdict"
}

for header in "$include"/eigenformer/layers/*.hpp; do
  [ -e "$header" ] || continue
  name=${header#"$include/"}
  echo "#include \"$name\"" > "$work/header.cpp"
  measure "$name" "$work/header.cpp" 1.3
done
for file in "$source_dir"/compile_time/*.cpp; do
  [ -e "$file" ] || continue
  budget=$(sed -n '1s|^// budget: \([0-9.]*\) s$|\1|p' "$file")
  if [ -z "$budget" ]; then
    echo "$file: its first line is not '// budget: SECONDS s'"
    exit 1
  fi
  measure "${file#"$source_dir/"}" "$file" "$budget"
done

if [ "$failures" -ne 0 ]; then
  echo "$failures over budget"
  exit 1
fi
