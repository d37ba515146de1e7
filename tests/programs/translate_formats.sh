# SPDX-License-Identifier: MIT
# Part of translate.sh: n-best lists, scores, alignments, JSON.

{ head -n 8 source; echo; echo 'Le chat dort. Le chien mange ! Où vas-tu ?'; } > some
translate < some > some.text
number='-?[0-9][0-9.e-]*'

translate --n-best < some > some.n_best
check '--n-best: form' test -z \
  "$(grep -vE "^[0-9]+ \|\|\| .* \|\|\| F0= $number \|\|\| $number\$" some.n_best)"
numbers() {
  awk 'BEGIN { for (i = 0; i < 10; ++i) for (n = 0; n < (i == 8 ? 1 : 4); ++n) print i }'
}
check '--n-best: as many as beams; one for an empty line' same <(numbers) \
  <(cut -d ' ' -f 1 some.n_best)
check '--n-best: the first are the translations' same some.text \
  <(awk -F ' \\|\\|\\| ' 'NR == 1 || $1 != last { print $2 } { last = $1 }' some.n_best)
best_first() {
  awk -F ' \\|\\|\\| ' '$1 == last && $4 + 0 > score + 0 { print; wrong = 1 }
    { last = $1; score = $4 } END { exit wrong }' some.n_best
}
check '--n-best: best first' best_first
check '--n-best 2' count_is 19 "$(translate --n-best 2 < some | wc -l)"
check '--n-best of draws' count_is 1 "$(translate --n-best --seed 1 < one_line | wc -l)"

translate --word-scores < some > some.scores
check '--word-scores: the text' same some.text <(sed 's/ ||| WordScores=.*//' some.scores)
translate --split none --word-scores --n-best < twenty > twenty.scores
sums_are_scores() {
  awk -F ' \\|\\|\\| ' '{ count = split($3, scores, " "); sum = 0
      for (i = 2; i <= count; ++i) sum += scores[i]
      difference = sum / (count - 1) - $NF
      if (scores[1] != "WordScores=" || difference > 1e-5 || difference < -1e-5) {
        print; wrong = 1 } }
    END { exit wrong || NR != 80 }' twenty.scores
}
check '--word-scores: their mean is the score' sums_are_scores

translate --alignment < some > some.alignment
check '--alignment: the text' same some.text <(sed 's/ |||[0-9 -]*$//' some.alignment)
every_word_is_aligned() {
  paste some.alignment some | awk -F '\t' '{
      split($1, fields, / \|\|\|/)
      words = split(fields[1], ignored, " "); sources = split($2, ignored, " ")
      count = split(fields[2], pairs, " ")
      if (count != words) { print "words: " $0; wrong = 1 }
      for (i = 1; i <= count; ++i) {
        split(pairs[i], pair, "-")
        if (pair[2] != i - 1 || pair[1] >= sources) { print "pair " pairs[i] ": " $0; wrong = 1 }
      } }
    END { exit wrong || NR != 10 }'
}
check '--alignment: a pair for each word of the translation' every_word_is_aligned
check '--alignment --word-scores: in this order' same some.text \
  <(translate --word-scores --alignment < some | sed 's/ |||[0-9 -]*||| WordScores=[-0-9. e]*$//')

translate --jsonl --n-best 2 --word-scores --alignment < odd > odd.jsonl 2> ignored
translate < odd > odd.text 2> ignored
check '--jsonl: an object a line' count_is "$odd_lines" "$(grep -c '^{"id":[0-9]*,.*}$' odd.jsonl)"
translate --attention some.json < some > some.text2
check '--attention: the text' same some.text some.text2
if python3 -c '' 2> ignored; then
  check '--jsonl: every field' python3 "$here/translate_json.py" lines odd.jsonl odd.text
  translate --jsonl < some > some.jsonl
  check '--jsonl: fewer fields' python3 "$here/translate_json.py" plain some.jsonl some.text
  check '--attention: shapes and sums' python3 "$here/translate_json.py" attention some.json
else
  skip 'JSON: python3 is not here'
fi
check '--attention of nothing' same <(printf '[\n]\n') \
  <(translate --attention empty.json < /dev/null; cat empty.json)
