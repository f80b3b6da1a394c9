"""What functions take is told by Python's own means; what tells it is loaded when somebody asks."""

from __future__ import annotations

import functools
import gc
import types
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from dynet import _dynet

P = ParamSpec("P")
R = TypeVar("R")


def show_signatures() -> None:
    """Lets inspect.signature see what functions of the extension take.

    It asks for an attribute that nanobind's functions and classes do not have, nor let anybody give them.
    """
    method = _dynet.ParameterCollection.name
    functions = type(_dynet.ops), type(method), type(_dynet.ParameterCollection().name)
    for kind in (*functions, type(_dynet.ParameterCollection)):
        (members,) = gc.get_referents(kind.__dict__)
        members["__signature__"] = property(_signature if kind in functions else _signature_of_class)
        _dynet._type_changed(kind)


def _signature(function: Any) -> Any:
    from dynet import explanation

    is_bound = type(function) is type(_dynet.ParameterCollection().name)
    return (explanation.bound_signature if is_bound else explanation.signature_of)(function)


def _signature_of_class(kind: type) -> Any:
    """That of __init__: up to Python 3.11.2 inspect looks at a __new__ alone where there is one.

    None, which has inspect look for itself, where a class of Python's says how it is made.
    """
    for base in kind.__mro__:
        if "__init__" in vars(base):
            init = vars(base)["__init__"]
            if type(init) is not type(_dynet.ParameterCollection.name):
                break
            from dynet import explanation

            return explanation.bound_signature(init)
        if "__new__" in vars(base):
            break
    return None


def told(function: Callable[P, R]) -> Callable[P, R]:
    """A function of Python, or the __init__ of a class, whose errors are told as those of the extension.

    Arguments that do not fit are explained, and what the package itself raises begins with the call.
    """

    @functools.wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*args, **keywords)
        except Exception as error:
            message = _explained(function, args, keywords, error)
            if not message:
                raise
        raise TypeError(message)

    return call


def built(function: Callable[P, R]) -> Callable[P, R]:
    """The same for what adds nodes to the graph: of a call that the package refuses none are left."""

    @functools.wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> R:
        before = _dynet._node_mark()
        try:
            return function(*args, **keywords)
        except Exception as error:
            if error.__traceback__ is not None and _is_of_package(error.__traceback__):
                _dynet._take_nodes_back(before)
            message = _explained(function, args, keywords, error)
            if not message:
                raise
        raise TypeError(message)

    return call


def _explained(function: Any, args: Any, keywords: Any, error: Exception) -> str:
    """What to say of arguments that do not fit; else nothing, and the error has the call in its text."""
    assert error.__traceback__ is not None
    inside = error.__traceback__.tb_next
    if inside is None and isinstance(error, TypeError):
        from dynet import explanation

        return explanation.explain_python(function, args, keywords)
    if inside is not None and _is_of_package(inside):
        _begin_with(function, args, error)
    return ""


def _is_of_package(trace: types.TracebackType | None) -> bool:
    """Whether no function of the program was running."""
    while trace is not None:
        if not trace.tb_frame.f_globals.get("__name__", "").startswith("dynet."):
            return False
        trace = trace.tb_next
    return True


def _begin_with(function: Any, args: Any, error: Exception) -> None:
    """Puts the call before the text of an error, unless it has it."""
    if len(error.args) == 1 and isinstance(text := error.args[0], str):
        name, is_method = function.__name__, "." in function.__qualname__ and args
        kind = type(args[0]).__name__ if is_method else name
        name = kind if name in ("__init__", "__call__") else name
        if not text.startswith((name, kind)):
            error.args = (f"{name}: {text}",)
