"""What functions of NumPy do with an expression, which is one object to them, as in DyNet 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynet import _dynet

# Those that place, repeat or join objects as they are; all others would compute with the object as if it were
# a number: the index of its largest element is 0, its mean is itself.
_TAKE_OBJECTS = """
append array_repr array_str atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_to column_stack copyto
dstack expand_dims fill_diagonal full_like hstack insert place put put_along_axis putmask ravel repeat
result_type row_stack shape stack tile vstack
"""
_take_objects = frozenset(_TAKE_OBJECTS.split())

# What computes the same of an expression, where it has another name.
_HERE = {
    "amax": "max_dim",
    "amin": "min_dim",
    "max": "max_dim",
    "mean": "mean_elems",
    "min": "min_dim",
    "norm": "l2_norm",
    "std": "std_elems",
    "sum": "sum_elems",
}


def _hint(name: str) -> str:
    here = _HERE.get(name, name)
    return f", or dy.{here} for an expression" if hasattr(_dynet, here) else ""


def array_function(
    _: object,
    function: Callable[..., Any],
    types: Sequence[type],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """Refuses an expression as an array of numbers; within lists it stays the object that it is."""
    name = function.__name__
    given = [each for each in (*args, *kwargs.values()) if isinstance(each, _dynet.Expression)]
    is_product = name == "dot" and len(given) == len(args)  # that of two objects is their own
    if given and not is_product and name not in _take_objects:
        kind = "as_array" if isinstance(given[0], _dynet.Parameters | _dynet.LookupParameters) else "npvalue"
        raise TypeError(
            f"numpy.{name}: {type(given[0]).__name__} is one object to NumPy, not an array of numbers; "
            f"use its {kind}(){_hint(name)}"
        )
    return function._implementation(*args, **kwargs)  # type: ignore[attr-defined]


def teach_numpy() -> None:
    """Lets NumPy ask expressions, which it does before it makes an array of them."""
    _dynet.Expression.__array_function__ = array_function  # type: ignore[attr-defined]
