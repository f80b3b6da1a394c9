"""What functions take is told by Python's own means; what tells it is loaded when somebody asks."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from dynet import _dynet

P = ParamSpec("P")
R = TypeVar("R")


def show_signatures() -> None:
    """Lets inspect.signature see what functions of the extension take.

    It asks for an attribute that nanobind's functions do not have, nor let anybody give them.
    """
    method = _dynet.ParameterCollection.name
    for kind in (type(_dynet.ops), type(method), type(_dynet.ParameterCollection().name)):
        (members,) = gc.get_referents(kind.__dict__)
        members["__signature__"] = property(_signature)
        _dynet._type_changed(kind)


def _signature(function: Any) -> Any:
    from dynet import explanation

    is_bound = type(function) is type(_dynet.ParameterCollection().name)
    return (explanation.bound_signature if is_bound else explanation.signature_of)(function)


def told(function: Callable[P, R]) -> Callable[P, R]:
    """A function, or the __init__ of a class, of Python whose wrong arguments are told as the extension's."""

    @functools.wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*args, **keywords)
        except TypeError as error:
            entered = error.__traceback__ is not None and error.__traceback__.tb_next is not None
            if entered:
                raise
            from dynet import explanation

            message = explanation.explain_python(function, args, keywords)
        raise TypeError(message)

    return call
