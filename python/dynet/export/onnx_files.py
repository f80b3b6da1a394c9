"""Stored numbers of ONNX models: inside, or in a file beside the model."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from dynet import _dynet
from dynet.export.files import Array

LEAST_OUTSIDE = 1024  # bytes; shapes and axes must be in the model


def add_inside(model: Any, arrays: Mapping[str, Array], onnx: Any) -> None:
    for name, array in arrays.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array, order="C"), name))


def check(model: Any, arrays: Mapping[str, Array], onnx: Any) -> None:
    """ONNX's own check of a model without its numbers, where inputs stand for the large arrays."""
    stand_in, helper = onnx.ModelProto(), onnx.helper
    stand_in.CopyFrom(model)
    add_inside(stand_in, {name: a for name, a in arrays.items() if a.nbytes < LEAST_OUTSIDE}, onnx)
    for name, array in arrays.items():
        if array.nbytes >= LEAST_OUTSIDE:
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            stand_in.graph.input.append(helper.make_tensor_value_info(name, kind, array.shape))
    onnx.checker.check_model(stand_in, full_check=True)


def write_with_data(model: Any, arrays: Mapping[str, Array], onnx: Any, path: str) -> None:
    """Writes a model with a file of large arrays beside it, where runtimes map them from.

    While the model is replaced, no file of arrays is there: whenever the process ends, a model has its own
    numbers, or is refused for want of them.
    """
    folder, name = os.path.split(os.path.abspath(path))
    data = os.path.join(folder, f"{name}.data")
    fresh, before = (_temporary(folder, f".{name}.data-") for _ in range(2))
    try:
        with open(fresh, "wb") as file:
            _add_beside(model, arrays, onnx, file, f"{name}.data")
        os.chmod(fresh, 0o666 & ~_umask())
        content = model.SerializeToString()
        with contextlib.suppress(FileNotFoundError):
            os.replace(data, before)
        try:
            _dynet._write_file(path, content)
        except BaseException:
            if os.path.getsize(before):
                os.replace(before, data)
            raise
        os.replace(fresh, data)
    finally:
        for left in (fresh, before):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(left)


def _temporary(folder: str, start: str) -> str:
    """The name of an empty file of our own."""
    number, name = tempfile.mkstemp(dir=folder, prefix=start)
    os.close(number)
    return name


def _add_beside(model: Any, arrays: Mapping[str, Array], onnx: Any, file: Any, location: str) -> None:
    for own, array in arrays.items():
        numbers = np.asarray(array, order="C")
        if numbers.nbytes < LEAST_OUTSIDE:
            add_inside(model, {own: array}, onnx)
            continue
        file.write(bytes(-file.tell() % 4096))
        tensor = model.graph.initializer.add()
        tensor.name, tensor.dims[:] = own, numbers.shape
        tensor.data_type = onnx.helper.np_dtype_to_tensor_dtype(numbers.dtype)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entries = {"location": location, "offset": str(file.tell()), "length": str(numbers.nbytes)}
        for key, text in entries.items():
            tensor.external_data.add(key=key, value=text)
        file.write(numbers.data)


def _umask() -> int:
    """The mode that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
