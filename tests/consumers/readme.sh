# SPDX-License-Identifier: MIT
# readme.sh SOURCE_DIR EIGEN_DIR WORK_DIR COMPILER: the README's programs, compiled as their reader
# would (but not optimised, to save time) and run in the source's folder.
set -eu
source=$1 eigen=$2 work=$3 compiler=$4
rm -rf "$work"
mkdir -p "$work"
awk -v work="$work" '/^```cpp$/ { file = work "/" ++n ".cpp"; next }
                     /^```$/ { file = "" }
                     file { print > file }' "$source/README.md"
test "$(ls "$work" | wc -l)" = 2
cd "$source"
for program in "$work/1" "$work/2"; do
  "$compiler" -std=c++20 -O0 -I include -I "$eigen" "$program.cpp" -o "$program" -pthread
  "$program" > "$program.txt"
done
test "$(cat "$work/1.txt")" = "I'm a student."
# A matrix [3, 8].
awk 'NF != 8 { exit 1 } END { exit NR != 3 }' "$work/2.txt"
