"""Operations that a program writes itself, with NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from dynet import _dynet
from dynet._dynet import Expression

Shape = tuple[int, ...]
_ids = itertools.count()


class Function:
    """An operation of your own: its value and its gradients are Python functions of NumPy arrays.

    forward(*xs) returns the value y; backward(*xs, y, dy) returns a list with the gradient of each argument,
    given the gradient dy of y: an array of the argument's shape, or None for zero. Both see one example at a
    time, whatever is batched: arrays have the shapes of expressions, without an axis for the batch.

        softplus = dy.Function(
            forward=lambda x: np.log1p(np.exp(x)),
            backward=lambda x, y, dy: [dy / (1 + np.exp(-x))],
        )
        loss = dy.sum_elems(softplus(W * x))

    `shape` is the shape of y, or a function of the arguments' shapes; without it forward is called with
    arrays of ones, once for each list of shapes, to see. The functions must not use the graph they are called
    by. dy.check_grad tells whether forward and backward fit. An array of a wrong shape raises ValueError when
    the expression is evaluated; what the functions raise arrives where it is asked for its value.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        shape: Sequence[int] | Callable[..., Sequence[int]] | None = None,
    ) -> None:
        self.forward = forward
        self.backward = backward
        self._shape = shape
        self._shapes: dict[tuple[Shape, ...], Shape] = {}
        self._id = next(_ids)

    def __call__(self, *xs: Expression) -> Expression:
        """The operation applied to expressions; batch sizes are equal, or 1."""
        dims = tuple(x.dim()[0] for x in xs)
        if dims not in self._shapes:
            self._shapes[dims] = self._shape_of(dims)
        return _dynet._call_function(self, self._id, xs, self._shapes[dims])

    def _shape_of(self, dims: tuple[Shape, ...]) -> Shape:
        if callable(self._shape):
            return tuple(self._shape(*dims))
        if self._shape is not None:
            return tuple(self._shape)
        import numpy as np  # Not at the top: importing dynet would take several times as long.

        return np.shape(self.forward(*(np.ones(dim, _dynet.__precision__) for dim in dims))) or (1,)
