"""Functions between layers, by name or as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import dynet._dynet as dy
from dynet._dynet import Expression

Activation: TypeAlias = "str | Callable[[Expression], Expression]"


_NAMED: dict[str, Callable[[Expression], Expression]] = {
    "relu": dy.rectify,
    "rectify": dy.rectify,
    "tanh": dy.tanh,
    "sigmoid": dy.logistic,
    "logistic": dy.logistic,
    "gelu": dy.gelu,
    "silu": dy.silu,
    "elu": dy.elu,
    "selu": dy.selu,
    "softplus": dy.softplus,
    "leaky_relu": dy.leaky_relu,
    "softsign": dy.softsign,
}


def activation_of(call: str, given: Activation) -> Callable[[Expression], Expression]:
    """The function of a name, or the one that is given."""
    if callable(given):
        return given
    if given not in _NAMED:
        known = ", ".join(sorted(_NAMED))
        raise ValueError(f"{call}: activation is {given!r:.60}; a function is needed, or one of {known}")
    return _NAMED[given]
