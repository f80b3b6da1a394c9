#!/usr/bin/env bash
# torch 2.13.0, optax 0.2.8: one finite gradient of 1e30 stops Adam, RMSprop and Adagrad for good, without a
# word. The square of the gradient is infinite in 32 bits, so the step is gradient / infinity = 0, and the average of
# squares, which decays by a factor, stays infinite: from then on each step of that number is 0, though gradients are
# ordinary again. Adamax, which keeps the largest gradient in place of squares, goes on. One would expect a huge
# gradient to make one step of about the learning rate, as any other does, or an error. Saved states carry the
# infinity into later runs.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 jax==0.10.2 optax==0.2.8
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import jax.numpy as jnp
import optax
import torch

GRADIENTS = [1e30] + [1.0] * 200


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


def moved_in_torch(kind):
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = kind([weight], lr=0.01)
    for gradient in GRADIENTS:
        weight.grad = torch.full((1,), gradient)
        optimizer.step()
    return weight.item() != 1.0


def moved_in_optax(rule):
    weight, optimizer = jnp.ones(1), rule(0.01)
    state = optimizer.init(weight)
    for gradient in GRADIENTS:
        updates, state = optimizer.update(jnp.full(1, gradient), state, weight)
        weight = optax.apply_updates(weight, updates)
    return float(weight[0]) != 1.0


print("torch", torch.__version__, "optax", optax.__version__)
kinds = (torch.optim.Adam, torch.optim.RMSprop, torch.optim.Adagrad, torch.optim.Adamax)
check("moved in torch", [moved_in_torch(kind) for kind in kinds], [False, False, False, True])
rules = (optax.adam, optax.rmsprop, optax.adagrad, optax.adamax)
check("moved in optax", [moved_in_optax(rule) for rule in rules], [False, False, False, True])
PY
