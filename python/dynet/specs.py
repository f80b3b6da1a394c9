"""What a .meta file has for an object: its class, its spec and its name, written, and found again by name."""

import enum
import functools
import importlib
import io
import pickle
import re
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

from dynet import plain, plain_classes, unpickle
from dynet._dynet import (
    ClassFactoredSoftmaxBuilder,
    Expression,
    HierarchicalSoftmaxBuilder,
    NaryTreeLSTMBuilder,
    ParameterCollection,
    PyInitializer,
    SoftmaxBuilder,
    StandardSoftmaxBuilder,
    Trainer,
    _a_kind,
    _make_class_factored,
    _make_hierarchical,
    _RNNBuilder,
    _TreeLSTMBuilder,
    ops,
)

# In files the modules of our classes have the name that DyNet 2 knows.
FILE_MODULE = "_dynet"

Names = dict[tuple[str, str], Any]

ADVICE = (
    "a spec may hold numbers, texts, types, enums, dates, paths, arrays, named tuples, dataclasses, "
    "namespaces, initializers, and lists, tuples, sets and dictionaries of them; pass others in `allowed`, "
    "to save and load"
)


_LATER = {  # what lies in modules that are loaded when they are used
    "Vocabulary": "dynet.data",
    "ResetAfterGRUBuilder": "dynet.export",
    "TransformerEncoderLayer": "dynet.export",
}
_BUILDERS = (_RNNBuilder, _TreeLSTMBuilder, SoftmaxBuilder)
_INITIALIZERS = PyInitializer.__subclasses__()
_LEARNED = (Expression, ParameterCollection, Trainer, *_BUILDERS)


class _Pickler(pickle.Pickler):
    """Writes an operation as its name, and what the versions of Python write differently in one way."""

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is type(ops):
            return obj.__name__
        if isinstance(obj, _LEARNED):
            raise pickle.PicklingError("what is learned, and what belongs to a graph, is not part of a spec")
        if isinstance(obj, enum.Enum) and kind.__members__.get(obj._name_) is obj:
            return getattr, (kind, obj._name_)
        if kind in _INITIALIZERS:
            return kind, obj._arguments()
        if isinstance(obj, enum.Flag):
            return kind, (obj._value_,)
        if kind.__module__ == "datetime" and hasattr(obj, "fold"):
            return obj.__reduce_ex__(4)  # Older protocols forget the fold.
        return NotImplemented


def _initializer(kind: Any, args: tuple[Any, ...]) -> Any:
    """One of ours, of what it says of itself."""
    if not all(type(each) in (bool, int, float, str) or plain.is_array(each, "ndarray") for each in args):
        plain.bad("an initializer is made of something else than numbers, an array or the name of a file")
    return kind(*args)


plain_classes.makers.update(dict.fromkeys(_INITIALIZERS, _initializer))


def is_ours(module: str) -> bool:
    return module == FILE_MODULE or module.split(".")[0] == "dynet"


def _in_files(module: str) -> str:
    """What files call a module: layers have names of their own, which others have too."""
    if f"{module}.".startswith("dynet.nn."):
        return "dynet.nn"
    return FILE_MODULE if is_ours(module) else module


def is_savable(kind: type) -> bool:
    return hasattr(kind, "from_spec") and hasattr(kind, "param_collection")


def names_of(allowed: Iterable[Any]) -> Names:
    """What may be found, by each of the names that files may have for it."""
    known: Names = {}
    for each in allowed:
        known[getattr(each, "__module__", ""), getattr(each, "__qualname__", "")] = each
        if not callable(each):
            continue
        try:
            text = pickle.dumps(each, 2)
        except Exception:
            continue
        if lines := re.fullmatch(rb"\x80\x02c(.+)\n(.+)\nq\x00\.", text):
            known[lines[1].decode(), lines[2].decode()] = each
    return known


def _in_module(module: str, name: str) -> Any:
    """What a module that was imported has; nothing is asked that could run code to answer."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, types.ModuleType | type) else None
    return found


def _in_numpy(name: str) -> Any:
    if name in plain.NUMPY_CALLS:
        return plain.NUMPY_CALLS[name]
    numpy = importlib.import_module("numpy")
    found = getattr(numpy, name, None)
    is_type = found is numpy.ndarray or (isinstance(found, type) and issubclass(found, numpy.generic))
    return found if is_type else None


def find(module: str, name: str, allowed: Names) -> tuple[Any, bool]:
    """What a file names, and whether it may be called. No code is run that models have no use for."""
    if (module, name) in allowed:
        return allowed[module, name], True
    if module == "__main__":  # of the program that wrote the file, which this one imports
        for (_, known), each in allowed.items():
            if known == name:
                return each, True
    found: Any
    module = _in_files(module)
    if is_ours(module):
        home = module if module == "dynet.nn" else _LATER.get(name, "dynet")
        found = getattr(importlib.import_module(home), name, None)
        if isinstance(found, type) or name in (*ops(), "pickrange", "zeroes"):
            return found, False
    elif module.split(".")[0] == "numpy":
        if (found := _in_numpy(name)) is not None:
            return found, False
    elif name in plain.PLAIN.get(module, {}):
        return plain.PLAIN[module][name], False
    elif (found := plain_classes.in_library(module, name)) is not None:
        return found, False
    elif isinstance(found := _in_module(module, name), type):
        if is_savable(found):
            return found, True
        if plain_classes.is_enum(found) or plain_classes.is_record(found):
            return found, False
    raise pickle.UnpicklingError(
        f"it names {module}.{name}: files may name classes that have from_spec and param_collection, enums, "
        "named tuples and dataclasses, of modules that are imported; pass others in `allowed` if you trust "
        "the file"
    )


def check(described: Any) -> None:
    """Fails unless it says what an object is, and where its numbers are."""
    if not (isinstance(described, tuple) and len(described) in (2, 3) and isinstance(described[-1], str)):
        raise plain.DamagedError("it describes no object")
    kind = described[0]
    if len(described) == 2:
        known = isinstance(kind, str) and kind in ("Parameters", "LookupParameters")
    else:
        known = isinstance(kind, type) and is_savable(kind)
    if not known:
        raise plain.DamagedError("it describes an object of no class that has from_spec and param_collection")


def read(text: bytes, allowed: Names) -> Iterator[tuple[Any, ...]]:
    """The descriptions of all objects of a .meta file."""
    reader = unpickle.Unpickler(text, functools.partial(find, allowed=allowed))
    while reader.at < len(text):
        described = reader.load()
        check(described)
        yield described


# -- writing


def _rehearsed(value: Any, allowed: Names) -> tuple[bytes, unpickle.Unpickler, Any]:
    """A pickle that can be read again, its reader and what that has read."""
    file = io.BytesIO()
    _Pickler(file, protocol=2).dump(value)
    text = file.getvalue()
    reader = unpickle.Unpickler(text, functools.partial(find, allowed=allowed), rehearsal=True)
    return text, reader, reader.load()


def pickled(description: tuple[Any, ...], allowed: Names) -> bytes:
    """What a .meta file has for an object: what load can read again."""
    try:
        text, reader, again = _rehearsed(description, allowed)
        check(again)
    except (RecursionError, MemoryError):
        raise
    except Exception as error:
        kind = description[0]
        culprit = _Search(allowed).culprit(description[1], f"{getattr(kind, '__name__', kind)}.spec")
        path, value, reason = culprit or (getattr(kind, "__qualname__", kind), kind, error)
        raise TypeError(
            f"save: {path}, {_described(value)}, could not be loaded again: {reason}; {ADVICE}"
        ) from error
    # Protocol 2 writes a class as the line "c" MODULE and the line NAME.
    parts, end = [], 0
    for begin, after in reader.names:
        module, name = text[begin : after - 1].decode().split("\n")
        parts += [text[end:begin], f"{_in_files(module)}\n{name}\n".encode()]
        end = after
    return b"".join([*parts, text[end:]])


def _described(value: Any) -> str:
    """What a value is, without what it says of itself."""
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        kind = "the class" if isinstance(value, type) else "the function" if callable(value) else "the object"
        return f"{kind} {getattr(value, '__module__', '')}.{name}"
    return _a_kind(value)


class _Search:
    """Looks for the innermost part of a spec that cannot be loaded again."""

    def __init__(self, allowed: Names) -> None:
        self._allowed = allowed
        self._seen: dict[int, Any] = {}

    def culprit(self, value: Any, path: str) -> tuple[str, Any, Exception] | None:
        if id(value) in self._seen or len(self._seen) > 10_000:
            return None
        self._seen[id(value)] = value
        try:
            _rehearsed(value, self._allowed)
        except Exception as error:
            for name, part in _parts_of(value):
                if found := self.culprit(part, path + name):
                    return found
            return path, value, error
        return None


def _parts_of(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value holds, as a program would ask for it."""
    if isinstance(value, type | enum.Enum):
        return
    if isinstance(value, dict):
        for key, part in value.items():
            yield ".keys()", key
            yield f"[{key!r:.40}]", part
    elif isinstance(value, set | frozenset):
        for part in value:
            yield "{…}", part
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from ((f".{name}", part) for name, part in zip(value._fields, value, strict=False))
    elif isinstance(value, list | tuple) or type(value).__name__ == "deque":
        yield from ((f"[{i}]", part) for i, part in enumerate(value))
    if hasattr(value, "default_factory"):
        yield ".default_factory", value.default_factory
    if isinstance(getattr(value, "__dict__", None), dict):
        yield from ((f".{name}", part) for name, part in vars(value).items())
    for name in getattr(type(value), "__slots__", ()):
        if isinstance(name, str) and hasattr(value, name):
            yield f".{name}", getattr(value, name)


# -- builders, and a program's subclasses of them

_MAKERS = {
    ClassFactoredSoftmaxBuilder: _make_class_factored,
    HierarchicalSoftmaxBuilder: _make_hierarchical,
}
# How many of the arguments of other builders come before the collection.
_BEFORE_MODEL = {
    _RNNBuilder: 3,
    NaryTreeLSTMBuilder: 4,
    _TreeLSTMBuilder: 3,
    StandardSoftmaxBuilder: 2,
}


def builder_of(kind: type) -> Any:
    """The class of ours whose from_spec a program's class has; None for other classes."""
    if is_ours(kind.__module__) or not is_savable(kind):
        return None
    for base in kind.__mro__:
        if "from_spec" in vars(base):
            return base if is_ours(base.__module__) else None
    return None


def check_subclass(kind: type) -> None:
    """Fails for a class that load could not make objects of: nobody knows what its __init__ takes."""
    builder = builder_of(kind)
    if builder and (kind.__init__ is not builder.__init__ or kind.__new__ is not builder.__new__):  # type: ignore[misc]
        raise TypeError(
            f"save: {kind.__name__} is a {builder.__name__} with an __init__ of its own, which load does not "
            "know how to call: give it a static method from_spec(spec, model) that does, and `spec` if that "
            "takes more"
        )


def made(kind: Any, spec: Any, model: Any) -> Any:
    """An object of what its spec says; one of a subclass of a builder is of that subclass."""
    builder = builder_of(kind)
    if builder is None or not issubclass(builder, _BUILDERS):
        return kind.from_spec(spec, model)
    return made_as(kind, builder, spec, model)


def made_as(kind: Any, builder: Any, spec: Any, model: Any) -> Any:
    """A builder of a program's class, whose own __init__ is not called."""
    if builder in _MAKERS:
        return _MAKERS[builder](kind, spec, model)
    before = next(count for base, count in _BEFORE_MODEL.items() if issubclass(builder, base))
    made = builder.__new__(kind)
    builder.__init__(made, *spec[:before], model, *spec[before:])
    return made
