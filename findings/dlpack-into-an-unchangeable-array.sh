#!/usr/bin/env bash
# torch 2.13.0, jax 0.10.2 and numpy 2.4.6: torch.from_dlpack of a jax array, which cannot be changed, and of a
# numpy array that is marked read-only gives a tensor that writes into them, without the warning that
# torch.from_numpy has; numpy itself keeps the mark. The other way, jnp.from_dlpack shares the memory of a numpy
# array if its address is a multiple of 64 and copies it otherwise, so a later change shows or not by chance. One
# would expect the mark to be kept and one rule on sharing. It matters because an in-place update of what was
# passed on changes "constant" weights of the other toolkit, and a buffer that is filled anew for each batch works
# on some runs only.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 torch==2.13.0 jax==0.10.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import torch

warnings.simplefilter("error")


def check(what, seen, described):
    print(f"{what}: {seen}")
    if seen != described:
        sys.exit(f"This differs from the description, which has {described}")


print("torch", torch.__version__, "| jax", jax.__version__, "| numpy", np.__version__)
constant = jnp.zeros(3)
torch.from_dlpack(constant).add_(1)
check("a jax array of zeros after add_ in torch", constant.tolist(), [1, 1, 1])
marked = np.zeros(3, dtype=np.float32)
marked.flags.writeable = False
torch.from_dlpack(marked).add_(1)
check("a read-only numpy array of zeros after add_ in torch", marked.tolist(), [1, 1, 1])
check("numpy's own from_dlpack lets one write into it", np.from_dlpack(marked).flags.writeable, False)
try:
    torch.from_numpy(marked)
    outcome = "nothing"
except UserWarning as warning:
    outcome = str(warning).partition(",")[0]
check("torch.from_numpy warns", outcome, "The given NumPy array is not writable")

memory = np.zeros(1024, dtype=np.uint8)
aligned = -memory.ctypes.data % 64
for bytes_off, described in ((0, 7), (16, 0), (32, 0), (64, 7)):
    batch = memory[aligned + bytes_off :][:256].view(np.float32)
    batch[:] = 0
    taken = jnp.from_dlpack(batch)
    batch[0] = 7
    check(f"taken by jax at 64 n + {bytes_off % 64}, then 0 changed to 7", taken[0].item(), described)
PY
