# SPDX-License-Identifier: MIT
# Part of translate.sh: exit statuses 1 (data), 2 (usage) and 3 (model).

for usage in --bogus word '--beam-size x' '--beam-size 0' '--beam-size 4.5' '--n-best 0' \
  '--n-best 3 --beam-size 2' '--max-length 0' '--length-penalty nan' '--temperature -1' \
  '--temperature nan' '--top-p 3' '--top-k -1' '--seed -1' '--seed 1 --beam-size 4' \
  '--temperature 0 --beam-size 4' '--threads 0' '--threads 5000' '--batch-size 0' '--weights int4' \
  '--split words' '--progress no' '--flush often' '--isa mmx' --input '-i one_line -o one_line'; do
  # shellcheck disable=SC2086
  refuses 2 "translate $usage" translate $usage
done
cp one_line in_place
in_place() { translate < in_place >> in_place; }
refuses 2 'the output is the input' in_place
refuses 2 'attention into the input' translate -i in_place --attention in_place
check 'the input is as it was' same one_line in_place
refuses 2 'attention into the output' translate -o both --attention both
check '-i and -o the same: the file is as it was' same <(echo 'Je suis étudiant.') one_line
refuses 2 'EIGENFORMER_ISA=mmx' env EIGENFORMER_ISA=mmx "$program" --model "$model"

refuses 1 'no such input' translate -i missing
refuses 1 'a folder as input' translate -i .
refuses 1 'no such folder for the output' translate -o missing/file
refuses 1 'no such folder for attention' translate --attention missing/file
closed_input() { translate <&-; }
refuses 1 'a closed stdin' closed_input
closed_output() { translate "$@" >&-; }
refuses 1 'a closed stdout' closed_output
refuses 1 'a closed stdout: attention' closed_output --attention attention.closed
check 'a closed stdout: no text among the attention' \
  awk '!/^[][{}]/ { exit 1 }' attention.closed
closed_error() { printf 'Je suis \377 étudiant.\n' | "$program" --model "$model" -o alone 2>&-; }
run closed_error
check 'a closed stderr: no message in the output' test "$(wc -l < alone)" = 1
if [ -w /dev/full ]; then
  full() { translate "$@" > /dev/full; }
  refuses 1 'a full disk' full
  refuses 1 'a full disk, line by line' full --flush line
  refuses 1 'a full disk: --help' full --help
  refuses 1 'a full disk: --version' full --version
  refuses 1 'a full disk: attention' full --attention /dev/full
else
  skip '/dev/full is not here'
fi

# A line over LoadLimits::text_bytes, 16 MiB: those before it are translated.
{ cat one_line; echo; head -c 17000000 /dev/zero | tr '\0' a; echo; } > endless
run translate < endless
check 'a line that is too long: exit status 1 and a message' ended 1
check 'a line that is too long: is named' grep -q 'line 3: ' run.err
check 'a line that is too long: those before it' same <(printf "I'm a student.\n\n") run.out

# like MODEL: another folder with the same files.
like() {
  mkdir -p "$1"
  ln -sf "$model"/*.json "$model"/*.spm "$model"/model.safetensors "$1"
}
like nan
make_nan nan "$model"
run "$program" --model nan < <(printf '\n \nUn.\n')
check 'NaN: exit status 1 and a message' ended 1
check 'NaN: the line is named' grep -q 'line 3: ' run.err
check 'NaN: lines before it' same <(printf '\n \n') run.out

refuses 3 'no model' "$program" --model missing
refuses 3 'a file as model' "$program" --model one_line
refuses 3 'an empty folder as model' "$program" --model .
for file in config.json model.safetensors source.spm vocab.json; do
  like broken
  rm broken/$file
  head -c 100 "$model/$file" > broken/$file
  refuses 3 "$file cut short" "$program" --model broken
done
like beams_of_folder
rm beams_of_folder/generation_config.json
sed 's/"num_beams": 4/"num_beams": 5000/' "$model/generation_config.json" \
  > beams_of_folder/generation_config.json
refuses 3 'a folder that asks for 5,000 beams' "$program" --model beams_of_folder
