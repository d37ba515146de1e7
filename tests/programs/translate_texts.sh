# SPDX-License-Identifier: MIT
# Part of translate.sh: the model's recorded translations, and that nothing but a line and the
# options decides what becomes of it. Leaves `source`, `greedy` and `beams`, and their `odd` lines.

tail -n +2 "$model/expected.tsv" > expected
for field in 1.source 2.greedy 3.beams 4.scores; do
  cut -f "${field%%.*}" expected > "${field#*.}"
done
lines=$(wc -l < source)

translate --split none --beam-size 1 < source > got.greedy
check 'expected.tsv, greedy' same greedy got.greedy
translate --split none < source > got.beams
check 'expected.tsv, the beams of the folder' same beams got.beams
translate --split none --n-best 1 < source > got.n_best
scores_are_near() {
  paste scores <(sed 's/.* ||| F0= .* ||| //' got.n_best) | awk '
    { if (NF != 2 || $1 - $2 > 1e-4 || $2 - $1 > 1e-4) { print NR ": " $0; wrong = 1 } }
    END { exit wrong || NR == 0 }'
}
check 'expected.tsv, scores' scores_are_near

# Lines that ask for trouble, and a few others.
{
  printf 'Bonjour.\n\n   \n \t \nUn\xff mot\xc3\x28 de\xe2\x82 trop.\n'
  printf 'Un\0deux.\n\0\nFin de ligne.\r\n\r\nUn\rdeux.\r\nTrois\v\fquatre.\n'
  printf 'Je suis 😀 👩‍👩‍👧 content.\n😀\nUn\xe2\x80\xa8deux\xe2\x80\xa9trois\xc2\x85quatre.\n'
  printf '%s\n' "$(head -n 8 source | tr '\n' ' ')" '>>en<< Bonjour.' \
    '||| " \ <pad> </s> ▁' '日本語。もう一つ。'
  printf '\xef\xbb\xbfAvec marque.\nLe chat dort. Le chien mange ! Où vas-tu ?\n\n'
  head -n 4 source
  printf 'Sans fin de ligne'
} > odd
odd_lines=$(($(tr -dc '\n' < odd | wc -c) + 1))
translate --beam-size 1 < odd > odd.greedy 2> odd.messages
check 'odd lines: as many as came' count_is "$odd_lines" \
  "$(tr -dc '\n' < odd.greedy | wc -c)"
check 'odd lines: the empty ones stay empty' same \
  <({ cat odd; echo; } | tr -d '\r' | grep -anx '') <(grep -anx '' odd.greedy)
no_line_breaks() {
  ! grep -anP '[\r\v\f]|\xc2\x85|\xe2\x80[\xa8\xa9]' odd.greedy
}
check 'odd lines: no line break inside a line' no_line_breaks
check 'odd lines: the output is UTF-8' iconv -f UTF-8 -t UTF-8 odd.greedy
replaced='bytes that were not UTF-8 became U+FFFD 3 times, first in line 5'
check 'odd lines: bytes that are not UTF-8 are counted' same \
  <(echo "translate: $replaced") odd.messages

# variants OPTION...: whatever else they are asked for, the odd lines become the same.
variants() {
  local one=("$@")
  translate "${one[@]}" --threads 1 < odd > expected.odd 2> ignored
  for other in '--threads 2 --batch-size 64' '--threads 2 --batch-size 4096' '--flush line' \
    '--flush batch --attention a.json --word-scores --alignment'; do
    # shellcheck disable=SC2086
    translate "${one[@]}" $other < odd 2> ignored |
      sed 's/ ||| [0-9 -]*||| WordScores=.*//' > got.odd
    check "${one[*]} $other: the same" same expected.odd got.odd
  done
  # At the same place among empty lines: draws depend on the number of a line.
  local number=0
  while IFS= read -r line; do
    number=$((number + 1))
    [ $((number % 6)) -eq 5 ] || continue
    { yes '' | head -n $((number - 1)); sed -n "${number}p" odd; } > alone
    translate "${one[@]}" < alone 2> ignored | tail -n 1 > got.alone
    check "${one[*]}: line $number alone and in the file" same \
      <(sed -n "${number}p" expected.odd) got.alone
  done < expected.odd
}
variants --beam-size 1
variants --top-k 20 --temperature 1.5 --seed 7
check 'greedy lines do not change by other options' same odd.greedy \
  <(translate --temperature 0 --top-k 20 < odd 2> ignored)
head -n 20 source > twenty
head -n 20 greedy > twenty.greedy
translate --beam-size 1 --flush line --threads 1 < twenty > got.alone
check 'lines of one sentence, line by line' same twenty.greedy got.alone
translate --threads 1 --batch-size 64 < twenty > got.small
check 'beams: small batches, one thread' same <(head -n 20 beams) got.small

# More tokens than the model has positions: cut, and not dropped.
head -n 80 source | tr -d '.?!' | tr '\n' ' ' > long
translate --split none --beam-size 1 --max-length 100 < long > got.long
check 'a long line is one line' count_is 1 "$(wc -l < got.long)"
translate --split none --beam-size 1 --max-length 100 --jsonl < long > got.long
check 'a long line is translated in parts' grep -q '},{"source":' got.long

# Windows of lines end somewhere behind these.
{ yes '' | head -n 1000; cat one_line; cat one_line; } > late
check 'draws do not depend on windows' same <(translate --seed 3 --flush line < late) \
  <(translate --seed 3 < late)
check 'other seeds, other draws' test "$(translate --seed 3 < twenty | cksum)" != \
  "$(translate --seed 4 < twenty | cksum)"

if command -v parallel > /dev/null; then
  parallel --will-cite --pipe -k -N 5 -j 2 "$program" --model "$model" --beam-size 1 --threads 1 \
    < twenty > got.parallel
  check 'parallel --pipe -k and one process' same twenty.greedy got.parallel
else
  skip 'parallel --pipe -k: GNU parallel is not here'
fi
