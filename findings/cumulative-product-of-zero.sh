#!/usr/bin/env bash
# tensorflow 2.21.0: tf.math.cumprod has the right value but a wrong gradient as soon as a factor is 0: everything
# from the zero on gets 0, though the product does change when that factor moves, as difference quotients show.
# For tf.reduce_prod tensorflow has the true gradient at zeros. One would expect it here too, or an error. It
# matters because products of gates and of survival probabilities (stick breaking, halting, monotonic attention)
# reach exact zeros, and then learn in the wrong direction quietly.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 tensorflow-cpu==2.21.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


def tf_gradient(f, x):
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(f(x))
    return tape.gradient(y, x).numpy().tolist()


print("tensorflow", tf.__version__)
factors = [2.0, 0.0, 3.0]
check("value of tf.math.cumprod([2, 0, 3])", tf.math.cumprod(factors).numpy().tolist(), [2, 0, 0])
check("its gradient in tensorflow", tf_gradient(tf.math.cumprod, factors), [1, 0, 0])

steps = np.eye(3) / 1024
quotients = [float((np.cumprod(factors + s).sum() - np.cumprod(factors - s).sum()) * 512) for s in steps]
check("its difference quotients", quotients, [1, 8, 0])
check("tf.reduce_prod in tensorflow", tf_gradient(tf.reduce_prod, factors), [0, 6, 0])
PY
