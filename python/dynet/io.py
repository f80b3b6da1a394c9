"""Saving of lists of parameters and builders: NAME.data has the numbers, NAME.meta says what they are.

Each of the two files is replaced in one step, but not both at once. A process may end between the two: then
the new .meta file lies beside under the name of a partial file, and its checksum says that it belongs to the
new .data file. A .data file thus always finds the .meta file that was written for it.
"""

import contextlib
import errno
import functools
import os
import pickle
import re
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeAlias

from dynet import specs
from dynet._dynet import (
    Expression,
    LookupParameters,
    ParameterCollection,
    Parameters,
    _identity_of,
    _load,
    _Loading,
    _partial_files,
    _RecordsFile,
    _save,
)
from dynet.arguments import told


class Savable(Protocol):
    """A builder, or a class of a program: `spec` is what from_spec makes it of."""

    @property
    def spec(self) -> tuple[Any, ...]: ...
    def param_collection(self) -> ParameterCollection: ...


Saved: TypeAlias = Parameters | LookupParameters | Savable
Name: TypeAlias = str | os.PathLike[str]


def _parts(saved: Saved) -> tuple[tuple[object, ...], Parameters | LookupParameters | ParameterCollection]:
    """What describes an object besides its name, and what has its numbers."""
    if isinstance(saved, Parameters | LookupParameters):
        return (type(saved).__name__,), saved
    if not all(hasattr(saved, name) for name in ("spec", "from_spec", "param_collection")):
        raise TypeError(
            f"save: an object of type {type(saved).__name__} was given; "
            "Parameters, LookupParameters or objects with spec, from_spec and param_collection are needed"
        )
    specs.check_subclass(type(saved))
    return (type(saved), saved.spec), saved.param_collection()


def _keys(names: list[str]) -> list[str]:
    """What each is called in the file: its own name, unless others would be found by it."""
    keys: dict[str, None] = {}
    folders: set[str] = set()  # of those before
    counts: dict[str, int] = {}  # to begin with
    for name in names:
        key, count = name, counts.get(name, 0)
        end = name.find("/", 1) % (len(name) + 1)  # of the first part of the name
        while True:
            above = {key[: i + 1] for i, character in enumerate(key[:-1]) if character == "/"}
            everything = key == "/" and len(names) > 1
            if not everything and key not in folders and above.isdisjoint(keys) and key not in keys:
                break
            count += 1
            key = f"{name[:end]}__{count}{'/' if name == '/' else name[end:]}"
        keys[key], counts[name] = None, count
        folders |= above
    return list(keys)


# Texts that unpickling drops, also in DyNet 2. The first, at the beginning of a .meta file, has the size and
# the checksum of the .data file that it describes. The second, at its end, has the checksum of all before it.
_STAMP = re.compile(rb"\x80\x02X(.)\0\0\0dynet (\d+) (\d+)0", re.DOTALL)
_SEAL = re.compile(rb"X\x12\0\0\0dynet end ([0-9a-f]{8})0\.\Z", re.DOTALL)
_SEAL_SIZE = 25


def _dropped(text: str) -> bytes:
    return b"X" + len(text).to_bytes(4, "little") + text.encode() + b"0"


def _stamped(meta: bytes, size: int, checksum: int) -> bytes:
    """A .meta file that belongs to its .data file."""
    if not meta:
        return meta  # A list of no objects has no pickle to hold them.
    meta = meta[:2] + _dropped(f"dynet {size} {checksum}") + meta[2:-1]
    return meta + _dropped(f"dynet end {zlib.crc32(meta):08x}") + b"."


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """Differs where another file has taken the name, or it was written over."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class _Meta:
    """A .meta file that was read; `error` says what is wrong with it."""

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, "rb") as file:
            self.identity = _identity(os.fstat(file.fileno()))
            self.text = file.read()
        stamp = _STAMP.match(self.text)
        seal = _SEAL.search(self.text, max(0, len(self.text) - _SEAL_SIZE))
        self.stamp = (int(stamp[2]), int(stamp[3])) if stamp else None
        self.error = ""
        if (stamp is None) != (seal is None):
            self.error = "it was cut off, or its beginning or its end was changed"
        elif seal and int(seal[1], 16) != zlib.crc32(self.text[:-_SEAL_SIZE]):
            self.error = "its checksum is wrong"

    def is_of(self, data: _RecordsFile) -> bool:
        """Whether it was written for this .data file. Of a file of DyNet 2 that is not known."""
        if not self.text:
            return data.size == 0
        return self.stamp is not None and not self.error and data.checksum(self.stamp[0]) == self.stamp[1]


def _name(function: str, basename: Name) -> str:
    """The name without .data and .meta, as a text."""
    if not isinstance(basename, str | os.PathLike):
        raise TypeError(f"{function}: {basename!r} was given; the name of the files is needed")
    return os.fsdecode(basename)


def _check_folder(base: str) -> None:
    for path in (f"{base}.data", f"{base}.meta"):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "save: there is a folder where the file would be", path)
        folder = os.path.dirname(os.path.realpath(path))
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                errno.ENOENT, "save: there is no such folder; make it first, or choose another", folder
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(
                errno.EACCES,
                "save: no file can be made in the folder; make it writable, or choose another",
                folder,
            )


@told
def save(basename: Name, objects: Iterable[Saved], allowed: Iterable[object] = ()) -> None:
    """Writes parameters, lookup parameters, builders and other objects that have `spec` and from_spec.

    What load could not read again is refused at once: TypeError, which names the part of the spec. Plain
    values pass; functions and classes of your own that a spec holds must be in `allowed`, here and where it
    is loaded.

    Whenever the process ends, and if it fails, load gives what was there before or all of the new. DyNet 2
    reads the files too, once both are in their places. Links stay links, and files keep their modes.

    >>> m = dy.ParameterCollection()
    >>> w, lstm = m.add_parameters(3), dy.VanillaLSTMBuilder(1, 3, 2, m)
    >>> dy.save("model", [w, lstm])
    >>> w, lstm = dy.load("model", dy.ParameterCollection())
    """
    base = _name("save", basename)
    # Expressions and tables can be iterated over, too.
    wrong = isinstance(objects, Expression | Parameters | LookupParameters)
    saved = list(_iterable(objects, wrong, "save", "a list of what is to be saved"))
    parts = [_parts(each) for each in saved]
    keys = _keys([what.name() for _, what in parts])
    known = specs.names_of(_iterable(allowed, False, "save: allowed", "a list of classes and functions"))
    meta = b"".join(specs.pickled((*head, key), known) for (head, _), key in zip(parts, keys, strict=True))
    _check_folder(base)
    named = [(what, key) for (_, what), key in zip(parts, keys, strict=True)]
    _save(base, named, functools.partial(_stamped, meta))


def _iterable(given: Iterable[Any], wrong: bool, function: str, needed: str) -> Iterable[Any]:
    if wrong or not (isinstance(given, Iterable) or hasattr(type(given), "__getitem__")):
        raise TypeError(f"{function}: {given!r} was given; {needed} is needed")
    return given


def _descriptions(meta: _Meta, allowed: list[Any]) -> list[tuple[Any, ...]]:
    """All objects of a .meta file."""
    try:
        return list(specs.read(meta.text, specs.names_of(allowed)))
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(f"{meta.path}: {error}") from error
    except Exception as error:  # A damaged pickle raises anything.
        raise RuntimeError(f"{meta.path} is damaged: {error}") from error


def _meta_for(data: _RecordsFile, path: str) -> _Meta | None:
    """A .meta file that lies beside since its saver was killed after the .data file had been replaced."""
    for partial in _partial_files(path):
        with contextlib.suppress(OSError):
            meta = _Meta(partial)
            if meta.is_of(data):
                return meta
    return None


def _error(meta: _Meta | None, base: str) -> Exception:
    """What is wrong with two files that do not belong together."""
    if meta is None:
        what = "load: there is no such file; save writes NAME.data and NAME.meta"
        return FileNotFoundError(errno.ENOENT, what, f"{base}.meta")
    if meta.error or not meta.text:
        return RuntimeError(f"{meta.path} is damaged: {meta.error or 'it is empty'}")
    return RuntimeError(
        f"{base}.data is not the file that {meta.path} describes: "
        "one of the two is damaged, or from another save"
    )


def _read(base: str) -> tuple[_Meta, _RecordsFile | None]:
    """Both files as one save has written them, whoever saves meanwhile."""
    meta_path, data_path = f"{base}.meta", f"{base}.data"
    before = None
    for attempt in range(500):
        try:
            meta = _Meta(meta_path)
        except FileNotFoundError:
            meta = None
        if not os.path.exists(data_path) and not (meta and meta.text):
            if meta:
                return meta, None  # DyNet 2 saved a list of nothing.
            raise _error(meta, base)
        data = _RecordsFile(data_path)
        if meta and meta.is_of(data):
            return meta, data
        if beside := _meta_for(data, meta_path):
            return beside, data
        now = meta and meta.identity, data.identity
        if now == (_identity_now(meta_path), _identity_of(data_path)):
            if meta and meta.text and meta.stamp is None and not meta.error:
                return meta, data  # DyNet 2's.
            if now == before:
                raise _error(meta, base)
        before = now
        time.sleep(0.0001 * min(attempt, 100))
    raise RuntimeError(f"load: {base}.data and {base}.meta were replaced faster than they could be read")


def _identity_now(path: str) -> tuple[int, ...] | None:
    try:
        return _identity(os.stat(path))
    except FileNotFoundError:
        return None


def _load_one(params: ParameterCollection, path: str, loading: _Loading, described: tuple[Any, ...]) -> Any:
    """Adds one object to a collection."""
    kind, *rest = described
    if kind == "Parameters":
        return loading.load_param(rest[0])
    if kind == "LookupParameters":
        return loading.load_lookup_param(rest[0])
    spec, name = rest
    if specs.is_ours(kind.__module__) or specs.builder_of(kind):
        # A damaged file could ask for layers without end.
        loading.limit(name)
        try:
            loaded = specs.made(kind, spec, params)
        except Exception as error:
            raise RuntimeError(
                f"{path}: no {kind.__name__} can be made as it is described: {error}"
            ) from error
        finally:
            loading.lift()
    else:
        loaded = kind.from_spec(spec, params)
    loading.populate(loaded.param_collection(), name)
    return loaded


def _load_parts(
    basename: Name, params: ParameterCollection, allowed: Iterable[object], together: bool
) -> Iterator[list[Any]]:
    """What was saved, one by one or all together; what cannot be loaded adds nothing."""
    if not isinstance(params, ParameterCollection):
        raise TypeError(f"load: {params!r} was given; a ParameterCollection is needed")
    name = _name("load", basename)
    meta, data = _read(name)  # First: what is iterated may be an expression, which adds a node for each item.
    known = list(_iterable(allowed, False, "load: allowed", "a list of classes and functions"))
    descriptions = _descriptions(meta, known)
    for part in [descriptions] if together else [[d] for d in descriptions]:
        if part and data is not None:
            yield _load(params, data, part, functools.partial(_load_one, params, meta.path))


@told
def load_generator(
    basename: Name, params: ParameterCollection, allowed: Iterable[object] = ()
) -> Iterator[Any]:
    """Adds what was saved to a collection, one object after another.

    Both files are read and checked before the first object is given. An object that cannot be loaded after
    all adds nothing; those before it stay.

    A file names the classes of its objects. Those of DyNet are known, plain ones of Python's library, and, if
    their module was imported, those that have from_spec and param_collection, enums, named tuples and
    dataclasses; other classes and functions that a `spec` holds must be in `allowed`, so that a file from
    elsewhere cannot run code. Raises pickle.UnpicklingError.

    >>> m = dy.ParameterCollection()
    >>> dy.save("model", [m.add_parameters(2), m.add_parameters(3)])
    >>> [w.shape() for w in dy.load_generator("model", dy.ParameterCollection())]
    [(2,), (3,)]
    """
    for (loaded,) in _load_parts(basename, params, allowed, together=False):
        yield loaded


@told
def load(basename: Name, params: ParameterCollection, allowed: Iterable[object] = ()) -> list[Any]:
    """Adds what was saved to a collection; the list of the objects. See load_generator.

    If anything of it cannot be loaded, the collection stays as it is. While others save under the same name,
    what is loaded is what one of them saved.

    >>> m = dy.ParameterCollection()
    >>> dy.save("model", [m.add_parameters(2, init=0.5)])
    >>> [w] = dy.load("model", dy.ParameterCollection()); print(w.as_array())
    [0.5 0.5]
    """
    return [loaded for all_ in _load_parts(basename, params, allowed, together=True) for loaded in all_]
