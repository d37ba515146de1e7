#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# readme_commands.sh SOURCE_DIR WORK_DIR: runs every line of the README's sh blocks in the source's
# folder, in order; where a text block follows, the output must be that. Commands that build and run
# all tests are left to who runs this one.
set -euo pipefail
cd "$1"
work=$2
rm -rf "$work"
mkdir -p "$work"
awk -v work="$work" '/^```sh$/ { file = work "/" ++n ".sh"; next }
                     /^```text$/ { file = work "/" n ".txt"; next }
                     /^```/ { file = "" }
                     file { print > file }' README.md
ran=0
for block in "$work"/*.sh; do
  while read -r command; do
    case $command in
      scripts/test | 'cmake --preset'* | build/release/*) continue ;;
      parallel*) command -v parallel > /dev/null || { echo "skipped: $command"; continue; } ;;
    esac
    echo "\$ $command"
    bash -euo pipefail -c "$command" < /dev/null > "$work/output" || {
      echo "failed with $?: $command"
      exit 1
    }
    ran=$((ran + 1))
    if [ -e "${block%.sh}.txt" ]; then diff "${block%.sh}.txt" "$work/output"; fi
  done < "$block"
done
echo "$ran commands"
test "$ran" -ge 6
