#!/usr/bin/env bash
# torch 2.13.0 and jax 0.10.2: the gradient of the length of a vector of zeros, and of the deviation of equal
# numbers. torch.linalg.norm and torch.std give 0, but the same written as a square root of a sum, and
# torch.hypot, give NaN; in jax it is the other way round: jnp.linalg.norm and jnp.std give NaN and jnp.hypot a
# half. One would expect one rule per toolkit, or a hint in the names. It matters because a padded or untrained
# row is all zeros and a constant feature has no deviation: one such row makes all weights NaN, in one spelling
# only.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 jax==0.10.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import jax
import jax.numpy as jnp
import torch


def check(what, seen, described):
    print(f"{what}: {seen}")
    if str(seen) != described:
        sys.exit(f"This differs from the description, which has {described}")


def torch_gradient(f, x):
    x = torch.tensor(x, requires_grad=True)
    f(x).backward()
    return x.grad.tolist()


def jax_gradient(f, x):
    return jax.grad(f)(jnp.array(x)).tolist()


print("torch", torch.__version__, "| jax", jax.__version__)
zeros, equal = [0.0, 0.0], [3.0, 3.0]
check("torch.linalg.norm at zeros", torch_gradient(torch.linalg.norm, zeros), "[0.0, 0.0]")
check("torch sqrt of the sum of squares", torch_gradient(lambda x: (x * x).sum().sqrt(), zeros), "[nan, nan]")
check("torch.hypot", torch_gradient(lambda x: torch.hypot(x[0], x[1]), zeros), "[nan, nan]")
check("torch.std of equal numbers", torch_gradient(torch.std, equal), "[0.0, 0.0]")
check("torch sqrt of torch.var", torch_gradient(lambda x: x.var().sqrt(), equal), "[nan, nan]")
check("jnp.linalg.norm at zeros", jax_gradient(jnp.linalg.norm, zeros), "[nan, nan]")
check("jnp.hypot", jax_gradient(lambda x: jnp.hypot(x[0], x[1]), zeros), "[0.5, 0.5]")
check("jnp.std of equal numbers", jax_gradient(jnp.std, equal), "[nan, nan]")
PY
