#!/bin/sh
# SPDX-License-Identifier: MIT
# arrows.sh INCLUDE TABLE: reads every header under INCLUDE/eigenformer and prints a line
# "FILE:LINE: what is wrong" for each broken rule of the house: arrows between folders (TABLE),
# macros, and what a library must not do to its host. Fails when it printed any.
# Comments and string literals are skipped. POSIX awk: mawk is what a small system has.
set -eu
include=$1
table=$2
test -r "$table"

find "$include/eigenformer" -name '*.hpp' -o -name '*.inl' | LC_ALL=C sort | {
  xargs awk -v root="$include/" -v table="$table" '
function wrong(why) { print FILENAME ":" FNR ": " why; found = 1 }

# The code of a line: without comments, and with string literals emptied.
function code(line,   out, start, stop) {
  out = ""
  while (line != "") {
    if (in_comment) {
      stop = index(line, "*/")
      if (!stop) return out
      in_comment = 0
      line = substr(line, stop + 2)
      continue
    }
    if (!match(line, /"|\/\/|\/\*/)) return out line
    start = RSTART
    out = out substr(line, 1, start - 1)
    if (substr(line, start, 2) == "//") return out
    if (substr(line, start, 2) == "/*") { in_comment = 1; line = substr(line, start + 2); continue }
    line = substr(line, start)
    if (match(line, /^"([^"\\]|\\.)*"/)) { out = out "\"\""; line = substr(line, RLENGTH + 1) }
    else return out
  }
  return out
}

function may_include(from, to) {
  return from == to || (from, to) in allowed || (from, "*") in allowed || ("*", to) in allowed
}

BEGIN {
  while ((getline line < table) > 0) {
    sub(/#.*/, "", line)
    count = split(line, words, /[ \t:]+/)
    if (count == 0 || words[1] == "") continue
    known[words[1]] = 1
    for (i = 2; i <= count; ++i) if (words[i] != "") allowed[words[1], words[i]] = 1
  }
}

FNR == 1 {
  in_comment = 0
  file = substr(FILENAME, length(root "eigenformer/") + 1)
  folder = file
  sub(/\/.*/, "", folder)
  if (!(folder in known)) wrong("the table of arrows has no line for " folder)
}

!in_comment && /^[ \t]*#[ \t]*include/ {
  target = $0
  sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", target)
  sub(/[">].*/, "", target)
  if (target ~ /^eigenformer\//) {
    to = substr(target, length("eigenformer/") + 1)
    sub(/\/.*/, "", to)
    if (!may_include(folder, to)) wrong(folder " must not include " target)
  } else if ($0 ~ /include[ \t]*"/) {
    wrong("include by its full path, eigenformer/...: " target)
  } else if (target ~ /^Eigen\// && target != "Eigen/Core") {
    wrong("of Eigen include <Eigen/Core> alone, not <" target ">")
  } else if (target ~ /nlohmann/ && file != "io/json_builder.hpp") {
    wrong("only io/json_builder.hpp includes " target)
  } else if (target ~ /^(iostream|regex)$/) {
    wrong("the library does without <" target ">")
  }
  next
}

{
  text = code($0)

  if (text ~ /^[ \t]*#[ \t]*define/) {
    macro = text
    sub(/^[ \t]*#[ \t]*define[ \t]+/, "", macro)
    sub(/[^A-Za-z0-9_].*/, "", macro)
    if (file == "core/macros.hpp") fine = macro ~ /^EIGENFORMER_/ || macro == "EIGEN_MPL2_ONLY"
    else if (file == "version.hpp") fine = macro ~ /^EIGENFORMER_VERSION_/
    else if (folder == "kernels") fine = macro ~ /^EIGENFORMER_TARGET/
    else fine = 0
    if (!fine) wrong("macros live in core/macros.hpp: " macro)
  }

  if (text ~ /std::(regex|cout|cerr|clog|cin)/) wrong("no std::regex and no standard streams")
  if (text ~ /(^|[^A-Za-z0-9_])(secure_)?getenv[ \t]*\(/) wrong("the library reads no environment")
  if (text ~ /(^|[^A-Za-z0-9_.>])(abort|exit|_exit|_Exit|quick_exit|terminate)[ \t]*\(/)
    wrong("the library never ends its host")
  if (text ~ /(^|[^A-Za-z0-9_])v?(f|s|sn|d)?w?printf[ \t]*\(/) wrong("printf follows the locale")
}

END { exit found }
' && status=0 || status=1
  exit "$status"
}
