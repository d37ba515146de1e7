# readme.sh README INCLUDE_DIR EIGEN_DIR WORK_DIR COMPILER: the README's program, as its reader would
# compile it, must print a matrix [3, 8].
set -eu
mkdir -p "$4"
sed -n '/^```cpp$/,/^```$/p' "$1" | sed '/^```/d' > "$4/readme.cpp"
"$5" -std=c++20 -O2 -I "$2" -I "$3" "$4/readme.cpp" -o "$4/readme"
"$4/readme" > "$4/readme.txt"
awk 'NF != 8 { exit 1 } END { exit NR != 3 }' "$4/readme.txt"
