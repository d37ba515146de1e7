#!/bin/sh
# SPDX-License-Identifier: MIT
# doors.sh WORK INCLUDE COMPILER FLAG...: what cannot compile the library correctly is refused with
# the reason. Compilers that are not here are played by their predefined macros.
set -eu
work=$1
include=$2
shift 2
mkdir -p "$work"
failures=0

compile() {
  echo '#include "eigenformer/core/macros.hpp"' | "$@" -I "$include" -fsyntax-only -x c++ -
}

# refused TEXT FLAG...: with the flags, the compiler fails and prints an #error with the text.
refused() {
  text=$1
  shift
  if compile $compiler "$@" > "$work/output" 2>&1; then
    echo "accepted, and should be refused: $*"
    failures=$((failures + 1))
  elif ! grep 'error' "$work/output" | grep -qF "$text"; then
    echo "refused without '$text': $*"
    cat "$work/output"
    failures=$((failures + 1))
  fi
}

compiler=$*
for standard in c++20 gnu++20 c++2b; do
  compile $compiler -std=$standard -Werror || failures=$((failures + 1))
done
compile $compiler -std=c++20 -O3 -DNDEBUG -Werror || failures=$((failures + 1))

refused 'needs C++20' -std=c++17
refused 'without -ffast-math' -std=c++20 -ffast-math
refused 'without -ffast-math' -std=c++20 -Ofast
refused 'without -ffast-math' -std=c++20 -ffinite-math-only
case $($compiler --version) in
  *clang*) ;;  # tells the preprocessor nothing of these, or refuses them itself
  *)
    refused 'without -funsafe-math-optimizations' -std=c++20 -funsafe-math-optimizations
    if [ "$(uname -m)" = x86_64 ]; then refused 'no -mfpmath=387' -std=c++20 -mfpmath=387; fi
    ;;
esac
refused 'without -fno-exceptions' -std=c++20 -fno-exceptions
refused 'little-endian machines only' -std=c++20 -U__BYTE_ORDER__ -D__BYTE_ORDER__=4321
refused 'needs g++ 12 or later' -std=c++20 -U__clang__ -U__GNUC__ -D__GNUC__=11
refused 'needs clang 14 or later' -std=c++20 -U__clang__ -U__clang_major__ -D__clang__=1 \
  -D__clang_major__=13
refused 'no other compiler has been tested' -std=c++20 -U__clang__ -U__GNUC__

if [ "$failures" -ne 0 ]; then
  echo "$failures doors failed"
  exit 1
fi
echo "every door holds"
