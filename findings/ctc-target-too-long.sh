#!/usr/bin/env bash
# torch 2.13.0 and optax 0.2.8 (jax 0.10.2): the CTC loss of a target that cannot fit into its frames, whose
# probability is 0. torch says infinity, with NaN gradients; optax says about 100000, with small finite gradients,
# as if it were a hard but possible example. torch with zero_infinity=True drops it, but still counts it when it
# takes the mean. One would expect infinity or an error. It matters because one clip that was cut too short ends a
# torch run with NaN, while elsewhere it goes on unseen and shifts the mean loss.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 jax==0.10.2 optax==0.2.8
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


print("torch", torch.__version__, "| optax", optax.__version__)
print("two sequences of 2 frames; the target 1 1 1 of the first one needs 5 frames, that of the second fits")
scores = np.zeros((2, 2, 3), dtype=np.float32)  # frame, sequence, label; label 0 is the blank
targets, lengths = np.array([[1, 1, 1], [1, 0, 0]]), np.array([3, 1])
frames = np.array([2, 2])


def in_torch(**options):
    x = torch.tensor(scores, requires_grad=True)
    given = (torch.tensor(targets), torch.tensor(frames), torch.tensor(lengths))
    loss = torch.nn.functional.ctc_loss(x.log_softmax(-1), *given, **options)
    loss.sum().backward()
    return loss.detach().double().numpy().round(3).tolist(), bool(x.grad[:, 0].isnan().all())


loss, lost = in_torch(reduction="none")
check("torch, losses", loss, [np.inf, 1.099])
check("torch, all gradients of the first are NaN", lost, True)
loss, lost = in_torch(reduction="none", zero_infinity=True)
check("torch with zero_infinity, losses", loss, [0, 1.099])
check(
    "torch with zero_infinity, mean loss: half of the one that counts", in_torch(zero_infinity=True)[0], 0.549
)


def in_optax(x):
    padding = np.arange(3) >= lengths[:, None]
    return optax.ctc_loss(x, jnp.zeros((2, 2)), jnp.array(targets), jnp.array(padding, dtype=jnp.float32))


x = jnp.array(scores.swapaxes(0, 1))
loss, gradient = in_optax(x), jax.grad(lambda x: in_optax(x).sum())(x)
print("optax, losses:", loss.tolist())
check("optax, the first loss is near 100000", abs(loss[0].item() - 1e5) < 10, True)
check(
    "optax, the first gradient is finite and not 0",
    bool(jnp.isfinite(gradient[0]).all() & gradient[0].any()),
    True,
)
PY
