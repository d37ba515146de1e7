#!/bin/sh
# SPDX-License-Identifier: MIT
# header_alone.sh HEADER COMPILER FLAG...: the header compiles with nothing before it, and twice,
# and leaves no macro of the kernels' behind.
set -eu
header=$1
shift
"$@" -fsyntax-only -x c++ - << END
#include "$header"
#include "$header"
#if defined(EIGENFORMER_TARGET)
#error "EIGENFORMER_TARGET is still defined"
#endif
END
