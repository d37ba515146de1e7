# SPDX-License-Identifier: MIT
# Part of translate.sh: --profile, a table of where time went that changes nothing else.

translate -b 1 --profile --threads 1 < twenty > got.profiled 2> profile.err
check '--profile: the text' same twenty.greedy got.profiled
check '--profile: kernels, threads, sentences, tokens' \
  grep -qE '^profile: [a-z0-9]+, 1 thread, [0-9]+ sentences, [1-9][0-9]+ tokens$' profile.err
check '--profile: what the machine can do' \
  grep -qE '^a thread at best: [0-9.]+ GB/s from .* GB/s from .* GOP/s f32' profile.err
number='[0-9.]+'
check '--profile: all columns' grep -qE \
  "^ +product( [a-z0-9]+)? +[0-9]+ +$number +$number% +$number +$number +$number +[1-9][0-9]*%$" \
  profile.err
check '--profile: all is in one pass' grep -qE "^translation +[0-9]+ +$number +100.0% " profile.err
for pass in encoder memory generation decoder layers self-attention cross-attention feed-forward \
  norm attention 'cache write' 'cache extend' output reorder itself; do
  check "--profile: $pass" grep -qE "^ +$pass +[0-9]+ +$number +$number%" profile.err
done
check '--profile: layers are one' count_is 0 "$(grep -c 'layer [0-9]' profile.err)"
# Passes without others within them, and what the others did themselves.
sums_up() {
  sed -n '/^translation/,$p' profile.err | sed -E 's/^( *)([a-z0-9-]+ )+ */\1/' | awk '
    { match($0, /^ */); depth = RLENGTH; time = $2 }
    NR == 1 { all = time }
    NR > 1 && depth <= last_depth { sum += last_time }
    { last_depth = depth; last_time = time }
    END { sum += last_time; print "all", all, "sum", sum
          exit !(all > 0 && sum > 0.97 * all && sum < 1.01 * all) }'
}
check '--profile: it sums up' sums_up

translate -b 1 --profile=layers --threads 2 < twenty > got.profiled 2> profile.err
check '--profile=layers: the text' same twenty.greedy got.profiled
check '--profile=layers: threads' grep -q '^profile: .*, 2 threads, ' profile.err
for layer in 0 1 2 3; do
  check "--profile=layers: layer $layer" grep -qE "^ +layer $layer +[0-9]" profile.err
done
check '--profile=layers: it sums up' sums_up
translate --profile < /dev/null > got.profiled 2> profile.err
check '--profile of nothing' count_is 3 "$(wc -l < profile.err)"
translate --profile --n-best 2 < one_line 2> ignored > got.profiled
check '--profile: the n-best' same <(translate --n-best 2 < one_line) got.profiled
for usage in '--profile=often' '--profile often' '--profile layers each'; do
  # shellcheck disable=SC2086
  refuses 2 "translate $usage" translate $usage
done
