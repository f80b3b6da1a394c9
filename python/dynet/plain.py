"""What plain data is made of: the names that its pickles use, and arrays that NumPy can safely take."""

import collections
import pickle
import sys
from typing import Any, NoReturn, TypeGuard


class DamagedError(Exception):
    """What no pickler writes."""


def bad(what: str) -> NoReturn:
    raise DamagedError(what)


def refuse(what: str) -> NoReturn:
    raise pickle.UnpicklingError(what)


def is_array(value: object, kind: str) -> bool:
    """Whether it is an instance of numpy.ndarray or numpy.dtype."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, kind))


def _whole_numbers(values: object) -> TypeGuard[tuple[int, ...]]:
    return isinstance(values, tuple) and all(type(v) is int and v >= 0 for v in values)


def check_array(state: Any) -> None:
    """Fails unless it is what NumPy's __setstate__ of arrays takes, which may crash for other things."""
    if type(state) is not tuple or len(state) != 5 or state[0] != 1:
        bad("an array has no state")
    _, shape, kind, by_columns, content = state
    if not (_whole_numbers(shape) and len(shape) <= 32 and is_array(kind, "dtype")):
        bad("an array has no shape")
    if kind.subdtype is not None:
        bad("an array consists of arrays")
    size = 1
    for n in shape:
        size *= n
    if type(content) is not (list if kind.hasobject else bytes):
        bad("an array has no numbers")
    if len(content) != size * (1 if kind.hasobject else kind.itemsize):
        bad("an array has not as many numbers as its shape says")
    if type(state[0]) is not int or type(by_columns) not in (bool, int):
        bad("an array has no order")


_TIME_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")


def _with_unit(kind: Any, state: Any) -> Any:
    """A type of dates or of differences of times in the unit that its state has."""
    if kind.kind not in "mM" or type(state) is not tuple or len(state) != 9:
        return kind
    metadata = state[-1]
    if type(metadata) is not tuple or len(metadata) != 2 or type(metadata[1]) is not tuple:
        return kind
    unit, *numbers = metadata[1]
    unit = unit.decode("ascii") if type(unit) is bytes else unit
    if unit not in _TIME_UNITS or type(numbers[0]) is not int or not 0 < numbers[0] < 2**31:
        return kind
    described = f"{kind.kind}8[{numbers[0]}{unit}]"
    return sys.modules["numpy"].dtype(described) if numbers[1:2] == [1] else kind


def typed(kind: Any, state: Any) -> Any:
    """The type of numbers that has this state: the same, or one with the other order of bytes or a unit."""
    kind = _with_unit(kind, state)
    for each in (kind, kind.newbyteorder()):
        if each.__reduce__()[2] == state:
            return each
    return refuse("it holds a type of numbers that is not plain")


class NumpyName:
    """A name of NumPy that pickles call."""

    def __init__(self, name: str) -> None:
        self.name = name


NUMPY_CALLS = {name: NumpyName(name) for name in ("_frombuffer", "_reconstruct", "dtype", "scalar")}


def encode_latin() -> None:
    """Stands for _codecs.encode."""


_TYPES = (
    bool,
    bytearray,
    bytes,
    complex,
    dict,
    float,
    frozenset,
    int,
    list,
    object,
    range,
    set,
    slice,
    str,
    tuple,
    type,
)


def attribute() -> None:
    """Stands for getattr, of which only classes within classes and members of enums are asked."""


def union() -> None:
    """Stands for operator.or_, of which only the members of one flag are asked: Python 3.11.2 writes it."""


_BUILTINS: dict[str, Any] = {t.__name__: t for t in _TYPES}
_BUILTINS |= {"Ellipsis": ..., "NotImplemented": NotImplemented, "getattr": attribute}

# What plain data names, by its module; files of Python 2 have the older names.
PLAIN: dict[str, dict[str, Any]] = {
    "builtins": _BUILTINS,
    "__builtin__": {**_BUILTINS, "xrange": range, "unicode": str, "long": int},
    "collections": {
        t.__name__: t
        for t in (collections.Counter, collections.OrderedDict, collections.defaultdict, collections.deque)
    },
    "_codecs": {"encode": encode_latin},
    "_operator": {"or_": union},
}
