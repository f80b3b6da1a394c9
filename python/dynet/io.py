"""Saving of lists of parameters and builders: NAME.data has the numbers, NAME.meta says what they are."""

import os
import pickle
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeAlias

from dynet._dynet import LookupParameters, ParameterCollection, Parameters

# The modules of our classes; in files they have the name that DyNet 2 knows.
_OUR_MODULES = (b"dynet._dynet", b"dynet._dynet_double", b"dynet.rnn")
_FILE_MODULE = b"_dynet"


class Savable(Protocol):
    """A builder, or a class of a program: `spec` is what from_spec makes it of."""

    @property
    def spec(self) -> tuple[Any, ...]: ...
    def param_collection(self) -> ParameterCollection: ...


Saved: TypeAlias = Parameters | LookupParameters | Savable
Name: TypeAlias = str | os.PathLike[str]


def _description(saved: Saved) -> tuple[object, ...]:
    if isinstance(saved, Parameters | LookupParameters):
        return type(saved).__name__, saved.name()
    return type(saved), saved.spec, saved.param_collection().name()


def _pickled(description: tuple[object, ...]) -> bytes:
    # Protocol 2 writes a class as the line "c" MODULE and the line NAME.
    data = pickle.dumps(description, protocol=2)
    for module in _OUR_MODULES:
        data = data.replace(b"c" + module + b"\n", b"c" + _FILE_MODULE + b"\n")
    return data


def save(basename: Name, objects: Iterable[Saved]) -> None:
    """Writes parameters, lookup parameters, builders and other objects that have `spec` and from_spec."""
    data = f"{os.fspath(basename)}.data"
    saved = list(objects)
    meta = b"".join(_pickled(_description(each)) for each in saved)
    open(data, "w").close()
    for each in saved:
        target = each if isinstance(each, Parameters | LookupParameters) else each.param_collection()
        target.save(data, append=True)
    with open(f"{os.fspath(basename)}.meta", "wb") as file:
        file.write(meta)


class _Unpickler(pickle.Unpickler):
    """Finds the classes of DyNet 2's module _dynet here."""

    def find_class(self, module: str, name: str) -> Any:
        if module == _FILE_MODULE.decode() or module.encode() in _OUR_MODULES:
            return getattr(sys.modules["dynet"], name)
        return super().find_class(module, name)


def load_generator(basename: Name, params: ParameterCollection) -> Iterator[Any]:
    """Adds what was saved to a collection, one object after another."""
    data = f"{os.fspath(basename)}.data"
    with open(f"{os.fspath(basename)}.meta", "rb") as file:
        while file.peek(1):
            kind, *rest = _Unpickler(file).load()
            if kind == "Parameters":
                yield params.load_param(data, rest[0])
            elif kind == "LookupParameters":
                yield params.load_lookup_param(data, rest[0])
            else:
                spec, name = rest
                loaded = kind.from_spec(spec, params)
                loaded.param_collection().populate(data, name)
                yield loaded


def load(basename: Name, params: ParameterCollection) -> list[Any]:
    """Adds what was saved to a collection; the list of the objects."""
    return list(load_generator(basename, params))
