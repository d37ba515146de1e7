#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# transformer_by_hand.sh PROGRAM MODEL PAGE WORK: what transformer_by_hand prints is what the page
# shows, and its errors say what is wrong. Prints what does not hold, and fails.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
. "$here/checks.sh"
export LC_ALL=C.UTF-8
program=$(realpath "$1") model=$(realpath "$2") page=$(realpath "$3")
in_empty "$4"

by_hand() { "$program" --model "$model" "$@" > out 2> err; }
# says STATUS TEXT: how the last run ended, and that its error has the text.
says() { [ "$status" -eq "$1" ] && grep -qF -- "$2" err; }
without_empty_lines() { grep -v '^$' "$1"; }

by_hand 'Je suis étudiant.'
check 'a sentence: exit status 0' test $? -eq 0
sed -n '/^```text$/,/^```$/p' "$page" | grep -v '^```' > shown
check 'the page shows what the program prints' \
  diff <(without_empty_lines shown) <(without_empty_lines out)
check 'the library agrees with the formulas' grep -qF 'own encoder gives the same.' out

by_hand "Elle ne l'a pas vu, parce qu'il pleuvait." --layer 3 --head 2
check 'another layer: exit status 0' test $? -eq 0
check 'another layer and head are shown' grep -qF '4 Encoder, layer 3, head 2' out
tail -n 2 out | sed 's/.*: //' > texts
check 'by hand and by the Translator: one text' test "$(sort -u texts | wc -l)" -eq 1
check 'which is a text' test -s texts

by_hand "Il pleut. Je reste à la maison. Et toi ?"
tail -n 2 out | sed 's/.*: //' > texts
check 'several sentences are one here' test "$(sort -u texts | wc -l)" -eq 1
by_hand ' '
status=$?
check 'nothing' says 2 'SENTENCE: pieces, with the end: expected 2 to 512, got 1'
by_hand "$(seq -s ' ' 600)"
status=$?
check 'too much' says 2 'SENTENCE: pieces, with the end: expected 2 to 512, got '
check 'too much: nothing printed' test ! -s out
by_hand $'\xff<b>\t😀'
check 'odd text: exit status 0' test $? -eq 0
check 'odd text: what is printed is UTF-8' iconv -f UTF-8 -t UTF-8 out

by_hand Oui --layer 4
status=$?
check '--layer above' says 2 'transformer_by_hand: --layer: expected 0 to 3, got 4'
by_hand Oui --head -1
status=$?
check '--head below' says 2 'transformer_by_hand: --head: expected 0 to 1048576, got -1'
by_hand Oui --head 010
status=$?
check '--head is decimal' says 2 'transformer_by_hand: --head: expected 0 to 3, got 10'
"$program" --model nowhere Oui 2> err
status=$?
check 'no such folder' says 2 'transformer_by_hand: --model: nowhere is not a folder'
"$program" 2> err
status=$?
check 'no sentence' says 2 'SENTENCE is required'

if [ -w /dev/full ]; then
  "$program" --model "$model" Oui > /dev/full 2> err
  status=$?
  check 'a full disk' says 1 'cannot write standard output'
fi

finish
