#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mpi.sh MPIEXEC MPI_TRANSLATE TRANSLATE MODEL WORK: what `mpi_translate` promises: the bytes of one
# process, and an end whatever happens to a worker. Prints what does not hold, and fails.
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
. "$here/checks.sh"
mpiexec=$1 mpi_translate=$(realpath "$2") program=$(realpath "$3") model=$(realpath "$4")
in_empty "$5"
. "$here/corpus.sh"

# Of Open MPI: more processes than processors; and in a container, as root, where a process may not
# read another's memory.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none \
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

translate() { "$program" --model "$model" --threads 1 "$@" 2> ignored; }
# mpi PROCESSES OPTION...: as translate, on these.
mpi() {
  local processes=$1
  shift
  timeout 60 "$mpiexec" -n "$processes" "$mpi_translate" --model "$model" "$@" 2> mpi.err
}
# mpi_ends STATUS TEXT PROCESSES OPTION...: it ends so, and rank 0 says so, once.
mpi_ends() {
  local status=$1 text=$2 got=0
  shift 2
  mpi "$@" > mpi.out < /dev/null || got=$?
  cat mpi.err
  [ "$got" -eq "$status" ] || { echo "expected status $status, got $got"; return 1; }
  [ "$(grep -c '^mpi_translate: ' mpi.err)" = 1 ] && grep -qF -- "$text" mpi.err
}

corpus "$model" > text
translate -b 1 < text > expected
check 'the text has some hundred lines' test "$(wc -l < expected)" -gt 300
for run in '2 777' '4 1' '3 5000' '3 65536'; do
  read -r processes block <<< "$run"
  mpi "$processes" -b 1 --block-size "$block" -i text -o got
  check "$processes processes, blocks of $block: exit status 0" test $? -eq 0
  check "$processes processes, blocks of $block" cmp expected got
done
check 'bytes that are not UTF-8 are counted, once' test "$(grep U+FFFD mpi.err)" = \
  'mpi_translate: bytes that were not UTF-8 became U+FFFD 33 times'
mpi 2 -i /dev/null -o got
check 'an empty file: exit status 0' test $? -eq 0
check 'an empty file' test ! -s got
mpi 3 -b 1 --block-size 777 --weights int8 --threads 2 -i text -o got
check 'int8, two threads' cmp <(translate -b 1 --weights int8 < text) got

# like MODEL: another folder with the same files.
like() {
  mkdir "$1"
  ln -s "$model"/*.json "$model"/*.spm "$model"/model.safetensors "$1"
}
# Draws depend on the number of a line, wherever a block begins.
like sampled
rm sampled/generation_config.json
sed 's/"num_beams": 4/"num_beams": 1, "do_sample": true/' "$model/generation_config.json" \
  > sampled/generation_config.json
translate -m sampled < text > expected.sampled
check 'sampling draws' test "$(cksum < expected)" != "$(cksum < expected.sampled)"
mpi 3 -m sampled --block-size 777 -i text -o got
check 'sampling' cmp expected.sampled got

# What mpirun reads and writes for rank 0 may be lost, or one file.
check 'standard input' mpi_ends 2 '--input is required' 3 -o got
check 'standard output' mpi_ends 2 '--output is required' 3 -i text
check 'no workers' mpi_ends 2 'mpirun -n' 1 -i text -o got
check 'usage' mpi_ends 2 bogus 3 -i text -o got --bogus
check 'usage: weights' mpi_ends 2 'got int4' 3 -i text -o got --weights int4
whole() { check "usage: $1 $2" mpi_ends 2 "$1: expected $3, got $2" 3 -i text -o got "$1=$2"; }
whole --beam-size 0 '1 to 1024'
whole --beam-size 1025 '1 to 1024'
whole --threads 0 '1 to 1024'
whole --threads 1025 '1 to 1024'
whole --block-size 0 '1 to 524288'
whole --block-size 524289 '1 to 524288'
# shellcheck disable=SC2016
one_rank_differs() {
  timeout 30 "$mpiexec" -n 3 bash -c \
    '[ "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" != 2 ] || set -- "$@" --bogus; exec "$@"' \
    - "$mpi_translate" -m "$model" -i text -o got > mpi.out 2> mpi.err
  [ $? -eq 2 ] && [ "$(grep -c '^mpi_translate: .*bogus' mpi.err)" = 1 ]
}
check 'usage: of one rank' one_rank_differs
check '--help' grep -q -- --resume <(mpi 3 --help)
check 'no such input' mpi_ends 1 'cannot open missing' 3 -i missing -o got
cp text kept
check 'no such model' mpi_ends 3 'missing' 3 -m missing -i text -o kept
check 'no such model: the output is as it was' cmp text kept
check 'the input is the output' mpi_ends 2 'same file' 3 -i kept -o kept
check 'the input is the output: it is as it was' cmp text kept
{ yes '' | head -n 50; head -c 17000000 /dev/zero | tr '\0' a; printf '\nUn.\n'; } > endless
check 'a line that is too long' mpi_ends 1 'line 51: longer than' 3 -i endless -o got --block-size 7
check 'a line that is too long: those before it' cmp <(head -n 50 endless) got
like nan
make_nan nan "$model"
{ yes '' | head -n 50; yes 'Un.' | head -n 50; } > bad
check 'NaN' mpi_ends 1 'line 51: the model computes' 4 -m nan -i bad -o got --block-size 7
check 'NaN: the lines before it' cmp <(head -n 50 bad) got

# A worker is killed: the run ends, and goes on where it was.
for copy in 1 2 3; do cat text; echo; done > long
translate -b 1 < long > expected.long
# shellcheck disable=SC2016
timeout 60 "$mpiexec" -n 3 bash -c 'echo $$ > "pid.${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"; exec "$@"' \
  - "$mpi_translate" -m "$model" -b 1 -i long -o killed --block-size 500 > mpi.out 2> mpi.err &
until [ -s killed ] || ! kill -0 $! 2> ignored; do sleep 0.01; done
kill -KILL "$(cat pid.2)"
killed_at=$SECONDS
wait $!
check 'a killed worker: exit status' test $? -ne 0
check 'a killed worker: within seconds' test $((SECONDS - killed_at)) -lt 10
written=$(wc -c < killed)
check 'a killed worker: something is left to do' test "$written" -lt "$(wc -c < expected.long)"
check 'a killed worker: what is written is right' cmp killed <(head -c "$written" expected.long)
check 'a killed worker: whole lines' test "$(tail -c 1 killed | od -An -c | tr -d ' ')" = '\n'
mpi 3 -b 1 -i long -o killed --resume
check '--resume: exit status 0' test $? -eq 0
check '--resume' cmp expected.long killed
mpi 3 -b 1 -i long -o killed --resume
check '--resume of what is done' cmp expected.long killed
for one in 'mpi 3' translate; do
  head -c "$((written / 2))" expected.long > killed
  $one -b 1 -i long -o killed --resume
  check "$one --resume within a line" cmp expected.long killed
done
echo 'Another.' > killed
check '--resume of something else' mpi_ends 1 'is not what this input gives' 3 -b 1 -i long -o killed \
  --resume

finish
