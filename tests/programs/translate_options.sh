# SPDX-License-Identifier: MIT
# Part of translate.sh: every option that --help lists has an effect, takes its least and greatest
# value, and says what is wrong with those beyond; fails for a name that has no check here.

covered=() bounded=()
tail -n +2 "$model/expected.tsv" | head -n 20 > expected
cut -f 1 expected > twenty
cut -f 2 expected > twenty.greedy

# effect NAMES WHAT COMMAND...: of the option with these names.
effect() {
  local names=$1 what=$2
  shift 2
  # shellcheck disable=SC2206
  covered+=($names)
  check "$names: $what" "$@"
}
# takes NAME VALUE... [-- OPTION...]: each value, beside the options, translates a line.
takes() {
  local name=$1 values=() value
  shift
  bounded+=("$name")
  while [ $# -gt 0 ] && [ "$1" != -- ]; do values+=("$1") && shift; done
  [ $# -eq 0 ] || shift
  for value in "${values[@]}"; do
    run translate "$@" "$name=$value" < one_line
    check "$name $value: ends well" ended 0
    check "$name $value: a line" test -s run.out
  done
}
# says TEXT OPTION...: exit status 2, no output, and this message and nothing else.
says() {
  local text=$1
  shift
  refuses 2 "translate $*" translate "$@"
  check "translate $*: its message" same <(echo "translate: $text") run.err
}
# beyond NAME RANGE VALUE...: refused by name, range and value, before the model is looked for.
beyond() {
  local name=$1 range=$2 value
  shift 2
  for value in "$@"; do
    says "$name: expected $range, got $value (see translate --help)" "$name=$value" --model none
  done
}
differs() { ! cmp -s "$1" "$2" || { echo 'the same'; return 1; }; }
texts() { translate "$@" < twenty; }

check '--help: names the program' grep -q '^Usage: translate ' <(translate --help)
effect '-h --help' 'the same' same <(translate --help) <(translate -h)
effect --version 'a version' grep -q '^translate, Eigenformer ' <(translate --version)

# Files.
effect '-i --input' 'the same file' same <(translate -i one_line) <(translate --input one_line)
translate -o short.out < one_line
translate --output long.out < one_line
effect '-o --output' 'the same file' same short.out long.out
says '--input: 1 required FILE missing (see translate --help)' -i
says '--output: 1 required FILE missing (see translate --help)' -o
run translate -i none
check 'no such input: its name and why' same run.err \
  <(echo 'translate: cannot open none: No such file or directory')
head -n 5 twenty.greedy > begun
translate -b 1 -i twenty -o begun --resume
effect --resume 'the rest' same twenty.greedy begun
says '--resume needs --output, and goes without --attention' --resume
effect '-m --model' 'the same model' same <("$program" -m "$model" < one_line) \
  <("$program" --model "$model" < one_line)
refuses 3 'no model' "$program" -m none
check 'no model: its name' grep -q '^translate: none: cannot open: .* (--model DIR names' run.err

# Search.
effect '-b --beam-size' 'greedy' same <(texts -b 1) <(texts --beam-size 1)
check '--beam-size: beams find others' differs <(texts -b 1) <(texts -b 4)
takes --beam-size 1 1024 010 -- --max-length 2
check '--beam-size 010 is ten' same <(texts -b 010 --n-best 10) <(texts -b 10 --n-best 10)
beyond --beam-size '1 to 1024' 0 -1 1025 4.5 1e2 0x10 x '4 4' 99999999999999999999
effect '--max-length --max-decoding-length' 'pieces' same <(texts --max-length 3) \
  <(texts --max-decoding-length 3)
check '--max-length: no more pieces' test -z \
  "$(texts --word-scores --max-length 3 | sed 's/.*WordScores= //' | awk 'NF > 3')"
takes --max-length 1 1099511627776
beyond --max-length '1 to 1099511627776' 0 -5 1099511627777 x
effect --length-penalty 'of scores' differs <(texts --n-best 1 --length-penalty 0) \
  <(texts --n-best 1 --length-penalty 2)
takes --length-penalty -3e38 -1 0 1e-40 3e38 -- -b 2
for wrong in nan inf -inf; do
  says "--length-penalty: expected a finite number, got $wrong" --length-penalty "$wrong"
done
says '--length-penalty: expected a finite number, got inf' --length-penalty 1e39
effect '--temperature --sampling-temperature' 'draws' same <(texts --temperature 3) \
  <(texts --sampling-temperature 3)
check '--temperature: others' differs <(texts --temperature 3) <(texts --temperature 1)
check '--temperature 0: the likeliest' same twenty.greedy <(texts --temperature 0)
check '--temperature 0 --seed 5 --top-k 3: the likeliest, too' same twenty.greedy \
  <(texts --temperature 0 --seed 5 --top-k 3 --top-p 0.5)
takes --temperature 0 1e-40 3.4e38 -- --max-length 9
for wrong in -1 nan inf -1e-40; do
  says "--temperature: expected a finite number, 0 or more, got $wrong" --temperature "$wrong"
done
effect '--top-k --sampling-topk' 'draws' same <(texts --top-k 3) <(texts --sampling-topk 3)
check '--top-k 1: the likeliest' same twenty.greedy <(texts --top-k 1)
check '--top-k beyond the vocabulary: all' same <(texts --top-k 0 --max-length 9) \
  <(texts --top-k 6002 --max-length 9)
takes --top-k 0 1 6001 2147483647 -- --max-length 9
beyond --top-k '0 to 2147483647' -1 2147483648 x
effect '--top-p --sampling-topp' 'draws' same <(texts --top-p 0.5) <(texts --sampling-topp 0.5)
check '--top-p 0: the likeliest' same twenty.greedy <(texts --top-p 0)
takes --top-p 0 1e-45 1 -- --max-length 9
for wrong in -0.5 1.5 nan inf; do
  says "--top-p: expected 0 to 1, got $wrong" --top-p "$wrong"
  says "--top-p: expected 0 to 1, got $wrong" --top-p "$wrong" --temperature 0
done
effect --seed 'draws' differs <(texts --seed 1) <(texts --seed 2)
check '--seed: the same again' same <(texts --seed 1) <(texts --seed 01)
takes --seed 0 18446744073709551615
check '--seed: the greatest is another one' differs <(texts --seed 18446744073709551615) \
  <(texts --seed 9223372036854775807)
beyond --seed '0 to 18446744073709551615' -1 18446744073709551616 1.5 x
for number in --length-penalty --temperature --top-p; do
  bounded+=("$number")
  for wrong in x '' 0x1 +1 ' 1' 1_; do
    says "$number: expected a number, got $wrong (see translate --help)" "$number" "$wrong"
  done
done
together='--temperature, --top-k, --top-p and --seed sample, with --beam-size 1'
for draw in '--temperature 0' '--top-k 5' '--top-p 1' '--seed 0'; do
  # shellcheck disable=SC2086
  says "$together" $draw --beam-size 2
done

# Output.
effect --n-best 'two of each' count_is 40 "$(texts --n-best 2 | wc -l)"
takes --n-best 1 1024 -- --beam-size 1024 --max-length 2
beyond --n-best '1 to 1024' 0 -1 1025 x
says '--n-best: expected 1 to 2, got 3' --n-best 3 --beam-size 2
says '--n-best: expected 1 to 4, got 5' --n-best 5
says '--n-best: expected 1, got 2' --n-best 2 --beam-size 1
says '--n-best: expected 1, got 2' --n-best 2 --temperature 0
check '--n-best of draws may be more than beams' count_is 8 \
  "$(translate --n-best 8 --seed 1 < one_line | wc -l)"
effect --word-scores 'a field' grep -q '||| WordScores= -' <(translate --word-scores < one_line)
effect --alignment 'a field' grep -q '||| [0-9]*-[0-9]*' <(translate --alignment < one_line)
effect --jsonl 'an object' grep -q '^{"id":0,' <(translate --jsonl < one_line)
translate --attention heads.json < one_line > with.heads
effect --attention 'a file' grep -q '"encoder_attention":\[\[\[\[0' heads.json
says '--attention: 1 required FILE.json missing (see translate --help)' --attention
translate --progress always < one_line > with.progress 2> progress.err
effect --progress 'on stderr' grep -aq '1 lines, ' progress.err
# passes OPTION...: the batches that twenty lines are.
passes() {
  translate -b 1 --threads 1 --profile "$@" < twenty 2>&1 > with.profile |
    awk '/^translation / { print $2 }'
}
translate --profile < one_line > with.profile 2> profile.err
effect --profile 'a table' grep -q '^translation ' profile.err
effect --flush 'line by line' count_is 20 "$(passes --flush line)"
check '--flush batch: all at once' count_is 1 "$(passes --flush batch)"

# How it is done.
parts() {
  printf 'Bonjour. Salut.\rMerci.\n' | translate --jsonl "$@" | grep -o '"source_pieces"' | wc -l
}
effect --split 'three sentences' count_is 3 "$(parts --split sentences)"
check '--split lines' count_is 2 "$(parts --split lines)"
check '--split none' count_is 1 "$(parts --split none)"
scores() { translate --word-scores "$@" < one_line; }
effect --weights 'other scores' differs <(scores) <(scores --weights int8)
check '--weights f16: those of the file' same <(scores) <(scores --weights f16)
effect --batch-size 'more batches' count_is 20 "$(passes --batch-size 1)"
check '--batch-size: one' count_is 1 "$(passes --batch-size 4000)"
takes --batch-size 1 1099511627776
beyond --batch-size '1 to 1099511627776' 0 -1 1099511627777 x
translate --threads 2 --profile < one_line > with.profile 2> profile.err
effect '-j --threads --intra-threads' 'two' grep -q '^profile: [a-z0-9]*, 2 threads, ' profile.err
check '-j: the same lines' same <(texts -j 1) <(texts --intra-threads 2)
takes --threads 1 1024
beyond --threads '1 to 1024' 0 -1 1025 x
translate --isa reference --profile < one_line > with.profile 2> profile.err
effect --isa 'those kernels' grep -q '^profile: reference, ' profile.err
check '--isa: the same bits' same <(scores) <(scores --isa reference)

# choice NAME WORDS WRONG: takes one of WORDS, a|b|c, and nothing else.
choice() {
  # shellcheck disable=SC2086
  [ "$1" = --progress ] || takes "$1" ${2//|/ }
  says "$1: expected $2, got $3 (see translate --help)" "$1=$3" --model none
}
choice --progress 'auto|always|never' yes
takes --progress auto never
choice --flush 'line|batch' often
choice --split 'sentences|lines|none' words
choice --weights 'f32|f16|bf16|int8' int4
choice --isa 'reference|portable|avx2|avxvnni|avx512|avx512vnni|amx|neon|neondot' mmx
bounded+=(--profile --input --output --model --attention)
says '--profile: expected layers, got each (see translate --help)' --profile=each

# Names by which nothing has been tried.
listed() { translate --help | sed -n "s/^  \(-[^ ]*\)$1.*/\1/p"; }
every_name_is_covered() {
  local name missing=0
  for name in $(listed '' | tr , '\n'); do
    [[ " ${covered[*]} " == *" $name "* ]] || { echo "$name: no effect" && missing=1; }
  done
  return "$missing"
}
every_value_has_bounds() {
  local names name missing=0
  for names in $(listed ' [^ ]'); do
    for name in ${names//,/ }; do
      [[ " ${bounded[*]} " == *" $name "* ]] && continue 2
    done
    echo "$names: no bounds"
    missing=1
  done
  return "$missing"
}
check 'every name of --help has an effect here' every_name_is_covered
check 'every option with a value has bounds here' every_value_has_bounds
check 'of all names' test "$(listed '' | wc -l)" -ge 20
says 'The following argument was not expected: --bogus (see translate --help)' --bogus
says 'The following argument was not expected: word (see translate --help)' word
