# SPDX-License-Identifier: MIT
# Part of translate.sh: how lines come in and go out.

check 'an empty file' same /dev/null <(translate < /dev/null)
check 'one empty line' same <(echo) <(echo | translate)
check 'a last line without its end' same <(translate < one_line) \
  <(printf '%s' "$(cat one_line)" | translate)
check 'CR LF ends a line' same twenty.greedy <(sed 's/$/\r/' twenty | translate --beam-size 1)
translate -b 1 -i twenty -o got.twenty > got.nothing
check 'files by name' same twenty.greedy got.twenty
check 'files by name: nothing on stdout' same /dev/null got.nothing
check '- is stdin and stdout' same twenty.greedy <(translate -b 1 -i - -o - < twenty)
check 'names with _' same twenty.greedy <(translate --beam_size 1 --batch_size=64 < twenty)
(cd "$model/../.." && "$program" < "$OLDPWD/one_line") > got.default
if [ "$(basename "$(dirname "$model")")" = models ]; then
  check 'the default model' same <(translate < one_line) got.default
fi

# Each line is answered before the next is sent.
coproc TRANSLATE { translate --flush line 2> flush.err; }
answered() {
  local number
  for number in 1 2 3; do
    printf 'Je suis étudiant.\n' >&"${TRANSLATE[1]}"
    IFS= read -r -t 20 answer <&"${TRANSLATE[0]}" || { echo "no answer $number"; return 1; }
    [ "$answer" = "I'm a student." ] || { echo "$answer"; return 1; }
  done
}
check '--flush line' answered
exec {TRANSLATE[1]}>&-
wait "$TRANSLATE_PID" 2> ignored

# rss COMMAND...: the most memory, in KiB, that translate had when it had read what the command
# writes. The address sanitizer, where there is one, does not keep what is freed.
rss() {
  rm -f pipe
  mkfifo pipe
  local kept=quarantine_size_mb=0:thread_local_quarantine_size_kb=0
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}$kept \
    "$program" --model "$model" --threads 1 < pipe > memory.out &
  local pid=$!
  exec 8> pipe
  "$@" >&8
  awk '/^VmHWM/ { print $2 }' "/proc/$pid/status"
  exec 8>&-
  wait "$pid"
}
blanks() { awk -v count="$1" 'BEGIN { for (i = 0; i < count; ++i) printf "%1000s\n", "" }'; }
memory_is_bounded() {
  local few many
  few=$(rss blanks 2000) many=$(rss blanks 30000)
  [ "$many" -lt $((few + 4000)) ] || { echo "2 MB of lines: $few KiB, 30 MB: $many KiB"; return 1; }
}
if [ -r /proc/self/status ]; then
  check 'memory does not grow with the input' memory_is_bounded
else
  skip 'memory: no /proc'
fi
