# SPDX-License-Identifier: MIT
# Part of the tests of recipes for many processes.

# corpus MODEL: a text of some hundred lines, all different in length and place, with what readers
# of lines disagree on: empty lines, other line ends, bytes that are not UTF-8, and no last "\n".
corpus() {
  tail -n +2 "$1/expected.tsv" | cut -f 1 > corpus.lines
  printf '\357\273\277Bonjour.\n'
  for round in 1 2 3; do
    awk -v round="$round" '{ print (NR % (round + 2) ? "" : "Bonjour. ") $0 }
      NR % 17 == round { print "" } NR % 29 == round { print "  " }' corpus.lines
    printf '\n\n\r\nCR LF\r\ndeux\r\r\nun\rseul\n\f\v\n'
    printf 'Fin \302\205 de \342\200\250 ligne \342\200\251 large.\n'
    printf 'Je suis \377 \342\202 \300\257 \355\240\200 \364\220\200\200 étudiant.\nna\000ïf\n'
  done
  printf 'Sans fin de ligne'
}
