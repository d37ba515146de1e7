#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# transformer_by_hand.sh PROGRAM TINY_TRANSLATOR MODEL PAGE WORK: what transformer_by_hand prints is what the page
# shows, and its errors say what is wrong. Prints what does not hold, and fails.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
. "$here/checks.sh"
export LC_ALL=C.UTF-8
program=$(realpath "$1") tiny_translator=$(realpath "$2")
model=$(realpath "$3") page=$(realpath "$4")
in_empty "$5"

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

# odd FIELD=VALUE...: a folder with other numbers in its config, and random weights.
odd() {
  rm -rf odd
  mkdir odd
  cp "$model"/*.spm "$model"/*.json odd
  local field
  for field; do
    sed -i "s/\"${field%%=*}\": [^,]*/\"${field%%=*}\": ${field#*=}/" odd/config.json
  done
  "$tiny_translator" odd
}
# by_hand_agrees: with the odd folder, it and the library compute the same.
by_hand_agrees() { "$program" --model odd Oui > out 2> err && grep -qF 'gives the same.' out; }
odd d_model=36 encoder_ffn_dim=5 decoder_ffn_dim=7
check 'a d_model that fills no lanes' by_hand_agrees
odd d_model=8 vocab_size=6100 decoder_vocab_size=6100
"$program" --model odd Oui > out 2> err
status=$?
check 'an id without a piece is chosen' says 1 'transformer_by_hand: odd/source.spm: piece 60'
check 'ids without a piece are shown' grep -qF '(none)' out
odd d_model=8 encoder_layers=1 decoder_layers=1 activation_function='"gelu"'
check 'one layer, gelu' by_hand_agrees
mkdir nan
cp "$model"/*.spm "$model"/*.json "$model"/*.safetensors nan
make_nan nan "$model"
"$program" --model nan Oui > out 2> err
status=$?
check 'weights that are no numbers' says 1 'not '

if [ -w /dev/full ]; then
  "$program" --model "$model" Oui > /dev/full 2> err
  status=$?
  check 'a full disk' says 1 'cannot write standard output'
fi

finish
