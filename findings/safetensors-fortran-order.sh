#!/usr/bin/env bash
# safetensors 0.8.0: safetensors.numpy.save_file writes the memory of an array as it lies, but the shape as NumPy
# shows it. A Fortran-ordered array, or every second column of one, thus comes back with other numbers at its
# places, and neither the writer nor the reader says a word. One would expect a copy by rows, or an error, as the
# sister module for torch raises. It matters to users of a neural network library because a weight is often a
# transposed view, and its file then loads everywhere, with the right shape.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 safetensors==0.8.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import safetensors
import safetensors.numpy


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


print("safetensors", safetensors.__version__, "| numpy", np.__version__)
rows = np.array([[0, 1, 2], [3, 4, 5]], dtype=np.float32)
wide = np.repeat(rows, 2, axis=1)
for what, weight, described in (
    ("by rows", rows, [[0, 1, 2], [3, 4, 5]]),
    ("Fortran-ordered", np.asfortranarray(rows), [[0, 3, 1], [4, 2, 5]]),
    ("every second column", wide[:, ::2], [[0, 0, 1], [1, 2, 2]]),
):
    assert weight.tolist() == rows.tolist()
    safetensors.numpy.save_file({"weight": weight}, "model.safetensors")
    loaded = safetensors.numpy.load_file("model.safetensors")["weight"]
    check(f"[[0, 1, 2], [3, 4, 5]] {what}, saved and loaded", loaded.astype(int).tolist(), described)
PY
