#!/usr/bin/env bash
# editdistance 0.8.1: the distance of two sequences compares the hashes of their elements and never the elements.
# In CPython -1 and -2 have the same hash, and so have 0 and 2**61 - 1, hence [-1] and [-2] are at distance 0.
# nltk 3.10.4 says 1; rapidfuzz 3.14.6 tells -1 from -2 too, but also takes 0 for 2**61 - 1. One would expect that
# two elements match only if they are equal. It matters because error rates are often computed over label numbers,
# where negative numbers mark padding, unknown words or blanks: confusing two such labels costs nothing.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile editdistance==0.8.1 nltk==3.10.4 rapidfuzz==3.14.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import importlib.metadata
import sys

import editdistance
import nltk
from rapidfuzz.distance import Levenshtein


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


for package in ("editdistance", "nltk", "rapidfuzz"):
    print(package, importlib.metadata.version(package))
for first, second, described, fuzzy in (
    ([3, 5], [3, 6], 1, 1),
    ([3, -1], [3, -2], 0, 1),
    ([0], [2**61 - 1], 0, 0),
):
    check(f"editdistance of {first} and {second}", editdistance.eval(first, second), described)
    check("  nltk", nltk.edit_distance(first, second), 1)
    check("  rapidfuzz", Levenshtein.distance(first, second), fuzzy)
PY
