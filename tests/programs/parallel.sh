#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# parallel.sh TRANSLATE MODEL WORK: the recipes of docs/scaling.md for GNU parallel, which give what
# one process gives. Prints what does not hold, and fails. Skipped, by status 77, without parallel.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
. "$here/checks.sh"
program=$(realpath "$1") model=$(realpath "$2")
command -v parallel > /dev/null || { echo 'skipped: GNU parallel is not here'; exit 77; }
in_empty "$3"
. "$here/corpus.sh"

translate=("$program" --model "$model" --beam-size 1 --threads 1)
parallel() { command parallel --will-cite -k -j 3 "$@" 2>> parallel.err; }
corpus "$model" > text
"${translate[@]}" < text > expected 2> ignored
check 'the text has some hundred lines' test "$(wc -l < expected)" -gt 300

for block in 1009 5k; do
  parallel --pipe --block "$block" "${translate[@]}" < text > got
  check "--pipe --block $block" cmp expected got
  parallel --pipepart -a text --block "$block" "${translate[@]}" > got
  check "--pipepart --block $block" cmp expected got
done

# killed_on WORD COMMAND...: the command, unless its input, which is read first, has the word.
cat > killed_on << 'END'
#!/usr/bin/env bash
input=$(mktemp -p .)
cat > "$input"
! grep -q "$1" "$input" || kill -KILL $$
shift
exec "$@" < "$input"
END
chmod +x killed_on
{ cat text; printf '\nCornouailles\n'; cat text; } > deadly
"${translate[@]}" < deadly > expected.deadly 2> ignored
parallel --pipe --block 1009 --halt now,fail=1 ./killed_on Cornouailles "${translate[@]}" \
  < deadly > got
check 'a process is killed: the run fails' test $? -ne 0
check 'a process is killed: it has written something' test -s got
check 'a process is killed: and what is right' cmp got <(head -c "$(wc -c < got)" expected.deadly)

# Parts as files: the same command again goes on where each of them was.
split -l 50 -a 3 text part.
parts=(part.aa?)
for part in "${parts[@]}"; do
  "${translate[@]}" -i "$part" -o whole 2> ignored
  case $part in
    *b) cp whole "$part.en" ;;
    *c) head -c "$(($(wc -c < whole) / 2))" whole > "$part.en" ;;
  esac
done
cp part.aac.en half
parallel "${translate[@]}" --resume -i {} -o {}.en ::: "${parts[@]}"
check 'files: exit status 0' test $? -eq 0
check 'files' cmp expected <(cat part.aa?.en)
check 'files: one of them had been half done' test -s half

# As ssh: at home, by the shell that SHELL names over there, runs a line. Where there is a file lost,
# machine two dies.
cat > ssh_here << 'END'
#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    -l | -p) shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
echo "$1" >> machines
if [ "$1" = two ] && [ -e lost ]; then kill -KILL $$; fi
shift
[ "${1:-}" != -- ] || shift
cd "$HOME" && SHELL=/bin/sh exec sh -c "$*"
END
chmod +x ssh_here
on_two_machines() {
  HOME=$PWD parallel --wd . --ssh "$PWD/ssh_here" -S 1/one,1/two \
    "${translate[@]}" --resume -i {} -o {}.en ::: "${parts[@]}"
}
rm part.aa?.en
touch lost
on_two_machines
check 'a machine is lost: the run fails' test $? -ne 0
rm lost
on_two_machines
check 'a machine is back: exit status 0' test $? -eq 0
check 'a machine is back' cmp expected <(cat part.aa?.en)
check 'on both machines' test "$(sort -u machines | tr '\n' ' ')" = 'one two '

[ "$failures" -eq 0 ] || tail -n 20 parallel.err
finish
