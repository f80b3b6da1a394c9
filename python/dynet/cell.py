"""Steps of a program as single nodes."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from dynet import _dynet


class cell:  # noqa: N801  It is used as a decorator.
    """Makes a function of expressions one node: its operations are recorded once and then run together.

    A program that takes the same step at each word, node or state builds its graph faster and runs it in
    fewer, larger calls when the step is a cell:

        @dy.cell
        def step(x, h):
            return dy.tanh(dy.affine_transform([bias, W, x, U, h]))

        for word in sentence:
            h = step(table[word], h)

    The function takes expressions, and other arguments that can be compared, and returns an expression or a
    tuple of them. It is called once for each list of shapes and of other arguments, to see its operations,
    which must be the same each time: what it makes of closed-over parameters and numbers is recorded.
    Mini-batches are welcome. Values are the same bits as without the cell; gradients may be added in another
    order.

    Errors: ValueError if the function holds an operation that is random, takes indices, has no arguments or
    looks at a whole batch (pass its result as an argument), or uses expressions that are no arguments;
    RuntimeError if it asks for a value; TypeError if it returns anything but expressions.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._recorded = _dynet._Cell(function)
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The outputs of the function, as parts of one node."""
        return self._recorded(*args, **options)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """A method is a cell whose first argument is the object."""
        return self if instance is None else types.MethodType(self, instance)
