#!/usr/bin/env bash
# keras 3.15.1 and optax 0.2.8 (both on jax 0.10.2): gradient descent with momentum, equal rates, equal momentum
# and equal gradients, but other weights as soon as the learning rate changes. keras keeps the rate inside its
# velocity, so a step of the old size goes on after the rate dropped; optax applies the new rate to all of it, as
# torch does. One would expect that optimizers of one name and equal settings agree, as they do to the last digit
# while the rate stays. It matters because warm-up and decay are everywhere: a recipe that was tuned in one
# diverges in the other.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 jax==0.10.2 optax==0.2.8 keras==3.15.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
import jax.numpy as jnp
import keras
import optax


def in_optax(gradients, rates):
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=rates[0], momentum=0.5)
    weight = jnp.zeros(1)
    state = optimizer.init(weight)
    for gradient, rate in zip(gradients, rates):
        state.hyperparams["learning_rate"] = jnp.float32(rate)
        update, state = optimizer.update(jnp.array([gradient]), state)
        weight = optax.apply_updates(weight, update)
        yield weight.item()


def in_keras(gradients, rates):
    weight = keras.Variable(jnp.zeros(1))
    optimizer = keras.optimizers.SGD(rates[0], momentum=0.5)
    for gradient, rate in zip(gradients, rates):
        optimizer.learning_rate = rate
        optimizer.apply([jnp.array([gradient])], [weight])
        yield weight.value.item()


print("optax", optax.__version__, "| keras", keras.__version__)
gradients = [1.0, 0.0, 0.0]
for rates, described in (
    ([1.0, 1.0, 1.0], [[-1, -1.5, -1.75]] * 2),
    ([1.0, 0.125, 0.125], [[-1, -1.0625, -1.09375], [-1, -1.5, -1.75]]),
):
    weights = [list(train(gradients, rates)) for train in (in_optax, in_keras)]
    print(f"rates {rates}: optax {weights[0]}, keras {weights[1]}")
    if weights != described:
        sys.exit(f"This differs from the description, which has {described}")
PY
