#!/usr/bin/env bash
# torch 2.13.0 on the CPU: with the same seed, randn of 15 numbers and of 16 have no number in common; two calls
# for 8 are not one call for 16, and float64 is not a finer float32. A tensor of 16 elements or more is filled in
# blocks by another scheme, while rand, and normal in numpy 2.4.6, have one scheme for all sizes. One would expect
# the first 15 of 16 numbers to be the same. It matters because adding one word to a vocabulary gives all words
# other initial vectors, and because a seed does not carry over to a run with other shapes or types.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import torch


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


def drawn(draw, count, **options):
    torch.manual_seed(1)
    return draw(count, **options)


print("torch", torch.__version__, "| numpy", np.__version__)
print(
    "randn(15):",
    drawn(torch.randn, 15)[:4].tolist(),
    "... randn(16):",
    drawn(torch.randn, 16)[:4].tolist(),
    "...",
)
common = np.intersect1d(drawn(torch.randn, 15).numpy().round(4), drawn(torch.randn, 16).numpy().round(4))
check("numbers that randn(15) and randn(16) share", common.tolist(), [])
check("rand(16) begins like rand(15)", torch.equal(drawn(torch.rand, 16)[:15], drawn(torch.rand, 15)), True)
pair = torch.cat([drawn(torch.randn, 8), torch.randn(8)])
check("two times randn(8) is randn(16)", torch.allclose(pair, drawn(torch.randn, 16)), False)
double = drawn(torch.randn, 64, dtype=torch.double).float()
check("randn(64) in float64 is near float32", torch.allclose(double, drawn(torch.randn, 64), atol=0.1), False)
torch.manual_seed(1)
small = torch.nn.Embedding(3, 5).weight
torch.manual_seed(1)
large = torch.nn.Embedding(4, 5).weight
check("Embedding(4, 5) begins like Embedding(3, 5)", torch.allclose(small, large[:3]), False)
rows = [np.random.default_rng(1).normal(size=n)[:15].tolist() for n in (15, 16)]
check("the same in numpy", rows[0] == rows[1], True)
PY
