#!/bin/sh
# SPDX-License-Identifier: MIT
# arrows_self_test.sh TABLE WORK: a guard that never fires guards nothing. Writes a small tree with
# every wrong that arrows.sh knows, marked WRONG in its line, beside lines that only look wrong, and
# checks that exactly the marked lines are found.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
table=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$2
tree="$work/include/eigenformer"
rm -rf "$work"
mkdir -p "$tree/core" "$tree/kernels/x86" "$tree/layers" "$tree/io" "$tree/generation" \
  "$tree/pipelines" "$tree/misplaced"

cat > "$tree/version.hpp" <<'END'
#define EIGENFORMER_VERSION_MAJOR 0
#define MAJOR 0                               // WRONG
END
cat > "$tree/core/macros.hpp" <<'END'
#define EIGENFORMER_UNROLL _Pragma("")
#define EIGEN_MPL2_ONLY
#define UNROLL _Pragma("")                    // WRONG
END
cat > "$tree/core/matrix.hpp" <<'END'
#include <Eigen/Core>
#include <vector>
#include "eigenformer/core/macros.hpp"
#include "eigenformer/version.hpp"
#include "eigenformer/layers/linear.hpp"      // WRONG
#  include <eigenformer/io/json.hpp>          // WRONG
#include "eigenformer/eigenformer.hpp"        // WRONG
#include "macros.hpp"                         // WRONG
#include <Eigen/Dense>                        // WRONG
#include <iostream>                           // WRONG
#include <regex>                              // WRONG
#define SQUARE(x) ((x) * (x))                 // WRONG
#define EIGENFORMER_TARGET_AVX2               // WRONG
// #include <iostream>, std::abort() and printf(...) in a comment are prose.
/* #define PROSE
#include <regex>
*/
inline const char* text() { return "std::abort() // \" exit(1)"; }
inline void member(Task& task) { task.abort(); task->exit(); may_abort(); my_printf_like(); }
inline void a() { std::abort(); }             // WRONG
inline void b() { ::exit(1); }                // WRONG
inline auto c() { return std::getenv("A"); }  // WRONG
inline void d() { std::printf("%f", 1.0); }   // WRONG
inline void e() { snprintf(p, n, "%f", x); }  // WRONG
inline void f() { std::cerr << 1; }           // WRONG
END
cat > "$tree/kernels/x86/matmul.hpp" <<'END'
#include "eigenformer/core/matrix.hpp"
#include "eigenformer/kernels/x86/matmul.inl"
#define EIGENFORMER_TARGET_AVX2
#define AVX2                                  // WRONG
END
cat > "$tree/kernels/x86/matmul.inl" <<'END'
#define EIGENFORMER_TARGET_AVX512
#include "eigenformer/layers/linear.hpp"      // WRONG
END
cat > "$tree/layers/linear.hpp" <<'END'
#include "eigenformer/kernels/x86/matmul.hpp"
#include "eigenformer/models/encoder.hpp"     // WRONG
#include <nlohmann/json.hpp>                  // WRONG
END
cat > "$tree/io/json_builder.hpp" <<'END'
#include <nlohmann/json.hpp>
END
cat > "$tree/generation/beam_search.hpp" <<'END'
#include "eigenformer/models/interfaces.hpp"
#include "eigenformer/layers/linear.hpp"      // WRONG
#include "eigenformer/tokenizers/tokens.hpp"  // WRONG
END
cat > "$tree/pipelines/translator.hpp" <<'END'
#include "eigenformer/generation/beam_search.hpp"
#include "eigenformer/io/json.hpp"
END
printf '#pragma once  // WRONG: no such folder\n' > "$tree/misplaced/thing.hpp"

(cd "$work" && grep -rn 'WRONG' include) | cut -d: -f1,2 | LC_ALL=C sort > "$work/expected"
if (cd "$work" && sh "$here/arrows.sh" include "$table") > "$work/output"; then
  echo "arrows.sh accepts a tree that is full of wrongs"
  exit 1
fi
cut -d: -f1,2 "$work/output" | LC_ALL=C sort > "$work/found"
diff "$work/expected" "$work/found" || {
  echo "'<' was not found, '>' was found and is not wrong"
  exit 1
}
echo "$(wc -l < "$work/expected") wrongs, each found"
