#!/usr/bin/env bash
# nltk 3.10.4: Tree.chomsky_normal_form followed by un_chomsky_normal_form is not the identity. The way back takes
# each label with a "|" for a node that binarising made, and removes it, and each "+" for a chain of nodes; since
# the Penn Treebank itself has labels like "PRT|ADVP", gold constituents vanish without an error. One would expect
# the same tree, or an error on the way there. It matters because parsers are trained on binarised trees and
# scored after the way back: their recall is then measured against trees that lost brackets.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile nltk==3.10.4
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import nltk
from nltk import Tree


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


print("nltk", nltk.__version__)
for written, described in (
    ("(S (NP he) (VP (VBD sat) (NP then) (PP there)))", "(S (NP he) (VP (VBD sat) (NP then) (PP there)))"),
    ("(VP (VBD sat) (PRT|ADVP (RP down)) (NP then))", "(VP (VBD sat) (RP down) (NP then))"),
    ("(NP (DT a) (NN+POS cat's) (NN toy))", "(NP (DT a) (NN (POS cat's)) (NN toy))"),
):
    tree = Tree.fromstring(written)
    tree.chomsky_normal_form()
    print("binarised:", tree.pformat(margin=1000))
    tree.un_chomsky_normal_form()
    check(f"{written}, there and back", tree.pformat(margin=1000), described)
PY
