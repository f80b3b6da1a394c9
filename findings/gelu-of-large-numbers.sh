#!/usr/bin/env bash
# torch 2.13.0, jax 0.10.2: where the GELU is a straight line, its gradient in the form with tanh (the default in jax,
# approximate="tanh" in torch) is NaN: at 1e18 it is 1, at 1e20 the square of x is infinite in 32 bits and is multiplied
# with a slope of 0. The exact form has the right gradient there. But of infinity torch's exact form is infinity for a
# tensor of one number and NaN for each of several, which another kernel computes; jax has infinity for both.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 jax==0.10.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import math
import sys

import jax
import jax.numpy as jnp
import torch


def check(what, seen, described):
    print(f"{what}: {seen}")
    if str(seen) != str(described):
        sys.exit(f"This differs from the description, which has {described}")


def slopes(x):
    x = torch.tensor(x, requires_grad=True)
    torch.nn.functional.gelu(x, approximate="tanh").sum().backward()
    return x.grad.tolist()


print("torch", torch.__version__, "jax", jax.__version__)
for n in (1, 2, 8):
    seen = torch.nn.functional.gelu(torch.full((n,), math.inf)).tolist()
    check(f"torch, exact, of {n} times infinity", seen, [math.inf if n == 1 else math.nan] * n)
    seen = jax.nn.gelu(jnp.full(n, jnp.inf), approximate=False).tolist()
    check(f"jax, exact, of {n} times infinity", seen, [math.inf] * n)
LARGE, NUMBERS = [1e12, 1e18, 1e20, 1e30], [1.0, 1.0, math.nan, math.nan]
check("torch, by tanh, slopes", slopes(LARGE), NUMBERS)
check("jax, by tanh, slopes", [float(jax.grad(jax.nn.gelu)(x)) for x in LARGE], NUMBERS)
PY
