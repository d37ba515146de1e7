# SPDX-License-Identifier: MIT
# Part of translate.sh: --resume gives what one run gives, wherever the other one stopped.

# continues WHAT OPTION...: from every kind of cut of what one run gives.
continues() {
  local what=$1 size cut
  shift
  translate "$@" -i twenty -o whole.resume
  size=$(wc -c < whole.resume)
  for cut in 0 1 2 $((size / 3)) $((size / 3 + 1)) $((size / 2)) $((size - 2)) $((size - 1)) "$size"; do
    head -c "$cut" whole.resume > cut.resume
    run translate "$@" -i twenty -o cut.resume --resume
    check "--resume, $what: ends well after $cut bytes" ended 0
    check "--resume, $what: the same bytes after $cut" same whole.resume cut.resume
  done
}
continues text --beam-size 1
continues 'n-best lists' --n-best 3 --beam-size 3
continues 'JSON lines' --jsonl --beam-size 1
continues samples --temperature 1 --seed 7
continues 'n-best in JSON' --jsonl --n-best 2

translate -b 1 -i twenty -o whole.resume
rm -f new.resume
translate -b 1 -i twenty -o new.resume --resume
check '--resume: without an output it begins' same whole.resume new.resume
{ cat twenty; printf '\n\n'; } > more
translate -b 1 -i more -o whole.more
head -n 20 whole.more > cut.resume
translate -b 1 -i more -o cut.resume --resume < /dev/null
check '--resume: empty lines at the end' same whole.more cut.resume
cat more | translate -b 1 -o new.resume --resume
check '--resume: from a pipe' same whole.more new.resume

# declines WHAT STATUS OUTPUT OPTION...: with a message, and the output as it was.
declines() {
  local what=$1 status=$2 output=$3
  shift 3
  cp "$output" before.resume
  run translate -i twenty -o "$output" --resume "$@"
  check "--resume, $what: exit status $status" ended "$status"
  check "--resume, $what: the output as it was" same before.resume "$output"
}
head -n 7 whole.resume | sed 's/[aeiou]/-/g' > other.resume
declines 'another text' 1 other.resume -b 1
declines 'a longer output' 1 whole.more -b 1
cat whole.resume whole.resume > twice.resume
declines 'twice as many lines' 1 twice.resume -b 1
head -n 7 whole.resume | sed 's/$/\r/' | head -c -3 > cr.resume
declines 'lines that end in CR LF' 1 cr.resume -b 1
head -n 7 whole.resume > text.resume
declines 'text for n-best lists' 1 text.resume --n-best 2
declines 'text for JSON' 1 text.resume --jsonl -b 1
declines 'with --attention' 2 text.resume --attention heads.json
mkfifo fifo.resume
run timeout 20 "$program" --model "$model" -i twenty -o fifo.resume --resume
check '--resume, a pipe for output: exit status 2' ended 2
refuses 2 '--resume without --output' translate --resume

# Killed while it writes: whole lines are there, and what they are the next run does not repeat.
for _ in $(seq 60); do cat twenty; done > many
translate -b 1 -i many -o whole.many
killed() {
  rm -f killed.many
  "$program" --model "$model" -b 1 --threads 1 -i many -o killed.many &
  local pid=$! tries=0
  while [ ! -s killed.many ] && [ $((tries += 1)) -lt 400 ]; do sleep 0.05; done
  kill -9 "$pid"
  wait "$pid" 2> ignored
  local bytes
  bytes=$(wc -c < killed.many)
  [ "$bytes" -gt 0 ] || { echo 'nothing was written'; return 1; }
  cmp -n "$bytes" killed.many whole.many || return 1
  translate -b 1 -i many -o killed.many --resume && same whole.many killed.many
}
check '--resume after kill -9' killed
