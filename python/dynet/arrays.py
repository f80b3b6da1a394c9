"""What functions of NumPy do with an expression, which is one object to them, as in DyNet 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from dynet import _dynet

# Those that place, repeat or join objects as they are; all others would compute with the object as if it were
# a number: the index of its largest element is 0, its mean is itself.
_TAKE_OBJECTS = """
append array_repr array_str atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_to column_stack copyto
dstack expand_dims fill_diagonal full_like hstack insert place put put_along_axis putmask ravel repeat
result_type row_stack shape stack tile vstack
"""
_take_objects = frozenset(_TAKE_OBJECTS.split())

# Of these the first argument is what they take apart.
_TAKE_APART = frozenset(("append", "ravel", "repeat", "tile"))

# What computes the same of an expression, where it has another name.
_HERE = {
    "absolute": "abs",
    "amax": "max_dim",
    "amin": "min_dim",
    "append": "concatenate",
    "divide": "cdiv",
    "fabs": "abs",
    "max": "max_dim",
    "maximum": "bmax",
    "mean": "mean_elems",
    "min": "min_dim",
    "minimum": "bmin",
    "multiply": "cmult",
    "norm": "l2_norm",
    "power": "pow",
    "ravel": "reshape",
    "repeat": "concatenate",
    "std": "std_elems",
    "sum": "sum_elems",
    "tile": "concatenate",
    "true_divide": "cdiv",
}

# Operators of an array and an expression, which does the work.
_OPERATORS = {
    "add": "__radd__",
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "true_divide": "__rtruediv__",
    "matmul": "__rmatmul__",
    "power": "__rpow__",
}
_COMPARISONS = ("equal", "not_equal")


def _refuse(function: str, given: object) -> NoReturn:
    name = function.rpartition(".")[2]
    here = _HERE.get(name, name)
    hint = f", or dy.{here} for an expression" if hasattr(_dynet, here) else ""
    kind = "as_array" if isinstance(given, _dynet.Parameters | _dynet.LookupParameters) else "npvalue"
    raise TypeError(
        f"numpy.{function}: {type(given).__name__} is one object to NumPy, not an array of numbers; "
        f"use its {kind}(){hint}"
    )


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
    takes_it = name in _take_objects and not (name in _TAKE_APART and args and given and args[0] is given[0])
    if given and not is_product and not takes_it:
        _refuse(name, given[0])
    if name == "append":  # which would call ravel with it
        args = [_in_array(each) for each in args]
    return function._implementation(*args, **kwargs)  # type: ignore[attr-defined]


def array_ufunc(own: Any, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
    """Refuses an expression where NumPy would compute with each number of an array.

    Operators and comparisons of arrays come here, too: of an array of objects they are those of each.
    """
    name = ufunc.__name__
    if method == "__call__" and not keywords:
        if name in _COMPARISONS:
            return ufunc(*(_in_array(each) for each in inputs))
        if name in _OPERATORS and not isinstance(inputs[0], _dynet.Expression):
            answer = getattr(own, _OPERATORS[name])(inputs[0])
            if answer is not NotImplemented:
                return answer
    _refuse(name if method == "__call__" else f"{name}.{method}", own)


def _in_array(thing: Any) -> Any:
    """An expression as an array without axes, which is compared with each object of another one."""
    if not isinstance(thing, _dynet.Expression):
        return thing
    import numpy

    array = numpy.empty((), object)
    array[()] = thing
    return array


class _ArrayUfunc:
    """NumPy asks the class. Masked arrays ask the object, and leave the operators to it where it has None."""

    def __get__(self, thing: object, kind: type) -> Any:
        return array_ufunc if thing is None else None


def teach_numpy() -> None:
    """Lets NumPy ask expressions, which it does before it makes an array of them."""
    kind: Any = _dynet.Expression
    kind.__array_function__ = array_function
    kind.__array_ufunc__ = _ArrayUfunc()
