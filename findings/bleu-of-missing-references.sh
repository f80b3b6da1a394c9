#!/usr/bin/env bash
# sacrebleu 2.6.0: corpus_bleu, corpus_chrf and corpus_ter score only as many sentences as the shorter of outputs
# and references has, and say nothing about the rest. The same happens when the references are nested one list per
# sentence, which is how nltk takes them: only the first sentence is scored. One would expect an error about the
# lengths. It matters because a file that was cut off, or a wrong nesting, gives a better score than the whole;
# here a wrong translation disappears and BLEU is 100.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile sacrebleu==2.6.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import sacrebleu


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


print("sacrebleu", sacrebleu.__version__)
outputs = ["the cat sat on the mat", "it rained all day long"]
references = ["the cat sat on the mat", "he sang a song for them"]
scores = sacrebleu.corpus_bleu, sacrebleu.corpus_chrf, sacrebleu.corpus_ter
for what, given, described in (
    ("two outputs, two references", (outputs, [references]), [51.8, 54.1, 50.0]),
    ("two outputs, one reference", (outputs, [references[:1]]), [100, 100, 0]),
    ("one output, two references", (outputs[:1], [references]), [100, 100, 0]),
    ("two outputs, references nested by sentence", (outputs, [[r] for r in references]), [100, 100, 0]),
):
    check(f"{what}: BLEU, chrF, TER", [round(score(*given).score, 1) for score in scores], described)
PY
