#!/usr/bin/env bash
# optax 0.2.8 with jax 0.10.2: a label that is no class, as padding often is.
# softmax_cross_entropy_with_integer_labels counts -1 for the last class without a word; for a label that is too
# large the loss is NaN but the gradient is finite: that of the softmax alone, which pushes every class down. The
# same loss of jax.nn.one_hot is 0 for both. One would expect one meaning of -1 in the two, and NaN in the
# gradient where the loss is NaN. It matters because padding that was not masked teaches the last class, and a
# check of the gradients for NaN sees nothing.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 jax==0.10.2 optax==0.2.8
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import jax
import jax.numpy as jnp
import optax


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


print("optax", optax.__version__, "| jax", jax.__version__)
scores = [0.0, 0.0, 0.0, 0.0]


def with_gradient(loss):
    value, gradient = jax.value_and_grad(loss)(jnp.array(scores))
    return str([round(value.item(), 3), gradient.tolist()])


for label, by_number, by_row in (
    (3, "[1.386, [0.25, 0.25, 0.25, -0.75]]", "[1.386, [0.25, 0.25, 0.25, -0.75]]"),
    (-1, "[1.386, [0.25, 0.25, 0.25, -0.75]]", "[0.0, [0.0, 0.0, 0.0, 0.0]]"),
    (4, "[nan, [0.25, 0.25, 0.25, 0.25]]", "[0.0, [0.0, 0.0, 0.0, 0.0]]"),
    (-100, "[nan, [0.25, 0.25, 0.25, 0.25]]", "[0.0, [0.0, 0.0, 0.0, 0.0]]"),
):
    integer = optax.softmax_cross_entropy_with_integer_labels
    check(
        f"label {label}, optax, loss and gradient",
        with_gradient(lambda x: integer(x, jnp.array(label))),
        by_number,
    )
    row = jax.nn.one_hot(label, 4)
    seen = with_gradient(lambda x: optax.softmax_cross_entropy(x, row)).replace("-0.0", "0.0")
    check(f"label {label}, optax with jax.nn.one_hot", seen, by_row)
PY
