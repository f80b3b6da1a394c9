"""Models for other libraries, and from them: PyTorch's weights, model files, ONNX.

What an export needs besides NumPy (PyTorch, onnx) is imported when it is called.
"""

from dynet.export.files import read as read
from dynet.export.files import write as write
from dynet.export.layers import ResetAfterGRUBuilder as ResetAfterGRUBuilder
from dynet.export.layers import TransformerEncoderLayer as TransformerEncoderLayer
from dynet.export.torch_weights import from_torch as from_torch
from dynet.export.torch_weights import to_numpy as to_numpy
from dynet.export.torch_weights import to_torch as to_torch

__all__ = [
    "ResetAfterGRUBuilder",
    "TransformerEncoderLayer",
    "from_torch",
    "read",
    "to_numpy",
    "to_torch",
    "write",
]
