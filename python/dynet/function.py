"""Operations that a program writes itself, with NumPy."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

from dynet import _dynet
from dynet._dynet import Expression

Shape = tuple[int, ...]


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

    `forward`, `backward` and `shape` are attributes, or methods of a class that derives from this one. An
    expression is computed by those there were when it was made.
    """

    # What is called now, and this object; the shapes seen with it. A copy of the object makes its own.
    _called: tuple[Any, Any, Any, dict[tuple[Shape, ...], Shape]] | None = None

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        shape: Sequence[int] | Callable[..., Sequence[int]] | None = None,
    ) -> None:
        self._methods: dict[str, Callable[..., Any]] = {}
        for name, given in (("forward", forward), ("backward", backward), ("shape", shape)):
            # A method of this object is that of a copy's own, too.
            own = isinstance(given, types.MethodType) and given.__self__ is self
            inherited = getattr(type(self), name, None)
            if own and inherited in (None, given.__func__):
                self._methods[name] = given.__func__
            elif given is not None or name != "shape" or inherited is None:
                setattr(self, name, given)

    def __getattr__(self, name: str) -> Any:
        """A method of this object that was given under another name."""
        method = self.__dict__.get("_methods", {}).get(name)
        if method is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return types.MethodType(method, self)

    def __call__(self, *xs: Expression) -> Expression:
        """The operation applied to expressions; batch sizes are equal, or 1."""
        dims = tuple(x.dim()[0] for x in xs)
        called = self._functions()
        return _dynet._call_function(called, xs, self._shape_of(dims, *called))

    def _functions(self) -> tuple[Any, Any, Any, dict[tuple[Shape, ...], Shape]]:
        """One object for as long as forward and backward are the same: calls merge by its identity."""
        now, called = (self.forward, self.backward, self), self._called
        if called is None or not all(map(_is_same, called, now)):
            called = self._called = (*now, {})
        return called

    def _shape_of(self, dims: tuple[Shape, ...], forward: Any, _b: Any, _s: Any, seen: dict[Any, Any]) -> Any:
        shape = getattr(self, "shape", None)
        if shape is not None:
            return shape(*dims) if callable(shape) else shape
        if dims not in seen:
            import numpy as np  # Not at the top: importing dynet would take several times as long.

            seen[dims] = _dynet._shape_of(forward(*(np.ones(dim, _dynet.__precision__) for dim in dims)))
        return seen[dims]


def _is_same(a: object, b: object) -> bool:
    """Methods are made anew each time they are asked for."""
    if isinstance(a, types.MethodType) and isinstance(b, types.MethodType):
        return a.__self__ is b.__self__ and a.__func__ is b.__func__
    return a is b
