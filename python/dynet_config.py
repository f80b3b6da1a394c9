"""Choices made before `import dynet`, in the way of DyNet 2."""

import builtins
from collections.abc import Sequence
from typing import Any

# Where DyNet 2 keeps them: programs may look.
_CONFIG = "__DYNET_CONFIG"
_GPU = "__DYNET_GPU"


def set(
    mem: int | str | None = None,
    random_seed: int | None = None,
    autobatch: int | None = None,
    profiling: int | None = None,
    weight_decay: float | None = None,
    shared_parameters: int | None = None,
    requested_gpus: int | None = None,
    gpu_mask: Sequence[int] | None = None,
    **unknown: object,
) -> None:
    """Chooses seed, batching, profiling and weight decay; what is not named is as the command line says.

    A seed or a batching of 0 says nothing, either: it is what programs pass on whose users have chosen none.
    Memory is accepted and has no effect. When dynet is imported, GPUs are refused, and who asks for shared
    parameters is warned that processes forked from Python have none.
    """
    for keyword in unknown:
        raise TypeError(
            f"set: the keyword {keyword} was given; the keywords are mem, random_seed, autobatch, profiling, "
            "weight_decay, shared_parameters, requested_gpus and gpu_mask"
        )
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
    setattr(builtins, _CONFIG, {name: choice for name, choice in choices.items() if choice is not None})


def set_gpu(flag: bool = True) -> None:
    """Says that a GPU is wanted."""
    setattr(builtins, _GPU, flag)


def gpu() -> bool | None:
    """Whether a GPU is wanted; None if nobody said."""
    return getattr(builtins, _GPU, None)


def get() -> dict[str, Any] | None:
    """The choices that were named; None if nobody made any."""
    return getattr(builtins, _CONFIG, None)
