"""Choices made before `import dynet`, in the way of DyNet 2."""

import builtins
from collections.abc import Sequence
from typing import Any

# Where DyNet 2 keeps them: programs may look.
_CONFIG = "__DYNET_CONFIG"
_GPU = "__DYNET_GPU"


def set(
    mem: int | str = "512",
    random_seed: int = 0,
    autobatch: int = 0,
    profiling: int = 0,
    weight_decay: float = 0,
    shared_parameters: int = 0,
    requested_gpus: int = 0,
    gpu_mask: Sequence[int] | None = None,
) -> None:
    """Chooses seed, batching, profiling and weight decay.

    Memory and sharing are accepted and have no effect; GPUs are refused when dynet is imported.
    """
    choices = {
        "mem": mem,
        "seed": random_seed,
        "autobatch": autobatch,
        "profiling": profiling,
        "weight_decay": weight_decay,
        "shared_params": shared_parameters,
        "requested_gpus": requested_gpus,
        "gpu_mask": gpu_mask,
    }
    setattr(builtins, _CONFIG, choices)


def set_gpu(flag: bool = True) -> None:
    """Says that a GPU is wanted."""
    setattr(builtins, _GPU, flag)


def gpu() -> bool | None:
    """Whether a GPU is wanted; None if nobody said."""
    return getattr(builtins, _GPU, None)


def get() -> dict[str, Any] | None:
    """The choices; None if nobody made them."""
    return getattr(builtins, _CONFIG, None)
