# SPDX-License-Identifier: MIT
# readme.sh SOURCE_DIR EIGEN_DIR WORK_DIR COMPILER: the programs of README.md and of
# docs/getting-started.md, compiled as their reader would (but not optimised, to save time) and run
# in the source's folder, but for the last, which writes a file.
set -eu
source=$1 eigen=$2 work=$3 compiler=$4
rm -rf "$work"
mkdir -p "$work"
awk -v work="$work" '/^```cpp$/ { file = work "/" ++n ".cpp"; next }
                     /^```$/ { file = "" }
                     file { print > file }' "$source/README.md" "$source/docs/getting-started.md"
test "$(ls "$work" | wc -l)" = 4
cmp "$work/1.cpp" "$work/3.cpp"  # the first program of both
cd "$source"
for program in "$work/1" "$work/2" "$work/4"; do
  "$compiler" -std=c++20 -O0 -I include -I "$eigen" "$program.cpp" -o "$program" -pthread
done
"$work/1" > "$work/1.txt"
"$work/2" > "$work/2.txt"
test "$(cat "$work/1.txt")" = "I'm a student."
# A matrix [3, 8].
awk 'NF != 8 { exit 1 } END { exit NR != 3 }' "$work/2.txt"
cd "$work"
ln -s "$source/models" models
./4
grep -q '<title>Attention: Le chat dort' page.html
