#!/usr/bin/env bash
# torch 2.13.0 and ml_dtypes 0.6.0 (the 8-bit floats of jax): beyond the largest value of float8_e4m3fn, 448,
# torch gives 448, even for infinity, and ml_dtypes gives NaN, while in float8_e5m2 both give infinity. In
# float8_e8m0fnu, which has no sign, torch drops the sign of -8 and makes it 8; ml_dtypes gives NaN. One would
# expect one rule per format. It matters because weights are converted in one toolkit and read in another, and
# whether a diverged model shows NaN depends on which of them wrote the file.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 ml_dtypes==0.6.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import ml_dtypes
import numpy as np
import torch

print("torch", torch.__version__, "| ml_dtypes", ml_dtypes.__version__)
nan, inf = float("nan"), float("inf")
for name, given, in_torch, in_numpy in (
    ("float8_e4m3fn", [448, 500, -1000, inf], [448, 448, -448, 448], [448, nan, nan, nan]),
    ("float8_e5m2", [57344, 70000, -70000, inf], [57344, inf, -inf, inf], [57344, inf, -inf, inf]),
    ("float8_e8m0fnu", [8, -8], [8, 8], [8, nan]),
):
    numbers = np.array(given, dtype=np.float32)
    torch_numbers = torch.tensor(numbers).to(getattr(torch, name)).float().tolist()
    numpy_numbers = numbers.astype(getattr(ml_dtypes, name)).astype(np.float32).tolist()
    print(f"{name} of {given}: torch {torch_numbers}, ml_dtypes {numpy_numbers}")
    if str([torch_numbers, numpy_numbers]) != str([[float(x) for x in row] for row in (in_torch, in_numpy)]):
        sys.exit(f"This differs from the description, which has torch {in_torch} and ml_dtypes {in_numpy}")
PY
