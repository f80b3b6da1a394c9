"""Objects of plain classes that unpickling makes: dates, paths, exact numbers, namespaces and records.

No code of the classes of a program is run, and what is made is not larger than what it is made of.
"""

from __future__ import annotations

import enum
import importlib
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

from dynet.plain import bad, refuse

Maker = Callable[[Any, tuple[Any, ...]], Any]

_LONGEST = 4000  # digits of what is read, which takes time with their square


def _content(args: tuple[Any, ...], size: int) -> bytes:
    if not args or type(args[0]) is not bytes or len(args[0]) != size:
        bad("a date or a time is made of something else than its bytes")
    return args[0]


def _zone(args: tuple[Any, ...]) -> Any:
    zones = type(None), sys.modules["datetime"].timezone
    if len(args) > 2 or (len(args) == 2 and type(args[1]) not in zones):
        refuse("it makes a time of a zone that is no datetime.timezone")
    return args[1] if len(args) == 2 else None


def _date(kind: Any, args: tuple[Any, ...]) -> Any:
    content = _content(args if len(args) == 1 else (), 4)
    return kind(int.from_bytes(content[:2], "big"), content[2], content[3])


def _clock(content: bytes) -> tuple[int, int, int, int]:
    return content[0], content[1], content[2], int.from_bytes(content[3:], "big")


def _datetime(kind: Any, args: tuple[Any, ...]) -> Any:
    """The highest bit of the month is the fold, as that of the hour of a time."""
    content = _content(args, 10)
    day = int.from_bytes(content[:2], "big"), content[2] & 127, content[3]
    return kind(*day, *_clock(content[4:]), _zone(args), fold=content[2] >> 7)


def _time(kind: Any, args: tuple[Any, ...]) -> Any:
    hour, *others = _clock(_content(args, 6))
    return kind(hour & 127, *others, _zone(args), fold=hour >> 7)


def _timedelta(kind: Any, args: tuple[Any, ...]) -> Any:
    if len(args) > 3 or any(type(a) is not int for a in args):
        bad("a time difference is made of something else than numbers")
    return kind(*args)


def _timezone(kind: Any, args: tuple[Any, ...]) -> Any:
    difference = sys.modules["datetime"].timedelta
    if not args or type(args[0]) is not difference or any(type(a) is not str for a in args[1:]):
        bad("a time zone is made of something else than a difference and a name")
    return kind(*args)


def _decimal(kind: Any, args: tuple[Any, ...]) -> Any:
    if len(args) != 1 or type(args[0]) is not str:
        bad("a decimal number is made of something else than a text")
    return kind(args[0])


def _fraction(kind: Any, args: tuple[Any, ...]) -> Any:
    if len(args) == 1 and type(args[0]) is str and len(args[0]) <= _LONGEST:
        if not re.fullmatch(r"-?[0-9]+(/[0-9]+)?", args[0]):
            bad("a fraction is made of another text")
        return kind(args[0])
    if len(args) != 2 or any(type(a) is not int or a.bit_length() > 3 * _LONGEST for a in args):
        bad("a fraction is made of something else than two numbers, or too long ones")
    return kind(*args)


def _type(_: Any, args: tuple[Any, ...]) -> type:
    if len(args) != 1 or not any(args[0] is each for each in (None, ..., NotImplemented)):
        refuse("it asks for the type of something else than None")
    return type(args[0])


def _path(kind: Any, args: tuple[Any, ...]) -> Any:
    if any(type(a) is not str for a in args):
        bad("a path is made of something else than texts")
    return kind(*args)


def _namespace(kind: Any, args: tuple[Any, ...]) -> Any:
    return kind() if args == () else bad("a namespace is made of something")


# How classes of Python's library are called by pickles, by module and name.
_PATHS = "Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"
_LIBRARY: dict[str, dict[str, Maker]] = {
    "argparse": {"Namespace": _namespace},
    "datetime": {
        "date": _date,
        "datetime": _datetime,
        "time": _time,
        "timedelta": _timedelta,
        "timezone": _timezone,
    },
    "decimal": {"Decimal": _decimal},
    "fractions": {"Fraction": _fraction},
    "pathlib": dict.fromkeys(_PATHS, _path),
    "types": {"SimpleNamespace": _namespace},
}
# Other modules where one version of Python or another has them.
_MODULES = {
    "pathlib._local": "pathlib",
    "_pydecimal": "decimal",
    "_decimal": "decimal",
    "_datetime": "datetime",
}
makers: dict[Any, Maker] = {type: _type}  # of classes that were found


def in_library(module: str, name: str) -> Any:
    """A plain class of Python's library, or None. It is imported when it is first named."""
    module = _MODULES.get(module, module)
    maker = _LIBRARY.get(module, {}).get(name)
    if maker is None:
        return None
    kind = getattr(importlib.import_module(module), name)
    makers[kind] = maker
    return kind


# -- classes of a program

# What runs without being called by name.
_RUN = ("__call__", "__del__", "__getattr__", "__getattribute__", "__get__", "__reduce__", "__reduce_ex__")


def _own(kind: type, name: str) -> Iterator[Any]:
    """What the classes that a class is made of say of a name, without object's."""
    for base in kind.__mro__[:-1]:
        if name in vars(base) and base is not tuple:
            yield vars(base)[name]


def _is_generated(kind: type, name: str) -> bool:
    """Whether a method is object's, or one that dataclasses has written."""
    for method in _own(kind, name):
        code = getattr(method, "__code__", None)
        return code is None or code.co_filename == "<string>" or method.__module__ == "dataclasses"
    return True


def is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and type(getattr(kind, "_fields", None)) is tuple


def is_record(kind: type) -> bool:
    """Whether objects of a class are no more than their fields: those of named tuples and dataclasses are."""
    if any(True for name in _RUN for _ in _own(kind, name)):
        return False
    if is_named_tuple(kind):
        return not any(True for _ in _own(kind, "__setstate__"))
    fields = kind.__dict__.get("__dataclass_fields__")
    if not isinstance(fields, dict) or getattr(kind, "__new__", None) is not object.__new__:
        return False
    stored = [each for name in fields for each in _own(kind, name) if hasattr(type(each), "__set__")]
    return (
        all(isinstance(each, types.MemberDescriptorType) for each in stored)
        and _is_generated(kind, "__setstate__")
        and _is_generated(kind, "__getstate__")
    )


def is_enum(kind: object) -> TypeGuard[type[enum.Enum]]:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def member(kind: Any, args: tuple[Any, ...]) -> Any:
    """The member of an enum that has a value; of a flag also what its members make together."""
    value = args[0] if len(args) == 1 else None
    if type(value) in (bool, bytes, float, int, str, tuple):
        members = kind.__members__.values()
        for each in members:
            if type(each._value_) is type(value) and each._value_ == value:
                return each
        looks = [base.__module__ for base in kind.__mro__ if "_missing_" in vars(base)]
        is_flag = issubclass(kind, enum.Flag) and set(looks) == {"enum"}
        if is_flag and type(value) is int and value >= 0:
            everything = 0
            for each in members:
                everything |= each._value_
            if value & ~everything == 0:
                return kind(value)
    return refuse(f"it asks for a member of {kind.__name__} that there is not")


def union(args: tuple[Any, ...]) -> Any:
    """What the members of a flag make together, of which the last may be a number."""
    values: list[Any] = []
    for each in args:
        of_flag = isinstance(each, enum.Flag) and type(each) is type(args[0])
        if not of_flag and (type(each) is not int or not values):
            refuse("it names operator.or_, and joins something else than members of a flag")
        values.append(each._value_ if of_flag else each)
    if len(values) != 2:
        bad("two members of a flag are joined")
    return member(type(args[0]), (values[0] | values[1],))


def made(kind: Any, args: tuple[Any, ...]) -> tuple[Any, bool]:
    """An object of a plain class, and whether its attributes are still to come."""
    maker = makers.get(kind)
    if maker is not None:
        return maker(kind, args), maker is _namespace
    if isinstance(kind, type) and is_record(kind):
        fields = getattr(kind, "_fields", ()) if is_named_tuple(kind) else None
        if fields is not None and len(args) == len(fields):
            return tuple.__new__(kind, args), True
        if fields is None and args == ():
            return object.__new__(kind), True
    return refuse(f"it makes an object of {getattr(kind, '__name__', type(kind).__name__)}")


def _fields(target: Any) -> list[str]:
    return [field.name for field in sys.modules["dataclasses"].fields(target)]


def fill(target: Any, state: Any) -> None:
    """Gives an object that new() made its attributes."""
    if type(state) is list:  # what dataclasses with slots write
        names = _fields(target)
        state = (None, dict(zip(names, state, strict=True)))
    for each in state if type(state) is tuple and len(state) == 2 else (state, None):
        if each is not None and (type(each) is not dict or any(type(name) is not str for name in each)):
            bad("the attributes of an object have no names")
        for name, value in (each or {}).items():
            slot = next(_own(type(target), name), None)
            if isinstance(slot, types.MemberDescriptorType):
                slot.__set__(target, value)
            elif hasattr(target, "__dict__"):
                target.__dict__[name] = value
            else:
                bad(f"an object of {type(target).__name__} has no attribute {name}")


def parts(key: Any) -> Any:
    """What is hashed with an object that new() made; refuses where a program's code would run."""
    kind = type(key)
    if not (_is_generated(kind, "__hash__") and _is_generated(kind, "__eq__")):
        refuse(f"it has a key of {kind.__name__}")
    return [getattr(key, name, None) for name in _fields(key)]
