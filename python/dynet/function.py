"""Operations that a program writes itself, with NumPy."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

from dynet import _dynet
from dynet._dynet import Expression
from dynet.arguments import told

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

    >>> twice = dy.Function(forward=lambda x: 2 * x, backward=lambda x, y, dy: [2 * dy])
    >>> print(twice(dy.inputVector([1, 2])).npvalue())
    [2. 4.]
    """

    # What is called now, and this object; the shapes seen with it. A copy of the object makes its own.
    _called: tuple[Any, Any, Any, dict[tuple[Shape, ...], Shape]] | None = None

    @told
    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        shape: Sequence[int] | Callable[..., Sequence[int]] | None = None,
    ) -> None:
        self._methods: dict[str, Callable[..., Any]] = {}
        for name, given in (("forward", forward), ("backward", backward), ("shape", shape)):
            if name != "shape" and given is not None and not callable(given):
                raise TypeError(f"{type(self).__name__}: {name} is {given!r}; a function is needed")
            # A method of this object is that of a copy's own, too.
            method = (
                given.__func__ if isinstance(given, types.MethodType) and given.__self__ is self else None
            )
            inherited = getattr(type(self), name, None)
            if method is not None and inherited in (None, method):
                self._methods[name] = method
            elif given is not None or name != "shape" or inherited is None:
                setattr(self, name, given)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(forward={self.forward!r}, backward={self.backward!r})"

    def __getattr__(self, name: str) -> Any:
        """A method of this object that was given under another name."""
        method = self.__dict__.get("_methods", {}).get(name)
        if method is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return types.MethodType(method, self)

    def __call__(self, *xs: Expression) -> Expression:
        """The operation applied to expressions; batch sizes are equal, or 1."""
        called = self._called
        try:
            dims = tuple([x.dim()[0] for x in xs])
        except (AttributeError, RuntimeError) as error:
            raise self._refused(xs, error) from None
        forward, backward = self.forward, self.backward
        # One object for as long as these are the same: calls merge by its identity.
        if (
            called is None
            or called[2] is not self
            or not (called[0] is forward or _is_same_method(called[0], forward))
            or not (called[1] is backward or _is_same_method(called[1], backward))
        ):
            called = self._called = forward, backward, self, {}
        shape = getattr(self, "shape", None)
        if shape is None:
            shape = called[3].get(dims)
            if shape is None:
                shape = called[3][dims] = self._shape_of(dims)
        elif callable(shape):
            shape = shape(*dims)
        return _dynet._call_function(called, xs, shape)

    def _refused(self, xs: tuple[object, ...], error: Exception) -> Exception:
        """What is wrong with arguments that have no shape."""
        from dynet import explanation

        name = type(self).__name__
        for position, x in enumerate(xs):
            if not isinstance(x, Expression):
                return TypeError(explanation.no_expression(name, position, x))
        return type(error)(f"{name}: {str(error).removeprefix('dim: ')}")

    def _shape_of(self, dims: tuple[Shape, ...]) -> Any:
        """The shape of y, by trying."""
        import numpy as np  # Not at the top: importing dynet would take several times as long.

        y = self.forward(*(np.ones(dim, _dynet.__precision__) for dim in dims))
        return _dynet._shape_of(type(self).__name__, y)


def _is_same_method(a: object, b: object) -> bool:
    """Methods are made anew each time they are asked for."""
    return isinstance(a, types.MethodType) and isinstance(b, types.MethodType) and a == b
