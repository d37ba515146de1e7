#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# spark.sh SCRIPT TRANSLATE MODEL WORK: the recipe of docs/scaling.md for Apache Spark, which gives
# what one process gives. Prints what does not hold, and fails. EIGENFORMER_SPARK_PYTHON names the
# python that has pyspark; skipped, by status 77, without that or Java.
set -uo pipefail
export LC_ALL=C
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
script=$(realpath "$1") program=$(realpath "$2") model=$(realpath "$3")
export PYSPARK_PYTHON=${EIGENFORMER_SPARK_PYTHON:-python3}
skip() {
  echo "skipped: $1"
  exit 77
}
command -v java > /dev/null || [ -n "${JAVA_HOME:-}" ] || skip 'Java is not here'
"$PYSPARK_PYTHON" -c 'import pyspark' 2> /dev/null ||
  skip "$PYSPARK_PYTHON has no pyspark (EIGENFORMER_SPARK_PYTHON names another)"
rm -rf "$4"
mkdir -p "$4"
cd "$4" || exit 1
. "$here/checks.sh"
. "$here/corpus.sh"

translate=("$program" --model "$model" --beam-size 1 --threads 1)
# spark MASTER COMMAND...: the text by the command, into the folder "out".
spark() {
  local master=$1
  shift
  rm -rf out
  PYSPARK_SUBMIT_ARGS="--master $master --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 \
    --conf spark.driver.bindAddress=127.0.0.1 pyspark-shell" \
    timeout 120 "$PYSPARK_PYTHON" "$script" --split-bytes 4099 text out "$(printf '%q ' "$@")" > spark.log 2>&1
}
corpus "$model" > text
"${translate[@]}" < text > expected 2> ignored
check 'the text has some hundred lines' test "$(wc -l < expected)" -gt 300

# The first process dies: Spark runs its task again.
cat > dies_once << 'END'
#!/usr/bin/env bash
! mkdir "$1" 2> /dev/null || kill -KILL $$
shift
exec "$@"
END
chmod +x dies_once
spark 'local-cluster[2,1,1024]' "$PWD/dies_once" "$PWD/died" "${translate[@]}"
check 'two executors: exit status 0' test $? -eq 0
check 'two executors: one task had to be run again' test -d died
check 'two executors: several tasks' test "$(ls out/part-* | wc -l)" -gt 2
check 'two executors' cmp expected <(cat out/part-*)
[ -d out ] || tail -n 20 spark.log

spark 'local[2]' "$program" --model missing
check 'a command that fails: so does the job' test $? -ne 0
check 'a command that fails: it says so' grep -q 'translate: missing: ' spark.log
check 'a command that fails: no _SUCCESS' test ! -e out/_SUCCESS

echo "$checks checks, $failures failed"
[ "$failures" -eq 0 ]
