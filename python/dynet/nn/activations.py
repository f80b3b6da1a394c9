"""Functions between layers, by name or as they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import dynet._dynet as dy
from dynet._dynet import Expression
from dynet.arguments import told

Activation: TypeAlias = "str | Callable[[Expression], Expression]"


@told
def gelu(x: Expression) -> Expression:
    """The Gaussian error linear unit of each number, x Φ(x) = x (1 + erf(x / √2)) / 2, of x's shape; the
    exact one, not its approximation by tanh. (Hendrycks and Gimpel 2016)

    >>> print(dy.nn.gelu(dy.inputVector([-1, 0, 1])).npvalue().round(4))
    [-0.1587  0.      0.8413]
    """
    return dy.cmult(x, dy.erf(x / math.sqrt(2)) + 1) * 0.5


@told
def softplus(x: Expression) -> Expression:
    """A smooth rectifier of each number, ln(1 + eˣ) = -log_sigmoid(-x), of x's shape; it neither
    overflows nor vanishes too early.

    >>> print(dy.nn.softplus(dy.inputVector([0, 1])).npvalue().round(4))
    [0.6931 1.3133]
    """
    return -dy.log_sigmoid(-x)


@told
def leaky_relu(x: Expression, slope: float = 0.01) -> Expression:
    """A rectifier that lets a part of negative numbers through: max(x, slope x) for a slope from 0 to 1, 0.01
    by default; of x's shape.

    >>> dy.nn.leaky_relu(dy.inputVector([-100, 3])).value()
    [-1.0, 3.0]
    """
    if not 0 <= slope <= 1:
        raise ValueError(f"leaky_relu: slope is {slope!r:.60}; a number from 0 to 1 is needed")
    return dy.bmax(x, x * slope)


_NAMED: dict[str, Callable[[Expression], Expression]] = {
    "relu": dy.rectify,
    "rectify": dy.rectify,
    "tanh": dy.tanh,
    "sigmoid": dy.logistic,
    "logistic": dy.logistic,
    "gelu": gelu,
    "silu": dy.silu,
    "elu": dy.elu,
    "selu": dy.selu,
    "softplus": softplus,
    "leaky_relu": leaky_relu,
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
