#!/usr/bin/env bash
# gensim 4.4.0: a file of word vectors in which one word stands twice is read with a warning in the log, but the
# result has a word None with a vector of zeros for each such line, and what it saves again cannot be read by
# gensim itself: the header counts the None, the body has no line for it. A phrase with a space, which add_vectors
# takes, is written such that reading fails as well. One would expect the word once and a correct count, or an
# error where the mistake is. It matters because embedding files are merged and deduplicated by hand, and len() of
# the result is what a network makes its table from: the zero row is never reached by any word.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 gensim==4.4.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import gensim
import numpy as np
from gensim.models import KeyedVectors


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


def reread(vectors):
    vectors.save_word2vec_format("again.txt")
    with open("again.txt") as file:
        print("  written:", file.read().splitlines())
    try:
        return KeyedVectors.load_word2vec_format("again.txt").index_to_key
    except (EOFError, ValueError) as error:
        return str(error).partition(";")[0]


print("gensim", gensim.__version__)
with open("words.txt", "w") as file:
    file.write("3 2\nthe 1 2\nthe 3 4\ncat 5 6\n")
vectors = KeyedVectors.load_word2vec_format("words.txt")
check("words of a file with the, the, cat", vectors.index_to_key, ["the", "cat", None])
check("their vectors", vectors.vectors.tolist(), [[1, 2], [5, 6], [0, 0]])
check("saved and read again", reread(vectors), "unexpected end of input")
vectors = KeyedVectors(2)
vectors.add_vectors(["cat", "New York"], np.array([[1, 2], [3, 4]], dtype=np.float32))
check("cat and New York, saved and read again", reread(vectors), "could not convert string to float: 'York'")
PY
