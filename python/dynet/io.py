"""Saving of lists of parameters and builders: NAME.data has the numbers, NAME.meta says what they are."""

import contextlib
import io
import os
import pickle
import re
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Protocol, TypeAlias

from dynet._dynet import LookupParameters, ParameterCollection, Parameters, ops

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


class _Pickler(pickle.Pickler):
    """Writes an operation as its name."""

    def reducer_override(self, obj: Any) -> Any:
        return obj.__name__ if type(obj) is type(ops) else NotImplemented


def _pickled(description: tuple[object, ...]) -> bytes:
    # Protocol 2 writes a class as the line "c" MODULE and the line NAME.
    file = io.BytesIO()
    _Pickler(file, protocol=2).dump(description)
    data = file.getvalue()
    for module in _OUR_MODULES:
        data = data.replace(b"c" + module + b"\n", b"c" + _FILE_MODULE + b"\n")
    return data


# A text that unpickling drops, also in DyNet 2: the size and the checksum of the .data file that a .meta file
# describes.
_STAMP = re.compile(rb"\x80\x02X....dynet (\d+) (\d+)0", re.DOTALL)


def _checksum(file: BinaryIO, size: int) -> int | None:
    """The checksum of the first bytes of a file; None if it has fewer."""
    found = 0
    while size > 0 and (part := file.read(min(size, 1 << 20))):
        found = zlib.crc32(part, found)
        size -= len(part)
    return None if size > 0 else found


def _stamped(meta: bytes, data: str) -> bytes:
    """A .meta file with the stamp of its .data file."""
    size = os.path.getsize(data)
    with open(data, "rb") as file:
        stamp = f"dynet {size} {_checksum(file, size)}".encode()
    return meta[:2] + b"X" + len(stamp).to_bytes(4, "little") + stamp + b"0" + meta[2:]


def _check_stamp(meta: BinaryIO, data: str) -> None:
    """Fails if the .data file is another one than the .meta file was written for."""
    stamp = _STAMP.match(meta.read(64))
    meta.seek(0)
    if stamp is None:
        return  # A file of DyNet 2.
    size, checksum = map(int, stamp.groups())
    with open(data, "rb") as file:
        if _checksum(file, size) != checksum:
            raise RuntimeError(
                f"{data} is not the file that {meta.name} describes: "
                "one of the two is damaged, or from another save"
            )


def save(basename: Name, objects: Iterable[Saved]) -> None:
    """Writes parameters, lookup parameters, builders and other objects that have `spec` and from_spec.

    The files that were there stay as they are until everything is written; should only one of the two be
    replaced then, loading says so.
    """
    base = os.fspath(basename)
    saved = list(objects)
    meta = b"".join(_pickled(_description(each)) for each in saved)
    partial = f"{base}.{os.getpid()}-{threading.get_ident()}.partial"
    try:
        open(f"{partial}.data", "w").close()
        for each in saved:
            target = each if isinstance(each, Parameters | LookupParameters) else each.param_collection()
            target.save(f"{partial}.data", append=True)
        with open(f"{partial}.meta", "wb") as file:
            file.write(_stamped(meta, f"{partial}.data") if saved else meta)
            file.flush()
            os.fsync(file.fileno())
        for suffix in (".data", ".meta"):
            os.replace(partial + suffix, base + suffix)
    finally:
        for suffix in (".data", ".meta"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(partial + suffix)


# What specs hold besides numbers, texts and classes; files of DyNet 2 have the older names of the modules.
_PLAIN = {
    "builtins": {"bytearray", "complex", "frozenset", "range", "set", "slice"},
    "__builtin__": {"bytearray", "complex", "frozenset", "xrange", "set", "slice"},
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "_codecs": {"encode"},
    "numpy": {"_frombuffer", "_reconstruct", "dtype", "ndarray", "scalar"},
}


class _Unpickler(pickle.Unpickler):
    """Finds the classes of DyNet 2's module _dynet here, and no code that a file of models has no use for."""

    def __init__(self, file: BinaryIO, allowed: Iterable[object]) -> None:
        super().__init__(file)
        self._allowed = {
            (getattr(o, "__module__", None), getattr(o, "__qualname__", None)): o for o in allowed
        }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._allowed:
            return self._allowed[module, name]
        if module.encode() in (_FILE_MODULE, *_OUR_MODULES):
            found = getattr(sys.modules["dynet"], name, None)
            if isinstance(found, type) or name in ops():
                return found
        elif name in _PLAIN.get("numpy" if module.startswith("numpy.") else module, ()):
            return super().find_class(module, name)
        elif module in sys.modules:
            found = super().find_class(module, name)
            if isinstance(found, type) and hasattr(found, "from_spec") and hasattr(found, "param_collection"):
                return found
        raise pickle.UnpicklingError(
            f"it names {module}.{name}: files may name classes that have from_spec and param_collection, "
            f"of modules that are imported; pass others in `allowed` if you trust the file"
        )


def _described(file: BinaryIO, allowed: Iterable[object]) -> tuple[Any, ...]:
    """The next object of a .meta file: what it is, and where its numbers are."""
    try:
        described = _Unpickler(file, allowed).load()
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"{file.name}: {error}") from error
    except Exception as error:  # A damaged pickle raises anything.
        raise RuntimeError(f"{file.name} is damaged: {error}") from error
    if not isinstance(described, tuple) or len(described) not in (2, 3):
        raise RuntimeError(f"{file.name} is damaged: it describes no object")
    return described


def load_generator(
    basename: Name, params: ParameterCollection, allowed: Iterable[object] = ()
) -> Iterator[Any]:
    """Adds what was saved to a collection, one object after another.

    A file names the classes of its objects. Those of DyNet are known, and those that have from_spec and
    param_collection if their module was imported; other classes and functions that a `spec` holds must be in
    `allowed`, so that a file from elsewhere cannot run code. Raises pickle.UnpicklingError.
    """
    data = f"{os.fspath(basename)}.data"
    with open(f"{os.fspath(basename)}.meta", "rb") as file:
        _check_stamp(file, data)
        while file.peek(1):
            kind, *rest = _described(file, allowed)
            if kind == "Parameters":
                yield params.load_param(data, rest[0])
            elif kind == "LookupParameters":
                yield params.load_lookup_param(data, rest[0])
            else:
                spec, name = rest
                loaded = kind.from_spec(spec, params)
                loaded.param_collection().populate(data, name)
                yield loaded


def load(basename: Name, params: ParameterCollection, allowed: Iterable[object] = ()) -> list[Any]:
    """Adds what was saved to a collection; the list of the objects. See load_generator."""
    return list(load_generator(basename, params, allowed))
