"""Model files of every format that we know, as arrays by name: read whole, and written in one step."""

from __future__ import annotations

import io
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from dynet import _dynet
from dynet.arguments import told
from dynet.export.packages import package

Path: TypeAlias = str | os.PathLike[str]
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class FormatError(RuntimeError):
    """A file that is in no format we know, or that holds what we cannot read."""


@dataclass(frozen=True)
class Tensor:
    """One array of a model file; whether it is a table is None where the format does not say."""

    name: str
    array: Array
    is_table: bool | None = None
    has_gradient: bool = False

    @property
    def kind(self) -> str:
        return "" if self.is_table is None else "table" if self.is_table else "parameter"


# -- reading


def _read_text(path: Path) -> list[Tensor]:
    with open(path, "rb") as file:
        start = file.read(64)
    if start.startswith(b"PK\x03\x04"):
        raise FormatError(f"{path} is an archive; give it a name that ends in .npz, or in .pt for PyTorch's")
    if start.startswith(b"#Trainer#"):
        raise FormatError(f"{path} is the state of a trainer, in which there are no parameters")
    if start and not start.lstrip().startswith((b"#Parameter#", b"#LookupParameter#")):
        raise FormatError(f"{path} is no model file: its first line would begin with #Parameter#")
    return [
        Tensor(name, array, is_table, has_gradient)
        for name, is_table, array, has_gradient in _dynet._text_file(path)
    ]


# The types of safetensors files that NumPy has, too.
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "u1",
    "BOOL": "?",
}


def _read_safetensors(path: Path) -> list[Tensor]:
    tensors = []
    for name, kind, shape, data in _dynet._safetensors_file(path):
        if kind == "BF16":
            wide = np.frombuffer(data, "<u2").astype("<u4") << np.uint32(16)
            array = wide.view("<f4")
        elif kind in _TYPES:
            array = np.frombuffer(data, _TYPES[kind])
        else:
            raise FormatError(
                f"{path}: the numbers of {name} have the type {kind}, which NumPy does not have"
            )
        tensors.append(Tensor(name, array.reshape(shape)))
    return tensors


def _read_npz(path: Path) -> list[Tensor]:
    import zipfile

    with open(path, "rb") as file:
        if file.read(6) == np.lib.format.MAGIC_PREFIX:
            raise FormatError(f"{path} is no .npz file: it holds one array without a name")
        try:
            with zipfile.ZipFile(file) as archive:
                parts = archive.infolist()
                file.seek(-22, os.SEEK_END)
                end = file.read()  # with the number of files, which zipfile does not look at
                if end[:4] == b"PK\5\6" and int.from_bytes(end[10:12], "little") not in (len(parts), 0xFFFF):
                    raise ValueError("files are missing in its list")
                return [_member(archive, each) for each in parts]
        except MemoryError:
            raise
        except Exception as error:  # A damaged archive raises anything.
            raise FormatError(f"{path} is no .npz file of plain arrays, or it is damaged: {error}") from error


def _member(archive: Any, part: Any) -> Tensor:
    """Not by np.load, which takes the name a.npy for the file a.npy, in which a is."""
    with archive.open(part) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
        file.read()  # so that the checksum is looked at
    return Tensor(part.filename.removesuffix(".npy"), array)


def array_of_torch(tensor: Any) -> Array:
    """The numbers of a tensor of PyTorch; NumPy has no bfloat16, which become floats."""
    tensor = tensor.detach().cpu()
    numbers: Array = (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    return numbers


def _read_torch(path: Path) -> list[Tensor]:
    import pickle

    torch = package("torch", f"reading {path}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise FormatError(
            f"{path} is no file of PyTorch with a state dict alone, or it is damaged; others may run code, "
            "and are not read"
        ) from error
    for key in ("state_dict", "model_state_dict"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(torch.is_tensor(each) for each in state.values()):
        raise FormatError(f"{path} holds no state dict: save module.state_dict()")
    return [Tensor(str(name), array_of_torch(each)) for name, each in state.items()]


def _read_onnx(path: Path) -> list[Tensor]:
    onnx = package("onnx.numpy_helper", f"reading {path}")
    try:
        model = onnx.load(path)
    except OSError:
        raise
    except Exception as error:  # Those of protobuf, which has classes of its own.
        raise FormatError(f"{path} is no ONNX model, or it is damaged: {error}") from error
    initializers = model.graph.initializer
    return [Tensor(each.name, onnx.numpy_helper.to_array(each)) for each in initializers]


# -- writing


def _write_text(path: Path, tensors: list[Tensor]) -> None:
    parameters: list[Any] = []
    tables: list[Any] = []
    for tensor in tensors:
        array = _as_real(tensor)
        made = _dynet._make_parameter(bool(tensor.is_table), array, tensor.name.encode(), True)
        (tables if tensor.is_table else parameters).append(made)
    _dynet._make_collection(b"/", None, 0.0, parameters, tables, {}, {}, []).save(path)


def narrowed(name: str, array: Array) -> Array:
    """In the type of our numbers; those that it does not have may round, but not become infinite."""
    with np.errstate(over="ignore"):
        real: Array = array.astype(_dynet.__precision__)
    if (lost := np.isinf(real) & np.isfinite(array)).any():
        raise ValueError(f"{name} holds {array[lost][0]:g}, which is too large for {_dynet.__precision__}")
    return real


def _as_real(tensor: Tensor) -> Array:
    """Numbers as our models have them; whole numbers only where none is rounded."""
    array = np.atleast_1d(tensor.array)
    if not array.size:
        raise ValueError(
            f"{tensor.name} has the shape {array.shape}, without a number; DyNet has no such shape"
        )
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{tensor.name} is an array of {array.dtype}; DyNet has real numbers")
    real = narrowed(tensor.name, array)
    if array.dtype.kind in "iu" and not np.array_equal(real.astype(array.dtype), array):
        raise ValueError(f"{tensor.name} holds whole numbers that {_dynet.__precision__} does not have")
    return real


def _write_safetensors(path: Path, tensors: list[Tensor]) -> None:
    codes = {np.dtype(code): name for name, code in _TYPES.items()}
    entries = []
    for tensor in tensors:
        array = tensor.array
        little = array.dtype.newbyteorder("<")
        if little not in codes:
            raise ValueError(
                f"{tensor.name} is an array of {array.dtype}, which safetensors files do not have"
            )
        entries.append((tensor.name, codes[little], array.shape, array.astype(little).tobytes("C")))
    _dynet._write_safetensors(path, entries)


def _write_npz(path: Path, tensors: list[Tensor]) -> None:
    import zipfile

    names = {tensor.name for tensor in tensors}
    for name in names:
        if name + ".npy" in names:
            raise ValueError(f"the names {name} and {name}.npy are one for NumPy; change one of them")
        if "\0" in name:
            raise ValueError(f"the name {name!r} has a NUL character, which archives do not keep")
    held = io.BytesIO()  # Not np.savez, which takes a name such as "file" for its own argument.
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for tensor in tensors:
            with archive.open(tensor.name + ".npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(tensor.array), allow_pickle=False)
    _dynet._write_file(path, held.getvalue())


def _write_torch(path: Path, tensors: list[Tensor]) -> None:
    torch = package("torch", f"writing {path}")
    held = io.BytesIO()
    torch.save({each.name: torch.from_numpy(np.array(each.array)) for each in tensors}, held)
    _dynet._write_file(path, held.getvalue())


def _refuse_onnx(path: Path, tensors: list[Tensor]) -> None:
    raise ValueError(f"{path}: an ONNX file holds a graph; dy.export.onnx writes one of an expression")


@dataclass(frozen=True)
class Format:
    """How files of one format are read and written."""

    name: str
    read: Callable[[Path], list[Tensor]]
    write: Callable[[Path, list[Tensor]], None]


TEXT = Format("DyNet 2's text", _read_text, _write_text)
_TORCH = Format("PyTorch", _read_torch, _write_torch)
FORMATS = {
    ".safetensors": Format("safetensors", _read_safetensors, _write_safetensors),
    ".npz": Format("NumPy's .npz", _read_npz, _write_npz),
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".bin": _TORCH,
    ".onnx": Format("ONNX", _read_onnx, _refuse_onnx),
}


def format_of(path: Path) -> Format:
    """The format that the name of a file asks for: by its suffix, or else DyNet 2's text."""
    return FORMATS.get(pathlib.Path(path).suffix.lower(), TEXT)


def read_tensors(path: Path) -> list[Tensor]:
    """All that a model file holds, in its order."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a folder; the name of a model file is needed")
    if not os.path.exists(path):
        saved = f"{os.fspath(path)}.data"
        hint = f"; the numbers that dy.save wrote are in {saved}" if os.path.exists(saved) else ""
        raise FileNotFoundError(f"there is no file {path}{hint}")
    _check_content(path)
    return format_of(path).read(path)


def _check_content(path: Path) -> None:
    """Refuses what is no model file whatever its name."""
    import zipfile

    if os.path.isfile(path) and not os.path.getsize(path):
        raise FormatError(f"{path} is empty; no model is in it, or it was not written to its end")
    with open(path, "rb") as file:
        if file.read(4) != b"PK\3\4":
            return
        try:
            with zipfile.ZipFile(file) as archive:
                names = {*archive.namelist()}
        except Exception:  # A damaged archive raises anything; whoever reads the format tells of it.
            return
    if {"training.json", "trainer"} <= names:
        raise FormatError(
            f"{path} is a checkpoint of dy.fit; training goes on from it with dy.fit(…, checkpoint=…, "
            "resume=True), and dy.save writes the model alone"
        )


def write_tensors(path: Path, tensors: Iterable[Tensor]) -> None:
    """Writes a model file; the one that is there is replaced in one step, or stays as it is."""
    listed = list(tensors)
    seen: set[str] = set()
    for tensor in listed:
        if tensor.name in seen:
            raise ValueError(f"the name {tensor.name} is there twice; in {path} names must differ")
        seen.add(tensor.name)
    format_of(path).write(path, listed)


def arrays_by_name(path: Path) -> dict[str, Array]:
    """All arrays of a model file; none may hide another."""
    arrays: dict[str, Array] = {}
    for tensor in read_tensors(path):
        if tensor.name in arrays:
            raise FormatError(
                f"{path} has two arrays with the name {tensor.name}; `python -m dynet show` lists all"
            )
        arrays[tensor.name] = tensor.array
    return arrays


@told
def read(path: Path) -> dict[str, Array]:
    """All arrays of a model file by name: DyNet 2's text, .safetensors, .npz, .pt, or the weights of .onnx.

    .pth and .bin are PyTorch's, too; names with other suffixes, or none, are DyNet 2's text. Tables have
    their rows first. PyTorch is needed for its files, onnx for .onnx. RuntimeError for files that are
    damaged, empty, or in no format that is known.

        >>> dy.export.write("model.safetensors", {"out.weight": np.ones((2, 3))})
        >>> dy.export.read("model.safetensors")["out.weight"].shape
        (2, 3)
    """
    return arrays_by_name(path)


@told
def write(path: Path, arrays: Mapping[str, Any]) -> None:
    """Writes arrays by name to a model file in the format that its name ends in, as `read` reads it.

    The file that is there is replaced in one step, or stays as it is. In DyNet 2's text every array is a
    parameter. arrays are of NumPy, or tensors of PyTorch.

        >>> dy.export.write("model.npz", {"out.weight": np.ones((2, 3)), "out.bias": np.zeros(2)})
        >>> list(dy.export.read("model.npz"))
        ['out.weight', 'out.bias']
    """
    if not isinstance(arrays, Mapping):
        raise TypeError(f"write: arrays is {_dynet._a_kind(arrays)}; a dict of arrays by name is needed")
    write_tensors(
        path,
        [
            Tensor(str(name), array_of_torch(each) if hasattr(each, "detach") else np.asarray(each))
            for name, each in arrays.items()
        ],
    )
