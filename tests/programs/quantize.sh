#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# quantize.sh QUANTIZE TRANSLATE MODEL WORK: what `quantize` promises. MODEL is fr-en-small, with
# its expected.tsv. Prints each promise that does not hold, and fails.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
. "$here/checks.sh"
quantize=$(realpath "$1") translate=$(realpath "$2") model=$(realpath "$3")
in_empty "$4"

# quantizes STATUS ARGUMENT...: quantize ends so, with one line of a message if not well.
quantizes() {
  local status=$1
  shift
  ends "$status" "$quantize" "$@" || return 1
  if [ "$status" -eq 0 ]; then
    [ ! -s run.err ]
  else
    [ ! -s run.out ] && [ "$(wc -l < run.err)" -eq 1 ] && grep -q '^quantize: ' run.err
  fi
}

# only FOLDER NAMES: the folder has these files, and no others.
only() { [ "$(ls -A "$1")" = "$2" ] || { ls -A "$1"; return 1; }; }
absent() { [ ! -e "$1" ] && [ -z "$(find . -name '*.tmp')" ]; }

tail -n +2 "$model/expected.tsv" | head -n 24 | cut -f 1 > source
# translated OPTION...: what the options make of the lines.
translated() { "$translate" --beam-size 1 "$@" < source; }

check 'default' quantizes 0 "$model" small
check 'default: no output' test ! -s run.out
files='LICENSE README.md config.json generation_config.json source.spm special_tokens_map.json
target.spm tokenizer_config.json vocab.json'
check 'the files' only small "$(printf '%s\n' $files model.safetensors | sort)"
for file in $files; do
  check "$file: as it was" cmp "$model/$file" "small/$file"
done
half_as_large() {
  local before after
  before=$(wc -c < "$model/model.safetensors") after=$(wc -c < small/model.safetensors)
  [ $((100 * after)) -lt $((53 * before)) ] || { echo "$before bytes, then $after"; return 1; }
}
check 'half as large as f16' half_as_large

translated --model "$model" --weights int8 > expected.int8
check 'all lines are there' test "$(wc -l < expected.int8)" = 24
check 'translates as translate --weights int8' cmp expected.int8 <(translated --model small)
check 'the same when asked for' cmp expected.int8 <(translated --model small --weights int8)
"$translate" --model "$model" --weights int8 --n-best --word-scores < source > expected.beams
check 'and so with beams, scores included' cmp expected.beams \
  <("$translate" --model small --n-best --word-scores < source)
check 'int8 read as f32 translates, too' test \
  "$(translated --model small --weights f32 | wc -l)" = 24

check 'again' quantizes 0 small again
check 'again: the same file' cmp small/model.safetensors again/model.safetensors
for storage in f16 bf16 f32; do
  check "$storage" quantizes 0 "$model" "$storage" --weights "$storage"
  check "$storage: translates as translate --weights $storage" cmp \
    <(translated --model "$model" --weights "$storage") <(translated --model "$storage")
done

# OUT is new, or empty.
cp -r small before
check 'OUT is not empty' quantizes 2 "$model" small
check 'IN is OUT' quantizes 2 small small
check 'IN is OUT by another name' quantizes 2 small ./again/../small/
echo > file
check 'OUT is a file' quantizes 2 "$model" file
ln -s nowhere dangling
check 'OUT is a link to nothing' quantizes 2 "$model" dangling
check 'refused: nothing has changed' diff -r before small
mkdir empty
check 'OUT is empty' quantizes 0 "$model" empty
check 'OUT is empty: the same' diff -r small empty
check 'OUT with a slash' quantizes 0 "$model" slash/
check 'OUT with a slash: the same' diff -r small slash

# A hub's cache has links, and a folder may hold anything.
mkdir -p links/tokenizer.json
ln -s "$model"/* links
mkfifo links/vocab.txt
check 'links' quantizes 0 links of_links
check 'links: the same files' diff -r small of_links
check 'links: no links' test -z "$(find of_links -type l)"

# What fails leaves nothing.
fails() {
  local what=$1
  shift
  mkdir -p kept
  check "$what" quantizes 1 "$@" none
  check "$what: leaves nothing" absent none
  check "$what, into an empty folder" quantizes 1 "$@" kept
  check "$what, into an empty folder: leaves it empty" only kept ''
}
fails 'no such IN' missing
fails 'an empty IN' kept
fails 'a file as IN' file
for broken in config.json model.safetensors; do
  mkdir "broken_$broken"
  ln -s "$model"/* "broken_$broken"
  rm "broken_$broken/$broken"
  head -c 1000 "$model/$broken" > "broken_$broken/$broken"
  fails "$broken cut short" "broken_$broken"
done
check 'no folder for OUT' quantizes 1 "$model" missing/out
# As on a full disk: no file may be larger than this.
small_files() {
  (
    trap '' XFSZ
    ulimit -f 4000
    quantizes 1 "$@"
  )
}
check 'no room for the weights' small_files "$model" none
check 'no room for the weights: leaves nothing' absent none
check 'no room for the weights, into an empty folder' small_files "$model" kept
check 'no room for the weights, into an empty folder: leaves it empty' only kept ''

for usage in '' "$model" "$model a b" "$model a --weights int4" "$model a --weights" \
  "$model a --bogus"; do
  # shellcheck disable=SC2086
  check "quantize $usage: exit status 2" quantizes 2 $usage
done
check 'usage: leaves nothing' absent a
says() {
  check "quantize: says $1" test "$(cat run.err)" = "quantize: $1 (see quantize --help)"
}
quantizes 2 > ignored
says 'IN is required'
quantizes 2 "$model" > ignored
says 'OUT is required'
quantizes 2 "$model" a --weights int4 > ignored
says '--weights: expected f32|f16|bf16|int8, got int4'
quantizes 2 "$model" a --weights > ignored
says '--weights: 1 required f32|f16|bf16|int8 missing'
quantizes 2 "$model" a b > ignored
says 'The following argument was not expected: b'
check 'every option has a check here' only_options "$quantize" -h --help --version --weights
check '-h: that is --help' cmp <("$quantize" -h) <("$quantize" --help)
for option in --help --version; do
  check "$option" quantizes 0 $option
  check "$option: on stdout" test -s run.out
done

finish
