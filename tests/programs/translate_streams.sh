# SPDX-License-Identifier: MIT
# Part of translate.sh: pipes that break, messages, terminals.

yes 'Bonjour.' | translate --flush line 2> pipe.err | head -n 2 > pipe.out
status=${PIPESTATUS[1]}
check 'SIGPIPE ends it' count_is 141 "$status"
check 'SIGPIPE: quietly' same /dev/null pipe.err
check 'SIGPIPE: after two lines' count_is 2 "$(wc -l < pipe.out)"
(trap '' PIPE; while echo 'Bonjour.'; do :; done 2> ignored |
  translate --flush line 2> pipe.err | head -n 2 > pipe.out)
check 'SIGPIPE ignored: quietly, too' same /dev/null pipe.err
check 'SIGPIPE ignored: after two lines' count_is 2 "$(wc -l < pipe.out)"

for option in --help --version; do
  run translate $option
  check "$option: exit status 0" ended 0
  check "$option: no message" same /dev/null run.err
  check "$option: on stdout" test -s run.out
done
check '--version' grep -qx 'translate, Eigenformer [0-9]*\.[0-9]*\.[0-9]*' run.out

translate -b 1 < twenty > got.twenty 2> quiet.err
check 'no messages' same /dev/null quiet.err
translate -b 1 --progress always -i twenty > got.twenty 2> progress.err
check '--progress always: the text' same twenty.greedy got.twenty
check '--progress always: on stderr, one line' count_is 1 "$(wc -l < progress.err)"
check '--progress always: lines, tokens/s, time left' \
  grep -aqE $'\r20 lines, [0-9]+ tokens/s, 0:00 left *$' progress.err
translate -b 1 --progress always < <(cat twenty) > ignored 2> progress.err
check '--progress always: no time left where nobody knows it' grep -aqE 'tokens/s *$' progress.err

# at_terminal NAME OPTION...: started with a terminal that gets lines and Ctrl-D. Without the
# terminal's echo, which may come between the characters of a translation.
at_terminal() {
  local name=$1
  shift
  {
    sleep 1
    printf 'Je suis étudiant.\n\nBonjour.\n'
    sleep 2
    printf '\004'
    sleep 1
  } | timeout 20 script -qec "stty -echo; $(printf '%q ' "$program" --model "$model" "$@")" /dev/null \
    > "$name.terminal" &
}
if command -v script > /dev/null; then
  at_terminal beams
  at_terminal stream --beam-size 1
  at_terminal n_best --n-best 1
  wait
  for name in beams stream n_best; do
    check "at a terminal, $name: says how to end" grep -q 'Ctrl-D' $name.terminal
    check "at a terminal, $name: translates" grep -q "I'm a student\\." $name.terminal
    check "at a terminal, $name: goes on" grep -q 'Good morning' $name.terminal
  done
else
  skip 'a terminal: script is not here'
fi
