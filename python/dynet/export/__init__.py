"""Models for other libraries, and from them: PyTorch's weights, model files, ONNX.

A module is loaded when one of its names is asked for. What an export needs besides NumPy (PyTorch, onnx) is
imported when it is called.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynet.export.files import read as read
    from dynet.export.files import write as write
    from dynet.export.layers import ResetAfterGRUBuilder as ResetAfterGRUBuilder
    from dynet.export.layers import ResetAfterGRUState as ResetAfterGRUState
    from dynet.export.layers import TransformerEncoderLayer as TransformerEncoderLayer
    from dynet.export.onnx_model import onnx as onnx
    from dynet.export.torch_weights import from_torch as from_torch
    from dynet.export.torch_weights import to_numpy as to_numpy
    from dynet.export.torch_weights import to_torch as to_torch

_HOMES = {
    "ResetAfterGRUBuilder": "layers",
    "ResetAfterGRUState": "layers",
    "TransformerEncoderLayer": "layers",
    "from_torch": "torch_weights",
    "onnx": "onnx_model",
    "read": "files",
    "to_numpy": "torch_weights",
    "to_torch": "torch_weights",
    "write": "files",
}
__all__ = [
    "ResetAfterGRUBuilder",
    "ResetAfterGRUState",
    "TransformerEncoderLayer",
    "from_torch",
    "onnx",
    "read",
    "to_numpy",
    "to_torch",
    "write",
]

if not TYPE_CHECKING:  # Type checkers would take every name for one that there is.

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'dynet.export' has no attribute {name!r}")
        found = getattr(importlib.import_module(f"dynet.export.{_HOMES[name]}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES})
