"""Packages that exports need and that users may lack."""

import importlib
from typing import Any

_INSTALLED_BY = {"torch": "torch", "onnx": "dynet[onnx]"}


def package(name: str, call: str) -> Any:
    """A package that some call needs; its modules, too: "onnx.numpy_helper"."""
    root = name.partition(".")[0]
    try:
        importlib.import_module(name)
        return importlib.import_module(root)
    except ImportError as error:
        raise ImportError(f"{call} needs the package {root}: pip install {_INSTALLED_BY[root]}") from error
