"""Steps of a program as single nodes."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from dynet import _dynet
from dynet.arguments import told

_Arguments = ParamSpec("_Arguments")
_Others = ParamSpec("_Others")
_Object = TypeVar("_Object")
_Outputs = TypeVar("_Outputs")


class cell(_dynet._Cell, Generic[_Arguments, _Outputs]):  # noqa: N801  It is used as a decorator.
    """Makes a function of expressions one node: its operations are recorded once and then run together.

    A program that takes the same step at each word, node or state builds its graph faster and runs it in
    fewer, larger calls when the step is a cell:

        @dy.cell
        def step(x, h):
            return dy.tanh(dy.affine_transform([bias, W, x, U, h]))

        for word in sentence:
            h = step(table[word], h)

    The function takes expressions, also in lists, tuples and dictionaries, and other arguments, and returns
    an expression or a list or tuple of them. It is called once for each list of shapes and of other
    arguments, to see its operations, which must be the same each time: what it makes of closed-over
    parameters and numbers is recorded, and so are its default values. Numbers, texts, arrays and containers
    are told apart by type, contents and attributes, other objects by identity: what is in those is recorded,
    too. Which arguments are one object (`a is b`) it does not see. Of the arguments last used with, 512
    lists are remembered. Mini-batches are welcome, and a function that looks at their size is recorded for
    each; an output that depends on no batched argument has no batch. Values are the same bits as without the
    cell; gradients may be added in another order, and the gradient() of an output is what comes from outside
    of the cell. What leads only to outputs whose gradient is zero gets none.

    Errors: ValueError if the function holds an operation that is random, takes indices, has no arguments or
    looks at a whole batch (pass its result as an argument), or uses expressions that are no arguments, or if
    an expression lies in another container; RuntimeError if the function asks for a value or for the graph;
    TypeError if it returns anything but expressions. They begin with the name of the function.

    >>> step = dy.cell(lambda x, h: dy.tanh(x + h))
    >>> print(step(dy.inputVector([0, 1]), dy.inputVector([1, 1])).npvalue().round(4))
    [0.7616 0.964 ]
    """

    @told
    def __init__(self, function: Callable[_Arguments, _Outputs]) -> None:
        if not callable(function):
            raise TypeError(f"cell: {function!r} was given; a function is needed")
        name = str(getattr(function, "__name__", ""))
        super().__init__(function, name if name.isidentifier() and name.isascii() else "cell")
        functools.update_wrapper(self, function)

    if TYPE_CHECKING:

        def __call__(  # type: ignore[override]
            self, *args: _Arguments.args, **options: _Arguments.kwargs
        ) -> _Outputs:
            """The outputs of the function, as parts of one node."""

    def __repr__(self) -> str:
        return f"dynet.cell of {self.__wrapped__!r}"  # type: ignore[attr-defined]

    def __reduce__(self) -> str | tuple[Any, ...]:
        """A global function is found by its name; the copy of another cell records anew."""
        name = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (type(self), (self.__wrapped__,))  # type: ignore[attr-defined]

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> cell[_Arguments, _Outputs]: ...
    @overload
    def __get__(
        self: cell[Concatenate[_Object, _Others], _Outputs], instance: _Object, owner: type | None = None
    ) -> Callable[_Others, _Outputs]: ...
    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """A method is a cell whose first argument is the object."""
        return self if instance is None else types.MethodType(self, instance)
