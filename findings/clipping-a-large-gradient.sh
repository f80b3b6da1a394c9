#!/usr/bin/env bash
# torch 2.13.0 and optax 0.2.8 (jax 0.10.2): clipping by the global norm when gradients are finite but large. The
# squares overflow in float32 from about 1.8e19 on, the norm is infinite, and both return zeros: the step is
# skipped without a word (and with one infinite element that one becomes NaN, all others 0). One would expect a
# gradient of norm 1 in the first case, which a scaled norm gives, and NaN everywhere or an error in the second.
# It matters because clipping is there for just such gradients.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 jax==0.10.2 optax==0.2.8
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import jax.numpy as jnp
import numpy as np
import optax
import torch


def in_torch(gradients):
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in gradients]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = torch.tensor([gradient])
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    return [parameter.grad.item() for parameter in parameters]


def in_optax(gradients):
    clipped, _ = optax.clip_by_global_norm(1.0).update(
        [jnp.array([x]) for x in gradients], optax.EmptyState()
    )
    return [x.item() for x in clipped]


print("torch", torch.__version__, "| optax", optax.__version__)
nan = float("nan")
for gradients, described in (
    ([3e18, 4e18], [[0.6, 0.8]] * 2),
    ([3e19, 4e19], [[0, 0]] * 2),
    ([3.0, float("inf")], [[0, nan]] * 2),
):
    answers = [np.round(clip(gradients), 5) for clip in (in_torch, in_optax)]
    print(f"{gradients} clipped to norm 1:", *(a.tolist() for a in answers), "(torch, optax)")
    if not np.array_equal(answers, described, equal_nan=True):
        sys.exit(f"This differs from the description, which has {described}")
PY
