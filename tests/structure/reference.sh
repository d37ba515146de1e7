#!/bin/sh
# SPDX-License-Identifier: MIT
# reference.sh PROJECT DOXYGEN: the reference can be made, without a warning, and its first page leads
# to every name that it mentions.
set -eu
cd "$1"
"$2" docs/reference/Doxyfile
failures=0
for name in $(grep -o 'eigenformer::[A-Za-z_:]*' docs/reference/README.md | sort -u); do
  grep -q "href=\"[^\"]*\"[^>]*>$name" build/reference/index.html && continue
  echo "no link: $name"
  failures=$((failures + 1))
done
[ "$failures" -eq 0 ]
