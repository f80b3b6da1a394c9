#!/usr/bin/env bash
# torch 2.13.0, jax 0.10.2 and tensorflow 2.21.0: the gradient of the same function at its kink is another number
# in each, and within one toolkit it depends on which of two equal spellings is used (relu(x), maximum(x, 0) and
# clip(x, 0) at 0; max(x) and max(x, dim) at a tie). One would expect that functions with equal values have equal
# gradients, or that the toolkits choose alike where a choice is needed. It matters because inputs, biases and
# padding are often exactly 0 in the first step, so a ported model does not reproduce the gradients of the
# original, and a test that compares two toolkits there fails through no fault of the port.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 jax==0.10.2 tensorflow-cpu==2.21.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import jax
import jax.numpy as jnp
import tensorflow as tf
import torch
import torch.nn.functional as F


def torch_gradient(f, x):
    x = torch.tensor(x, requires_grad=True)
    f(x).sum().backward()
    return x.grad.tolist()


def jax_gradient(f, x):
    return jax.grad(lambda x: f(x).sum())(jnp.array(x)).tolist()


def tf_gradient(f, x):
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = f(x)
    return tape.gradient(y, x).numpy().tolist()


print("torch", torch.__version__, "| jax", jax.__version__, "| tensorflow", tf.__version__)
zero = 0.0
table = (
    ("relu at 0", [zero], [F.relu, jax.nn.relu, tf.nn.relu], [[0], [0], [0]]),
    (
        "maximum(x, 0) at 0",
        [zero],
        [
            lambda x: torch.maximum(x, torch.zeros(1)),
            lambda x: jnp.maximum(x, 0),
            lambda x: tf.maximum(x, 0.0),
        ],
        [[0.5], [0.5], [1]],
    ),
    (
        "clip(x, 0, 1) at 0",
        [zero],
        [lambda x: x.clamp(0, 1), lambda x: jnp.clip(x, 0, 1), lambda x: tf.clip_by_value(x, 0.0, 1.0)],
        [[1], [0.5], [1]],
    ),
    ("abs at 0", [zero], [torch.abs, jnp.abs, tf.abs], [[0], [1], [0]]),
    (
        "leaky_relu of slope 0.25 at 0",
        [zero],
        [
            lambda x: F.leaky_relu(x, 0.25),
            lambda x: jax.nn.leaky_relu(x, 0.25),
            lambda x: tf.nn.leaky_relu(x, 0.25),
        ],
        [[0.25], [1], [0.25]],
    ),
    (
        "selu at 0",
        [zero],
        [F.selu, jax.nn.selu, tf.nn.selu],
        [[1.758], [1.758], [1.051]],
    ),
    (
        "max over an axis, two equal",
        [1.0, 1.0],
        [lambda x: x.max(0).values, lambda x: jnp.max(x, 0), lambda x: tf.reduce_max(x, 0)],
        [[1, 0], [0.5, 0.5], [0.5, 0.5]],
    ),
    ("max of all, two equal", [1.0, 1.0], [torch.max, jnp.max, tf.reduce_max], [[0.5, 0.5]] * 3),
)
for what, x, functions, described in table:
    gradients = [g(f, x) for g, f in zip((torch_gradient, jax_gradient, tf_gradient), functions)]
    gradients = [[round(number, 3) for number in gradient] for gradient in gradients]
    print(f"{what}: torch {gradients[0]}, jax {gradients[1]}, tensorflow {gradients[2]}")
    if gradients != described:
        sys.exit(f"This differs from the description, which has {described}")
PY
