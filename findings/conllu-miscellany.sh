#!/usr/bin/env bash
# conllu 6.0.0 and pyconll 3.3.1: reading a CoNLL-U file and writing it again changes the last column (MISC), in
# each reader in another place. conllu ends a value at a second "=" and writes an empty one as "_"; pyconll takes
# a comma for a list of alternatives, which it sorts, so that a gloss has its words in another order. Neither
# warns. One would expect the bytes that were read, as for all other columns here. It matters because treebanks
# keep glosses, links and alignments in this column, and a preprocessing step before training silently spoils
# them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile conllu==6.0.0 pyconll==3.3.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import importlib.metadata
import sys

import conllu
import pyconll


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


for package in ("conllu", "pyconll"):
    print(package, importlib.metadata.version(package))
for given, from_conllu, from_pyconll in (
    ("SpaceAfter=No", "SpaceAfter=No", "SpaceAfter=No"),
    ("Link=page?id=7", "Link=page?id", "Link=page?id=7"),
    ("Note=", "Note=_", "Note"),
    ("Gloss=to, be, or", "Gloss=to, be, or", "Gloss= be, or,to"),
):
    line = f"1\tword\tword\tNOUN\t_\t_\t0\troot\t_\t{given}\n\n"
    check(f"{given}, from conllu", conllu.parse(line)[0].serialize().split("\t")[-1].strip(), from_conllu)
    check(
        f"{given}, from pyconll", pyconll.load_from_string(line).conll().split("\t")[-1].strip(), from_pyconll
    )
PY
